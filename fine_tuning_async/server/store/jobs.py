"""The rows of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.server.records import Job

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


_IN_HANDS = ("queued", "running", "pausing")


class Jobs:
    """Jobs with what hangs on them: metadata, events, checkpoints, idempotency keys."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def next_seq(self) -> int:
        """Return the number that the next job will have."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").fetchone()
        return 1 if row is None else int(row[0]) + 1

    def add(self, job: Job, view: bytes) -> None:
        """Insert a job under its `seq`."""
        self._connection.execute(
            "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?)",
            (job.seq, job.id, job.dump(), view, job.due_at, bool(job.metadata)),
        )
        self._connection.executemany(
            "INSERT INTO job_metadata VALUES (?, ?, ?)",
            [(key, value, job.seq) for key, value in (job.metadata or {}).items()],
        )

    def save(self, job: Job, view: bytes) -> None:
        """Write back a job that changed."""
        self._connection.execute(
            "UPDATE jobs SET record = ?, view = ?, due_at = ? WHERE seq = ?",
            (job.dump(), view, job.due_at, job.seq),
        )

    def find(self, job_id: str) -> Job | None:
        """Return the job of this id."""
        return self._one("SELECT record FROM jobs WHERE id = ?", job_id)

    def view(self, job_id: str) -> bytes | None:
        """Return the JSON of the job of this id."""
        row = self._connection.execute("SELECT view FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else bytes(row[0])

    def next_due(self, now: float) -> Job | None:
        """Return the job that has waited longest for something that is due by `now`."""
        return self._one("SELECT record FROM jobs WHERE due_at <= ? ORDER BY due_at LIMIT 1", now)

    def earliest(self) -> float | None:
        """Return when something is due next."""
        row = self._connection.execute("SELECT MIN(due_at) FROM jobs WHERE due_at IS NOT NULL").fetchone()
        return None if row[0] is None else float(row[0])

    def waiting(self) -> Iterator[Job]:
        """Return every job that has something ahead of it."""
        rows = self._connection.execute("SELECT record FROM jobs WHERE due_at IS NOT NULL").fetchall()
        return (Job.load(record) for (record,) in rows)

    def add_event(self, job: Job, event_id: str, view: bytes) -> None:
        """Insert the event that is the job's newest."""
        self._connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (job.seq, job.events, event_id, view))

    def add_checkpoint(self, job: Job, checkpoint_id: str, model: str, view: bytes) -> None:
        """Insert the checkpoint of the job's step."""
        self._connection.execute(
            "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?)",
            (job.seq, job.step, checkpoint_id, model, view),
        )

    def forget_checkpoints(self, job: Job, *, keep: int) -> list[str]:
        """Remove all checkpoints of the job but the newest `keep`; return their names."""
        stale = (
            "FROM checkpoints WHERE job_seq = ? AND number NOT IN"
            " (SELECT number FROM checkpoints WHERE job_seq = ? ORDER BY number DESC LIMIT ?)"
        )
        values = (job.seq, job.seq, keep)
        names = self._connection.execute(f"SELECT model {stale}", values).fetchall()
        self._connection.execute(f"DELETE {stale}", values)
        return [name for (name,) in names]

    def drop_checkpoint(self, job: Job) -> list[str]:
        """Remove the checkpoint of the job's step; return its name, if there was one."""
        rows = self._connection.execute(
            "DELETE FROM checkpoints WHERE job_seq = ? AND number = ? RETURNING model", (job.seq, job.step)
        )
        return [model for (model,) in rows.fetchall()]

    def last_checkpoint(self, job: Job) -> bytes | None:
        """Return the JSON of the job's newest checkpoint."""
        row = self._connection.execute(
            "SELECT view FROM checkpoints WHERE job_seq = ? ORDER BY number DESC LIMIT 1", (job.seq,)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def in_hands(self) -> Iterator[Job]:
        """Return every job that a trainer has, or is to have."""
        for status in _IN_HANDS:
            # The field of the record itself: within a string, quotation marks would be escaped.
            rows = self._connection.execute(
                "SELECT record FROM jobs WHERE due_at IS NULL AND instr(record, ?) > 0",
                (f'"status":"{status}"'.encode(),),
            )
            jobs = [Job.load(record) for (record,) in rows]
            yield from (job for job in jobs if job.status == status)

    def event_views(self, job: Job) -> list[bytes]:
        """Return the JSON of the job's events, oldest first."""
        rows = self._connection.execute("SELECT view FROM events WHERE job_seq = ? ORDER BY number", (job.seq,))
        return [view for (view,) in rows]

    def remembered(self, key: bytes) -> tuple[bytes, str] | None:
        """Return the digest of the body that came with an idempotency key, with the id of its job."""
        row = self._connection.execute("SELECT digest, job_id FROM idempotency WHERE key = ?", (key,))
        found: tuple[bytes, str] | None = row.fetchone()
        return found

    def remember(self, key: bytes, digest: bytes, job_id: str) -> None:
        """Bind an idempotency key to the job that it made."""
        self._connection.execute("INSERT INTO idempotency VALUES (?, ?, ?)", (key, digest, job_id))

    def _one(self, query: str, value: float | str) -> Job | None:
        row = self._connection.execute(query, (value,)).fetchone()
        return None if row is None else Job.load(row[0])
