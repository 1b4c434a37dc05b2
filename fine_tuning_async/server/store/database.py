"""The connection to the database file."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .files import CHUNK, Files
from .glances import Glances
from .jobs import Jobs
from .lists import Lists
from .models import Models
from .permissions import Permissions
from .schema import SCHEMA, TABLES, VERSION
from .uploads import Uploads
from .webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHUNK", "Store"]


_PATIENCE = 0.2
"""Seconds to wait for a file that another process holds."""


class Store:
    """One database with a table object for each noun.

    It may be used from any thread, by one at a time: whoever owns it holds a lock.

    Args:
        path: A file, which outlives the process; None keeps everything in memory.

    Raises:
        sqlite3.Error: The file cannot be opened, or is no database of this server.
    """

    def __init__(self, path: str | None) -> None:
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=_PATIENCE
        )
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise
        self.jobs: Jobs = Jobs(self._connection)
        self.lists: Lists = Lists(self._connection)
        self.glances: Glances = Glances(self._connection)
        self.files: Files = Files(self._connection)
        self.uploads: Uploads = Uploads(self._connection, self.files)
        self.models: Models = Models(self._connection)
        self.permissions: Permissions = Permissions(self._connection)
        self.webhooks: Webhooks = Webhooks(self._connection)

    @property
    def changes(self) -> int:
        """How many rows were written since the store was opened."""
        return self._connection.total_changes

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything done in the block, or nothing of it."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def clear(self) -> None:
        """Forget everything; the numbering begins anew, so that the same ids come again."""
        with self.transaction():
            for table in (*TABLES, "sqlite_sequence"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 -- the names are our own

    def time(self) -> float | None:
        """Return the simulated time last saved."""
        row = self._connection.execute("SELECT value FROM settings WHERE name = 'time'").fetchone()
        return None if row is None else float(row[0])

    def save_time(self, now: float) -> None:
        """Remember the simulated time, so that a server opened again goes on from it."""
        self._connection.execute("INSERT OR REPLACE INTO settings VALUES ('time', ?)", (now,))

    def _prepare(self) -> None:
        # One server per file: a second one is told so at its start, not by a failing request.
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode = WAL")
        # With a WAL, NORMAL survives the death of the process; only a power cut could cost the last commits.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        # Some builds overwrite what is deleted: for a gigabyte that takes seconds, in which nothing else is done.
        self._connection.execute("PRAGMA secure_delete = OFF")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version == 0 and tables == 0:
            self._connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"not a database of this server, or of another version ({version})")
        self._sweep()

    def _sweep(self) -> None:
        # What a killed process left unfinished has no id, and is no part of anything.
        unfinished = "SELECT seq FROM files WHERE id IS NULL AND seq NOT IN (SELECT file_seq FROM parts)"
        with self.transaction():
            self._connection.execute(f"DELETE FROM chunks WHERE file_seq IN ({unfinished})")  # noqa: S608 -- our own words
            self._connection.execute(f"DELETE FROM files WHERE seq IN ({unfinished})")  # noqa: S608 -- as above
