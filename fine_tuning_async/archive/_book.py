"""What a run writes down: each method is one transaction, and an archive is whole after any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from fine_tuning_async.models import TERMINAL_STATUSES

from ._database import transaction
from ._entry import checkpoint_of, moment, text_of
from ._schema import OWNERS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from ._entry import Entry, JobNote

__all__ = ["Book", "Gap", "Item"]

# What is to be fetched, in order; and what the server's list says of files. They are of one run, and lie in a
# temporary file of SQLite's own, so that memory does not grow with the account.
QUEUE = """
CREATE TEMP TABLE queue (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (kind, id));
CREATE TEMP TABLE listed (place INTEGER PRIMARY KEY, id TEXT UNIQUE, document TEXT NOT NULL);
"""

# What is known of a file whose content could not be had.
DESCRIBE = """
UPDATE files SET document = l.document, created_at = coalesce(json_extract(l.document, '$.created_at'), 0),
tie = l.place FROM listed AS l WHERE files.id = ? AND l.id = files.id
"""

QUIET = 300.0
"""Seconds without an event after which a job that has ended is taken to be silent, on clocks that differ."""

ROWS = 200
"""So many at once: each statement lets go of the interpreter's lock once, and the event loop waits for it less."""


@frozen
class Item:
    """One thing to fetch: what belongs to a `job`, a `file`, the `permissions` of a checkpoint."""

    kind: str
    id: str


@frozen
class Gap:
    """A thing that could not be had, and why: the status of an answer, if there was one, and what it said."""

    item: Item
    status: int | None
    reason: str
    gone: bool


