"""The rows of checkpoint permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from .lists import Row


class Permissions:
    """Which projects may use which checkpoints, each at most once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def next_seq(self) -> int:
        """Return the number that the next permission will have."""
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'permissions'").fetchone()
        return 1 if row is None else int(row[0]) + 1

    def find(self, checkpoint: str, project_id: str) -> Row | None:
        """Return a project's permission for a checkpoint."""
        found: Row | None = self._connection.execute(
            "SELECT id, view FROM permissions WHERE checkpoint = ? AND project_id = ?", (checkpoint, project_id)
        ).fetchone()
        return found

    def add(self, checkpoint: str, project_id: str, row: Row) -> None:
        """Insert a permission."""
        self._connection.execute(
            "INSERT INTO permissions (id, checkpoint, project_id, view) VALUES (?, ?, ?, ?)",
            (row[0], checkpoint, project_id, row[1]),
        )

    def remove(self, checkpoint: str, permission_id: str) -> bool:
        """Delete a permission of a checkpoint; tell whether it was there."""
        query = "DELETE FROM permissions WHERE checkpoint = ? AND id = ?"
        return self._connection.execute(query, (checkpoint, permission_id)).rowcount > 0
