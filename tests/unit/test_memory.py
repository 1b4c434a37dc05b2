"""Receiving does not cost a mapping of memory each time."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# What asyncio does for each receive, a hundred times, in a process that has never let go of anything large.
RECEIVE = """
import resource, socket
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
AIOHTTP = "import aiohttp"
SESSION = """
import asyncio
from fine_tuning_async._sessions import OwnedSessions
async def main():
    sessions = OwnedSessions()
    sessions.current()
    await sessions.close()
asyncio.run(main())
"""


def faults_after(work: str) -> int:
    command = [sys.executable, "-c", work + "\n" + RECEIVE]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603 - our own words


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory by other rules")
def test_with_a_session_of_our_own_memory_is_not_mapped_for_each_receive() -> None:
    if faults_after(AIOHTTP) < 100:
        pytest.skip("this interpreter keeps memory by itself")
    assert faults_after(SESSION) < 20
