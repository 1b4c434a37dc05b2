"""What a process holds: its memory, its open files."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

__all__ = ["MIB", "open_files", "resident"]

MIB = 2**20


def resident() -> int:
    """Return the bytes of memory that this process has resident now, garbage collected before."""
    gc.collect()
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the system does not say how much memory is resident")


def open_files() -> int:
    """Return how many files and sockets are open in this process."""
    gc.collect()
    assert sys.platform == "linux", "open files are counted in /proc"
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names alone, and no file objects of our own
