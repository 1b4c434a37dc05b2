"""How much memory this process has needed at most."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

__all__ = ["peak"]

STATUS = Path("/proc/self/status")


def peak() -> int:
    """Return the peak of this process's resident memory, in bytes."""
    if STATUS.exists():
        # ru_maxrss would count what the parent had before it started this program.
        found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text("utf-8"))
        assert found is not None
        return int(found[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
