"""The rows of fine-tuned models."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


class Models:
    """Models that jobs made."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, model: str, view: bytes) -> None:
        """Insert a model."""
        self._connection.execute("INSERT INTO models (id, view) VALUES (?, ?)", (model, view))

    def view(self, model: str) -> bytes | None:
        """Return the JSON of a model."""
        row = self._connection.execute("SELECT view FROM models WHERE id = ?", (model,)).fetchone()
        return None if row is None else bytes(row[0])

    def views(self) -> list[bytes]:
        """Return the JSON of every model, oldest first."""
        return [view for (view,) in self._connection.execute("SELECT view FROM models ORDER BY seq")]

    def remove(self, model: str) -> bool:
        """Delete a model with the permissions to use it; tell whether it was there."""
        self._connection.execute("DELETE FROM permissions WHERE checkpoint = ?", (model,))
        return self._connection.execute("DELETE FROM models WHERE id = ?", (model,)).rowcount > 0
