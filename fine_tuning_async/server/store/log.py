"""The write-ahead log beside a database file, kept short.

A log whose end was lost is a state that was, wherever it is cut, while the file holds nothing newer. So a copy of
it is laid aside before it is written into the file: what kills the process meanwhile and then cuts the log leaves
the copy, which takes its place.
"""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing, suppress
from pathlib import Path

LONGEST = 32 * 1024 * 1024
"""Bytes of a log before it is written into the file: seldom, and yet no long wait."""

_HEADER = 32  # https://sqlite.org/fileformat2.html, 4.1
_BLOCK = 1024 * 1024
_CHECK = 4
"""Bytes of the checksum behind a copy; SQLite overlooks so small a rest at the end of a log."""


class Log:
    """The log of one file.

    Args:
        path: The database file.
    """

    def __init__(self, path: str) -> None:
        whole = Path(path).resolve()
        self._path = Path(f"{whole}-wal")
        self._copy = Path(f"{whole}-wal-copy")

    def shorten(self, connection: sqlite3.Connection, *, beyond: int = LONGEST) -> None:
        """Write the log into the file and empty it, if it has more than so many bytes.

        What was committed is in the log as well as it would be in the file: that this fails loses nothing.
        """
        with suppress(OSError, sqlite3.OperationalError):
            if self._path.stat().st_size > beyond:
                self._lay_aside()
                try:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    self._copy.unlink(missing_ok=True)

    def restore(self, path: str) -> None:
        """Let the copy, where there is one, take the place of the log; nobody else may have the file.

        Raises:
            sqlite3.OperationalError: Somebody has it.
        """
        if not self._copy.exists():
            return
        was_cut = self._was_cut()
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN IMMEDIATE")
        if was_cut and _is_whole(self._copy):
            self._copy.replace(self._path)
        else:
            self._copy.unlink()

    def _was_cut(self) -> bool:
        """Tell whether the log is the one that was copied, and has lost something since."""
        log, copy = _begun(self._path), _begun(self._copy)
        if len(log) < _HEADER:
            return True
        return log == copy and self._path.stat().st_size < self._copy.stat().st_size - _CHECK

    def _lay_aside(self) -> None:
        """Copy the log, unless there is no room for a copy: then it is all the more time to shorten it."""
        part, check = self._copy.with_name(f"{self._copy.name}-part"), 0
        try:
            with self._path.open("rb") as source, part.open("wb") as target:
                while block := source.read(_BLOCK):
                    check = zlib.crc32(block, check)
                    target.write(block)
                target.write(check.to_bytes(_CHECK))
            part.replace(self._copy)
        except OSError:
            part.unlink(missing_ok=True)


def _begun(path: Path) -> bytes:
    """Return the header of a log, which is another after each time that the log was emptied."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        return file.read(_HEADER)


def _is_whole(copy: Path) -> bool:
    """Tell whether a copy is all there; the machine's death could tear it, but not the log itself."""
    check, left = 0, copy.stat().st_size - _CHECK
    with copy.open("rb") as file:
        while left > 0:
            block = file.read(min(_BLOCK, left))
            check, left = zlib.crc32(block, check), left - len(block)
        return file.read() == check.to_bytes(_CHECK)
