"""Receiving does not cost a mapping of memory each time."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

import fine_tuning_async

MODULE = Path(fine_tuning_async.__file__).with_name("_memory.py")

# What asyncio does for each receive, a hundred times, in a process that has never let go of anything large.
RECEIVE = """
import resource, runpy, socket, sys
if sys.argv[1:]:
    runpy.run_path(sys.argv[1])["keep_memory"]()
here, there = socket.socketpair()
def receive():
    here.send(b"x")
    there.recv(2**18)
receive()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    receive()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*arguments: str) -> int:
    command = [sys.executable, "-S", "-c", RECEIVE, *arguments]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603 - our own words


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory by other rules")
def test_memory_that_is_kept_is_not_mapped_for_each_receive() -> None:
    if faults() < 100:
        pytest.skip("this interpreter keeps memory by itself")
    assert faults(str(MODULE)) < 20