class Book:
    """The writing side of an archive's database; used by one thread.

    Args:
        connection: To an archive.
        kinds: What is to be fetched in this run, of `job`, `file` and `permissions`.
    """

    def __init__(self, connection: sqlite3.Connection, kinds: frozenset[str]) -> None:
        self._connection = connection
        self._kinds = kinds
        self._taken = 0
        self._run = 0
        self._last = (0.0, -1)  # time of the last job in the list, and its place among those of the same time

    def begin(self, base_url: str, now: float) -> dict[str, int]:
        """Begin a run with what earlier ones have left; return how much of each kind that is."""
        self._connection.executescript(QUEUE)
        with transaction(self._connection):
            begun = "INSERT INTO runs (base_url, started_at) VALUES (?, ?)"
            self._run = self._connection.execute(begun, (base_url, now)).lastrowid or 0
            self._connection.execute("DELETE FROM gaps WHERE kind = 'models' OR id = ''")
            return {
                "file": self._queue_all("file", "SELECT id FROM files WHERE state = 'wanted' ORDER BY rowid"),
                "permissions": self._queue_all(
                    "permissions", "SELECT checkpoint FROM permission_lists WHERE state = 'wanted' ORDER BY rowid"
                ),
            }

    def end(self, now: float) -> None:
        """Note that a run has come to its end."""
        with transaction(self._connection):
            self._connection.execute("UPDATE runs SET ended_at = ? WHERE number = ?", (now, self._run))

    def left(self) -> dict[str, int]:
        """Count the jobs that are not finished, and the gaps."""
        queries = {"jobs": "SELECT count(*) FROM jobs WHERE NOT settled", "gaps": "SELECT count(*) FROM gaps"}
        return {name: self._connection.execute(query).fetchone()[0] for name, query in queries.items()}

    def stored(self) -> Iterator[tuple[str, str, int]]:
        """Iterate over id, checksum and size of each file whose content is there."""
        yield from self._connection.execute("SELECT id, sha256, size FROM files WHERE state = 'stored'")

    def want(self, file_ids: Sequence[str]) -> None:
        """Note that the contents of some files are to be fetched again."""
        with transaction(self._connection):
            again = "UPDATE files SET state = 'wanted' WHERE id = ?"
            self._connection.executemany(again, [(each,) for each in file_ids])

    def note_jobs(self, notes: Sequence[JobNote]) -> dict[str, int]:
        """Write down a page of the list; return how much of each kind is to be fetched for it."""
        added = dict.fromkeys(("job", "file"), 0)
        with transaction(self._connection):
            for note in notes:
                self._last = (note.created_at, self._last[1] + 1 if self._last[0] == note.created_at else 0)
                tie, text, settled = self._known(note.id)
                settled = settled and note.is_terminal
                if not settled:
                    added["job"] += self._queue("job", note.id)
                if (tie, text) != (self._last[1], note.text):
                    self._write_job(note, self._last[1], settled=settled)
                    added["file"] += self._want_files(note.files)
        return added

    def note_listed(self, files: Iterable[Entry]) -> None:
        """Remember what the list of files says, for as long as the run goes on."""
        rows = [(each.id, text_of(each)) for each in files]
        with transaction(self._connection):
            self._connection.executemany("INSERT OR IGNORE INTO listed (id, document) VALUES (?, ?)", rows)

    def listed(self, file_id: str) -> str | None:
        """Return what the list of files says of one."""
        row = self._connection.execute("SELECT document FROM listed WHERE id = ?", (file_id,)).fetchone()
        return None if row is None else str(row[0])

    def note_models(self, models: Iterable[Entry]) -> None:
        """Write down the models; one that is no longer listed stays."""
        rows = [(each.id, text_of(each)) for each in models]
        with transaction(self._connection):
            self._connection.executemany("INSERT OR REPLACE INTO models VALUES (?, ?)", rows)

    def take(self, limit: int) -> list[Item]:
        """Return what is to be fetched next."""
        query = "SELECT seq, kind, id FROM queue WHERE seq > ? ORDER BY seq LIMIT ?"
        rows = self._connection.execute(query, (self._taken, limit)).fetchall()
        self._taken = rows[-1][0] if rows else self._taken
        return [Item(kind, thing_id) for _, kind, thing_id in rows]

    def keep_job(self, job_id: str, events: Sequence[Entry], checkpoints: Sequence[Entry], now: float) -> int:
        """Write down what belongs to a job; return how many lists of permissions are to be fetched for it."""
        newest = max((moment(text_of(each)) for each in events[:1]), default=0)
        with transaction(self._connection):
            self._write_list("events", job_id, events)
            self._write_list("checkpoints", job_id, checkpoints)
            query = "SELECT status FROM jobs WHERE id = ?"
            (status,) = self._connection.execute(query, (job_id,)).fetchone()
            # The last events can come after the status, by seconds.
            settled = status in TERMINAL_STATUSES and abs(now - newest) > QUIET
            self._connection.execute("UPDATE jobs SET settled = ? WHERE id = ?", (settled, job_id))
            self._close_gap("job", job_id)
            names = [checkpoint_of(text_of(each)) for each in reversed(checkpoints)]
            return sum(self._want_permissions(name) for name in names if name)

    def keep_file(self, file_id: str, document: str, sha256: str, size: int) -> None:
        """Write down a file, whose content is there."""
        row = (moment(document), file_id, sha256, size, document, file_id)
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE files SET state = 'stored', created_at = ?,"
                " tie = coalesce((SELECT place FROM listed WHERE id = ?), 0), sha256 = ?, size = ?, document = ?"
                " WHERE id = ?",
                row,
            )
            self._close_gap("file", file_id)

    def keep_permissions(self, checkpoint: str, permissions: Sequence[Entry]) -> None:
        """Write down who may use a checkpoint."""
        with transaction(self._connection):
            self._write_list("permissions", checkpoint, permissions)
            self._mark("permissions", checkpoint, "stored")
            self._close_gap("permissions", checkpoint)

    def note_gap(self, gap: Gap) -> None:
        """Write down that something could not be had; what is gone is not asked for another time."""
        item = gap.item
        with transaction(self._connection):
            row = (item.kind, item.id, gap.status, gap.reason)
            self._connection.execute("INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?)", row)
            if gap.gone:
                self._mark(item.kind, item.id, "gone")
            if item.kind == "file":
                self._connection.execute(DESCRIBE, (item.id,))

    # -- within a transaction ------------------------------------------------------------------------------------

    def _known(self, job_id: str) -> tuple[int, str | None, bool]:
        query = "SELECT tie, document, settled FROM jobs WHERE id = ?"
        row = self._connection.execute(query, (job_id,)).fetchone()
        return (0, None, False) if row is None else (row[0], row[1], bool(row[2]))

    def _write_job(self, note: JobNote, tie: int, *, settled: bool) -> None:
        row = (note.id, note.created_at, tie, note.status, settled, note.text)
        self._connection.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?)", row)

    def _write_list(self, table: str, owner: str, newest_first: Sequence[Entry]) -> None:
        """Write down what belongs to something; what the server does not list any more stays, as the oldest."""
        column = OWNERS[table]
        listed = {each.id: text_of(each) for each in reversed(newest_first)}
        query = f"SELECT id, document FROM {table} WHERE {column} = ? ORDER BY number"  # noqa: S608 - our own names
        before = dict(self._connection.execute(query, (owner,)).fetchall())
        everything = {**{key: text for key, text in before.items() if key not in listed}, **listed}
        if [*everything.items()] == [*before.items()]:
            return
        self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (owner,))  # noqa: S608 - as above
        rows = [(owner, number, *each) for number, each in enumerate(everything.items())]
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            marks = ",".join(["(?, ?, ?, ?)"] * len(some))
            self._connection.execute(f"INSERT INTO {table} VALUES {marks}", [each for row in some for each in row])  # noqa: S608 - as above

    def _want_files(self, file_ids: Sequence[str]) -> int:
        new = "INSERT OR IGNORE INTO files (id) VALUES (?)"
        return sum(
            self._connection.execute(new, (each,)).rowcount and self._queue("file", each) for each in file_ids
        )

    def _want_permissions(self, checkpoint: str) -> int:
        new = "INSERT OR IGNORE INTO permission_lists (checkpoint) VALUES (?)"
        return self._connection.execute(new, (checkpoint,)).rowcount and self._queue("permissions", checkpoint)

    def _queue(self, kind: str, thing_id: str) -> int:
        if kind not in self._kinds:
            return 0
        queued = "INSERT OR IGNORE INTO queue (kind, id) VALUES (?, ?)"
        return self._connection.execute(queued, (kind, thing_id)).rowcount

    def _queue_all(self, kind: str, query: str) -> int:
        return sum(self._queue(kind, thing_id) for (thing_id,) in self._connection.execute(query).fetchall())

    def _mark(self, kind: str, thing_id: str, state: str) -> None:
        statement = {
            "job": "UPDATE jobs SET settled = 1 WHERE ? = 'gone' AND id = ?",
            "file": "UPDATE files SET state = ? WHERE id = ?",
            "permissions": "UPDATE permission_lists SET state = ? WHERE checkpoint = ?",
        }[kind]
        self._connection.execute(statement, (state, thing_id))

    def _close_gap(self, kind: str, thing_id: str) -> None:
        self._connection.execute("DELETE FROM gaps WHERE kind = ? AND id = ?", (kind, thing_id))
