"""The rows of uploads, with their parts."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from .files import Files

_COLUMNS = "seq, id, status, purpose, filename, size, life, created_at, expires_at"


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """A file that arrives in parts: its `life` is that of the file, in seconds."""

    seq: int
    id: str
    status: str
    purpose: str
    filename: str
    size: int
    life: int | None
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that has arrived whole; its content is that of the file `file_seq`."""

    file_seq: int
    size: int


class Uploads:
    """Uploads, their parts.

    The content of a part is never moved: a file that is made of parts knows where in it each begins.
    """

    def __init__(self, connection: sqlite3.Connection, files: Files) -> None:
        self._connection = connection
        self._files = files

    def next_seq(self) -> int:
        """Return the number that the next upload will have."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'uploads'").fetchone()
        return 1 if row is None else int(row[0]) + 1

    def add(self, upload: StoredUpload) -> None:
        """Insert an upload."""
        marks = ", ".join("?" * len(astuple(upload)))
        self._connection.execute(f"INSERT INTO uploads ({_COLUMNS}) VALUES ({marks})", astuple(upload))  # noqa: S608 - our own words

    def find(self, upload_id: str) -> StoredUpload | None:
        """Return the upload of this id."""
        query = f"SELECT {_COLUMNS} FROM uploads WHERE id = ?"  # noqa: S608 - as above
        row = self._connection.execute(query, (upload_id,)).fetchone()
        return None if row is None else StoredUpload(*row)

    def add_part(self, upload_seq: int, part_id: str, part: StoredPart) -> None:
        """Make what has arrived a part of an upload."""
        self._connection.execute(
            "INSERT INTO parts (file_seq, id, upload_seq, size) VALUES (?, ?, ?, ?)",
            (part.file_seq, part_id, upload_seq, part.size),
        )

    def part(self, upload_seq: int, part_id: str) -> StoredPart | None:
        """Return the part of this id, if it belongs to the upload."""
        row = self._connection.execute(
            "SELECT file_seq, size FROM parts WHERE id = ? AND upload_seq = ?", (part_id, upload_seq)
        ).fetchone()
        return None if row is None else StoredPart(*row)

    def arrived(self, upload_seq: int) -> int:
        """Return how many bytes the parts of an upload hold."""
        query = "SELECT total(size) FROM parts WHERE upload_seq = ?"
        return int(self._connection.execute(query, (upload_seq,)).fetchone()[0])

    def join(self, upload_seq: int, file_seq: int, parts: Iterable[StoredPart]) -> None:
        """Make parts, in this order, the content of a file; the upload is completed, and loses all others."""
        start = 0
        for part in parts:
            self._connection.execute(
                "UPDATE parts SET whole_seq = ?, start = ? WHERE file_seq = ?", (file_seq, start, part.file_seq)
            )
            start += part.size
        self.end(upload_seq, "completed")

    def end(self, upload_seq: int, status: str) -> None:
        """Give an upload its last status; parts that are no piece of a file are removed."""
        self._connection.execute("UPDATE uploads SET status = ? WHERE seq = ?", (status, upload_seq))
        query = "SELECT file_seq FROM parts WHERE upload_seq = ? AND whole_seq IS NULL"
        for (file_seq,) in self._connection.execute(query, (upload_seq,)).fetchall():
            self._connection.execute("DELETE FROM parts WHERE file_seq = ?", (file_seq,))
            self._files.discard(file_seq)

    def lapsed(self, now: float) -> list[int]:
        """Return the `seq` of the uploads whose hour is over."""
        query = "SELECT seq FROM uploads WHERE status = 'pending' AND expires_at <= ?"
        return [seq for (seq,) in self._connection.execute(query, (now,))]
