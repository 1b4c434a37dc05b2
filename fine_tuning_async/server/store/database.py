"""The connection to the database file."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from .files import CHUNK, Files
from .glances import Glances
from .jobs import Jobs
from .lists import Lists
from .log import Log
from .models import Models
from .opening import Sync, opened
from .permissions import Permissions
from .schema import TABLES
from .uploads import Uploads
from .webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHUNK", "Store"]


class Store:
    """One database with a table object for each noun.

    It may be used from any thread, by one at a time: whoever owns it holds a lock.

    Args:
        path: A file, which outlives the process; None keeps everything in memory.
        sync: What a commit survives.

    Raises:
        StartError: The file cannot be used.
    """

    def __init__(self, path: str | None, sync: Sync = "normal") -> None:
        self._connection = opened(path, sync)
        self._log = None if path is None else Log(path)
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
        if self._log is not None:
            self._log.shorten(self._connection, beyond=0)
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything done in the block, or nothing of it."""
        self._connection.execute("BEGIN")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # After some errors, as of a full disk, SQLite has rolled back by itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        if self._log is not None:
            self._log.shorten(self._connection)

    def clear(self) -> None:
        """Forget everything; the numbering begins anew, so that the same ids come again."""
        with self.transaction():
            for table in (*TABLES, "sqlite_sequence"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are our own

    def time(self) -> float | None:
        """Return the simulated time last saved."""
        row = self._connection.execute("SELECT value FROM settings WHERE name = 'time'").fetchone()
        return None if row is None else float(row[0])

    def save_time(self, now: float) -> None:
        """Remember the simulated time, so that a server opened again goes on from it."""
        self._connection.execute("INSERT OR REPLACE INTO settings VALUES ('time', ?)", (now,))
