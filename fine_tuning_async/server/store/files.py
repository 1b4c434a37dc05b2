"""The rows of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

CHUNK = 256 * 1024
"""Bytes in each row of a file but its last: SQLite refuses one value of a gigabyte."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A whole file, without its content."""

    seq: int
    purpose: str
    filename: str
    size: int
    view: bytes


class Files:
    """Files, their content in chunks, the verdicts on them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def begin(self) -> int:
        """Make room for a file that is invisible until `finish`; return its `seq`."""
        cursor = self._connection.execute("INSERT INTO files (id) VALUES (NULL)")
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def write(self, seq: int, number: int, data: bytes) -> None:
        """Store the chunk of this number."""
        self._connection.execute("INSERT INTO chunks VALUES (?, ?, ?)", (seq, number, data))

    def finish(self, file_id: str, stored: StoredFile, expires_at: int | None) -> None:
        """Make the file visible."""
        self._connection.execute(
            "UPDATE files SET id = ?, purpose = ?, filename = ?, size = ?, expires_at = ?, view = ? WHERE seq = ?",
            (
                file_id,
                stored.purpose,
                stored.filename,
                stored.size,
                expires_at,
                stored.view,
                stored.seq,
            ),
        )

    def find(self, file_id: str) -> StoredFile | None:
        """Return the file of this id."""
        row = self._connection.execute(
            "SELECT seq, purpose, filename, size, view FROM files WHERE id = ?", (file_id,)
        ).fetchone()
        return None if row is None else StoredFile(*row)

    def piece(self, seq: int, position: int) -> bytes | None:
        """Return the content from a position on, to the end of the chunk that holds it; None at the end."""
        part = self._connection.execute(
            "SELECT file_seq, start FROM parts WHERE whole_seq = ? AND start <= ? ORDER BY start DESC LIMIT 1",
            (seq, position),
        ).fetchone()
        holder, start = part or (seq, 0)
        number, skipped = divmod(position - start, CHUNK)
        row = self._connection.execute(
            "SELECT data FROM chunks WHERE file_seq = ? AND number = ?", (holder, number)
        ).fetchone()
        return (row[0][skipped:] or None) if row else None

    def pieces(self, seq: int) -> Iterator[bytes]:
        """Return the content, a piece at a time."""
        position = 0
        while (data := self.piece(seq, position)) is not None:
            yield data
            position += len(data)

    def discard(self, seq: int) -> None:
        """Remove a file, whole or begun, with the parts that it is made of."""
        self._connection.execute(
            "DELETE FROM verdicts WHERE file_id = (SELECT id FROM files WHERE seq = ?)", (seq,)
        )
        parts = self._connection.execute("SELECT file_seq FROM parts WHERE whole_seq = ?", (seq,)).fetchall()
        self._connection.execute("DELETE FROM parts WHERE whole_seq = ?", (seq,))
        for (each,) in [(seq,), *parts]:
            self._connection.execute("DELETE FROM chunks WHERE file_seq = ?", (each,))
            self._connection.execute("DELETE FROM files WHERE seq = ?", (each,))

    def expired(self, now: float) -> list[int]:
        """Return the `seq` of the files whose time is over."""
        rows = self._connection.execute("SELECT seq FROM files WHERE expires_at <= ?", (now,))
        return [seq for (seq,) in rows]

    def verdict(self, file_id: str, kind: str) -> bytes | None:
        """Return what an earlier look at the file found."""
        row = self._connection.execute(
            "SELECT verdict FROM verdicts WHERE file_id = ? AND kind = ?", (file_id, kind)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def save_verdict(self, file_id: str, kind: str, verdict: bytes) -> None:
        """Keep a verdict: ten thousand jobs on one file read it once."""
        self._connection.execute("INSERT INTO verdicts VALUES (?, ?, ?)", (file_id, kind, verdict))
