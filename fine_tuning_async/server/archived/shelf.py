"""The database of an archive, read page by page."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, cast

import orjson

from fine_tuning_async.server.errors import StartError
from fine_tuning_async.server.store.lists import Slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from fine_tuning_async.server.store.lists import Row

APPLICATION, VERSION = 0x46744172, 1
"""What the header of an archive's database says; archives of this version are understood."""

_PATIENCE = 5.0
"""Seconds to wait for a run that writes to the archive."""

Place = tuple[float, int, str]
"""Where a job or a file stands in its list: its time, its place among those of the same time, its id."""

_OWNERS = {"events": "job_id", "checkpoints": "job_id", "permissions": "checkpoint"}


class Shelf:
    """Reads an archive; its files are the folder's, its descriptions the database's.

    Args:
        directory: Where the archive is.

    Raises:
        StartError: There is none, or none that is understood.
    """

    def __init__(self, directory: Path) -> None:
        self._contents = directory / "contents"
        path = directory / "archive.sqlite"
        if not path.is_file():
            raise StartError(f"there is no archive in {str(directory)!r}")
        try:
            self._connection = _opened(path)
        except sqlite3.Error as error:
            raise StartError(f"the archive in {str(directory)!r} cannot be read: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def one(self, table: str, thing_id: str) -> bytes | None:
        """Return a job, a model, or the description of a file."""
        row = self._row(f"SELECT document FROM {table} WHERE id = ?", thing_id)  # noqa: S608 - our own names
        return None if row is None or row[0] is None else cast("str", row[0]).encode()

    def place(self, table: str, thing_id: str) -> Place | None:
        """Return where a job or a file stands."""
        row = self._row(f"SELECT created_at, tie, id FROM {table} WHERE id = ?", thing_id)  # noqa: S608 - as above
        return cast("Place | None", row)

    def jobs(self, pairs: Sequence[tuple[str, str]] | None, after: Place | None, limit: int) -> Slice:
        """Return jobs, newest first, past a place; those that have all pairs, or with no pairs no metadata."""
        rows = self._listed("jobs", after, newest_first=True)
        return _cut(rows if pairs is None else (row for row in rows if _fits(row[1], pairs)), limit)

    def files(self, purpose: str | None, after: Place | None, limit: int, *, newest_first: bool) -> Slice:
        """Return descriptions of files past a place, of one purpose or of all."""
        rows = self._listed("files", after, newest_first=newest_first)
        return _cut((row for row in rows if purpose in {None, orjson.loads(row[1]).get("purpose")}), limit)

    def number(self, table: str, owner: str, thing_id: str) -> int | None:
        """Return the number of what belongs to something."""
        query = f"SELECT number FROM {table} WHERE {_OWNERS[table]} = ? AND id = ?"  # noqa: S608 - as above
        row = self._row(query, owner, thing_id)
        return None if row is None else cast("int", row[0])

    def belonging(
        self,
        table: str,
        owner: str,
        past: int | None,
        limit: int,
        *,
        project_id: str | None = None,
        newest_first: bool = True,
    ) -> Slice:
        """Return what belongs to something, past a number."""
        sign, order = ("<", "DESC") if newest_first else (">", "ASC")
        which = "" if past is None else f" AND number {sign} {past:d}"
        query = f"SELECT id, document FROM {table} WHERE {_OWNERS[table]} = ?{which} ORDER BY number {order}"  # noqa: S608 - as above
        rows = self._rows(query, owner)
        if project_id is not None:
            rows = (row for row in rows if orjson.loads(row[1]).get("project_id") == project_id)
        return _cut(rows, limit)

    def models(self) -> list[bytes]:
        """Return all models."""
        return [view for _, view in self._rows("SELECT id, document FROM models ORDER BY id")]

    def has_permissions(self, checkpoint: str) -> bool:
        """Tell whether the permissions of a checkpoint are in the archive."""
        query = "SELECT 1 FROM permission_lists WHERE checkpoint = ? AND state = 'stored'"
        return self._row(query, checkpoint) is not None

    def knows_checkpoint(self, checkpoint: str) -> bool:
        """Tell whether a checkpoint is in the archive, with permissions or without."""
        return self._row("SELECT 1 FROM permission_lists WHERE checkpoint = ?", checkpoint) is not None

    def content(self, file_id: str) -> tuple[str, Path | None] | None:
        """Return the state of a file, and where its content is; None if it is not known."""
        row = self._row("SELECT state, sha256 FROM files WHERE id = ?", file_id)
        if row is None:
            return None
        state, sha256 = cast("tuple[str, str | None]", row)
        stored = state == "stored" and sha256 is not None
        return state, self._contents / cast("str", sha256)[:2] / cast("str", sha256) if stored else None

    def _listed(self, table: str, after: Place | None, *, newest_first: bool) -> Iterator[Row]:
        """Iterate over jobs or files past a place; those of the same time stand as the server had them."""
        sign, other, order = ("<", ">", "created_at DESC, tie, id")
        if not newest_first:
            sign, other, order = (">", "<", "created_at, tie DESC, id DESC")
        which, values = "", tuple[object, ...]()
        if after is not None:
            which = f" AND created_at {sign}= ? AND (created_at {sign} ? OR (tie, id) {other} (?, ?))"
            values = (after[0], *after)
        query = f"SELECT id, document FROM {table} WHERE document IS NOT NULL{which} ORDER BY {order}"  # noqa: S608 - as above
        return self._rows(query, *values)

    def _rows(self, query: str, *values: object) -> Iterator[Row]:
        for thing_id, document in self._connection.execute(query, values):
            yield thing_id, document.encode()

    def _row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(query, values).fetchone()
        return row


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=_PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        names = ("application_id", "user_version")
        marks = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
        if marks != [APPLICATION, VERSION]:
            raise sqlite3.DatabaseError("it is no archive, or one of another version")  # noqa: TRY301 - closed below
    except BaseException:
        connection.close()
        raise
    return connection


def _cut(rows: Iterable[Row], limit: int) -> Slice:
    found = []
    for row in rows:
        found.append(row)
        if len(found) > limit:
            break
    return Slice.cut(found, limit)


def _fits(view: bytes, pairs: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a job's metadata holds every pair, or with no pairs, whether it has none."""
    metadata = orjson.loads(view).get("metadata") or {}
    return all(metadata.get(key) == value for key, value in pairs) if pairs else not metadata
