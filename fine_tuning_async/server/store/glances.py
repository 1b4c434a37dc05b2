"""What is read at a glance: the newest of everything, in bounded time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.server.records import Job

if TYPE_CHECKING:
    import sqlite3

_MOST_EVENTS = 1000


class Glances:
    """Reads whole records, where `Lists` reads what clients see."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def newest_jobs(self, limit: int) -> list[Job]:
        """Return the newest jobs, the newest first."""
        rows = self._connection.execute("SELECT record FROM jobs ORDER BY seq DESC LIMIT ?", (limit,))
        return [Job.load(record) for (record,) in rows]

    def count_jobs(self) -> int:
        """Return how many jobs there are."""
        (count,) = self._connection.execute("SELECT count(*) FROM jobs").fetchone()
        return int(count)

    def thinned_events(self, job: Job) -> list[bytes]:
        """Return the JSON of the job's events, oldest first; of very many, evenly spread ones and the newest."""
        stride = -(-job.events // _MOST_EVENTS)
        rows = self._connection.execute(
            "SELECT view FROM events WHERE job_seq = ? AND (number % ? = 0 OR number > ?) ORDER BY number",
            (job.seq, max(1, stride), job.events - stride),
        )
        return [view for (view,) in rows]

    def newest_deliveries(self, limit: int) -> list[tuple[str, str, str, str, int, str | None]]:
        """Return URL, type, job, state, attempts, outcome of the newest deliveries, the newest first."""
        query = "SELECT url, type, job_id, state, attempts, outcome FROM deliveries ORDER BY seq DESC LIMIT ?"
        return self._connection.execute(query, (limit,)).fetchall()
