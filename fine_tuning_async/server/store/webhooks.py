"""The rows of webhooks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fine_tuning_async.server.webhooks import DeliveryRecord

if TYPE_CHECKING:
    import sqlite3

    from fine_tuning_async.server.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Letter:
    """A delivery that is about to be attempted.

    Attributes:
        id: The `webhook-id`.
        url: The receiver.
        body: The event.
        secret: What to sign it with.
        attempts: How many attempts there were.
        spent: How many seconds they took, with the gaps between them.
    """

    id: str
    url: str
    body: bytes
    secret: str = field(repr=False)
    attempts: int
    spent: float


class Webhooks:
    """Receivers, and the outbox of what they are still to be told."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, webhook: Webhook) -> None:
        """Add a receiver, or change one; what waits for it is signed with the new secret."""
        self._connection.execute(
            "INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?)",
            (webhook.url, webhook.secret, " ".join(webhook.events)),
        )

    def remove(self, url: str) -> bool:
        """Remove a receiver with what waits for it; tell whether it was there."""
        self._connection.execute("DELETE FROM deliveries WHERE url = ? AND state = 'pending'", (url,))
        return self._connection.execute("DELETE FROM webhooks WHERE url = ?", (url,)).rowcount > 0

    def urls(self) -> list[str]:
        """Return all receivers."""
        return [url for (url,) in self._connection.execute("SELECT url FROM webhooks ORDER BY url")]

    def enqueue(self, job_id: str, kind: str, body: bytes) -> None:
        """Put an event into the outbox, once for each receiver that wants its kind."""
        for url, events in self._connection.execute("SELECT url, events FROM webhooks ORDER BY url").fetchall():
            if kind in events.split():
                # Random: a receiver would take the ids of another server with the same seed for repeats.
                self._connection.execute(
                    "INSERT INTO deliveries (id, url, job_id, type, body, due_at) VALUES (?, ?, ?, ?, ?, 0)",
                    (f"wh_{secrets.token_hex(16)}", url, job_id, kind, body),
                )

    def reopen(self) -> None:
        """Let everything that is not settled be due: the times of another loop mean nothing in this one."""
        self._connection.execute("UPDATE deliveries SET due_at = 0 WHERE state = 'pending'")

    def claim(self, url: str, now: float, most: int) -> list[Letter]:
        """Take what is due for a receiver, oldest first; nothing is taken twice before it is settled."""
        rows = self._connection.execute(
            "SELECT deliveries.id, deliveries.url, body, secret, attempts, spent FROM deliveries"
            " JOIN webhooks ON webhooks.url = deliveries.url"
            " WHERE deliveries.url = ? AND due_at <= ? ORDER BY due_at, seq LIMIT ?",
            (url, now, most),
        )
        letters = [Letter(*row) for row in rows]
        self._connection.executemany(
            "UPDATE deliveries SET due_at = NULL WHERE id = ?", [(letter.id,) for letter in letters]
        )
        return letters

    def pause(self, url: str, now: float) -> float | None:
        """Return after how many seconds the next attempt for a receiver is due, or None."""
        row = self._connection.execute("SELECT MIN(due_at) FROM deliveries WHERE url = ?", (url,)).fetchone()
        return None if row[0] is None else float(row[0]) - now

    def settle(self, letter: Letter, outcome: str, state: str) -> None:
        """Note that a delivery has come to its end."""
        self._connection.execute(
            "UPDATE deliveries SET attempts = ?, outcome = ?, state = ? WHERE id = ?",
            (letter.attempts + 1, outcome, state, letter.id),
        )

    def postpone(self, letter: Letter, outcome: str, *, spent: float, due_at: float) -> None:
        """Note that an attempt failed, and when the next one is due."""
        self._connection.execute(
            "UPDATE deliveries SET attempts = ?, outcome = ?, spent = ?, due_at = ? WHERE id = ?",
            (letter.attempts + 1, outcome, spent, due_at, letter.id),
        )

    def records(self) -> list[DeliveryRecord]:
        """Return all deliveries, oldest first."""
        rows = self._connection.execute(
            "SELECT id, url, type, job_id, state, attempts, outcome FROM deliveries ORDER BY seq"
        )
        return [DeliveryRecord(*row) for row in rows]
