"""The pages of the lists: the newest first, found by position rather than by counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

Row = tuple[str, bytes]
"""An id with the JSON of the thing it names."""

_EVERYTHING = 2**63 - 1
"""A position after every row: SQLite's largest integer."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A page's rows with whether more follow."""

    rows: list[Row]
    has_more: bool

    @classmethod
    def cut(cls, rows: list[Row], limit: int) -> Slice:
        """Make a slice of rows that were asked for with one more than `limit`."""
        return cls(rows[:limit], len(rows) > limit)


class Lists:
    """Reads one page at a time; its cost does not grow with what is stored."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def job_position(self, job_id: str) -> int | None:
        """Return the `seq` of a job."""
        return self._position("SELECT seq FROM jobs WHERE id = ?", job_id)

    def jobs(self, before: int | None, limit: int) -> Slice:
        """Return the newest jobs before a position."""
        return self._read("SELECT id, view FROM jobs WHERE seq < ? ORDER BY seq DESC", (before,), limit)

    def jobs_without_metadata(self, before: int | None, limit: int) -> Slice:
        """Return the newest jobs before a position that have no metadata."""
        query = "SELECT id, view FROM jobs WHERE has_metadata = 0 AND seq < ? ORDER BY seq DESC"
        return self._read(query, (before,), limit)

    def jobs_with_metadata(self, pairs: Sequence[tuple[str, str]], before: int | None, limit: int) -> Slice:
        """Return the newest jobs before a position whose metadata holds every pair."""
        query = (
            "SELECT j.id, j.view FROM job_metadata AS m CROSS JOIN jobs AS j ON j.seq = m.job_seq"
            " WHERE m.key = ? AND m.value = ? AND m.job_seq < ?"
        )
        also = " AND EXISTS (SELECT 1 FROM job_metadata WHERE key = ? AND value = ? AND job_seq = m.job_seq)"
        query += also * (len(pairs) - 1) + " ORDER BY m.job_seq DESC"
        rest = [text for pair in pairs[1:] for text in pair]
        return self._read(query, (*pairs[0], before, *rest), limit)

    def event_position(self, job_seq: int, event_id: str) -> int | None:
        """Return the number of an event of a job."""
        return self._position("SELECT number FROM events WHERE id = ? AND job_seq = ?", event_id, job_seq)

    def events(self, job_seq: int, before: int | None, limit: int) -> Slice:
        """Return the newest events of a job before a position."""
        query = "SELECT id, view FROM events WHERE job_seq = ? AND number < ? ORDER BY number DESC"
        return self._read(query, (job_seq, before), limit)

    def checkpoint_position(self, job_seq: int, checkpoint_id: str) -> int | None:
        """Return the number of a checkpoint of a job."""
        query = "SELECT number FROM checkpoints WHERE id = ? AND job_seq = ?"
        return self._position(query, checkpoint_id, job_seq)

    def checkpoints(self, job_seq: int, before: int | None, limit: int) -> Slice:
        """Return the newest checkpoints of a job before a position."""
        query = "SELECT id, view FROM checkpoints WHERE job_seq = ? AND number < ? ORDER BY number DESC"
        return self._read(query, (job_seq, before), limit)

    def file_position(self, file_id: str) -> int | None:
        """Return the `seq` of a file."""
        return self._position("SELECT seq FROM files WHERE id = ?", file_id)

    def files(self, purpose: str | None, after: int | None, limit: int, *, newest_first: bool) -> Slice:
        """Return files past a position, of one purpose or of all."""
        which = "" if purpose is None else "purpose = ? AND "
        values = () if purpose is None else (purpose,)
        query = f"SELECT id, view FROM files WHERE id IS NOT NULL AND {which}"  # noqa: S608 - only our own words are put in
        return self._read_on(query, values, after, limit, newest_first=newest_first)

    def permission_position(self, checkpoint: str, permission_id: str) -> int | None:
        """Return the `seq` of a permission of a checkpoint."""
        query = "SELECT seq FROM permissions WHERE id = ? AND checkpoint = ?"
        return self._position(query, permission_id, checkpoint)

    def permissions(
        self, checkpoint: str, project_id: str | None, after: int | None, limit: int, *, newest_first: bool
    ) -> Slice:
        """Return permissions of a checkpoint past a position, of one project or of all."""
        which = "" if project_id is None else "project_id = ? AND "
        values = (checkpoint,) if project_id is None else (checkpoint, project_id)
        query = f"SELECT id, view FROM permissions WHERE checkpoint = ? AND {which}"  # noqa: S608 - as above
        return self._read_on(query, values, after, limit, newest_first=newest_first)

    def _position(self, query: str, *values: str | int) -> int | None:
        row = self._connection.execute(query, values).fetchone()
        return None if row is None else int(row[0])

    def _read_on(
        self, query: str, values: Sequence[str], after: int | None, limit: int, *, newest_first: bool
    ) -> Slice:
        """Read in either order, from one end or past a position; `query` ends where its condition goes on."""
        beyond, order, start = ("<", "DESC", _EVERYTHING) if newest_first else (">", "ASC", 0)
        query += f"seq {beyond} ? ORDER BY seq {order}"
        return self._read(query, (*values, start if after is None else after), limit)

    def _read(self, query: str, values: Sequence[str | int | None], limit: int) -> Slice:
        bound = [_EVERYTHING if value is None else value for value in values]
        rows = self._connection.execute(query + " LIMIT ?", (*bound, limit + 1)).fetchall()
        return Slice.cut(rows, limit)
