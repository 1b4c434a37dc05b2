"""What is wrong with an archive."""

from __future__ import annotations

from ._base import FineTuningError

__all__ = ["ArchiveError"]


class ArchiveError(FineTuningError):
    """An archive cannot be written or read; what is in it stays as it is.

    The directory holds something else or cannot be written, the disk is full, another process writes to it, a
    newer version has made it, or what was asked for is not in it. Where the disk refused, the cause is an OSError
    or a sqlite3.Error.
    """
