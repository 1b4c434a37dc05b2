"""The opening of a database, or the reason why it cannot be used."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fine_tuning_async.server.errors import StartError

from .log import Log
from .migrations import bring_up_to_date
from .schema import APPLICATION, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

Sync = Literal["normal", "full"]
"""What a commit survives: `normal` the death of the process, `full` that of the machine too."""

_LEVELS: dict[str, str] = {
    # With a WAL, nothing is lost but by a power cut, which could cost the last commits.
    "normal": "NORMAL",
    # The log is on the disk before a commit returns.
    "full": "FULL",
}

_PATIENCE = 0.2
"""Seconds to wait for a file that another process holds."""

_FIRST_TABLES = frozenset({"jobs", "events", "checkpoints", "files", "chunks", "settings"})
"""Some of version 1, which like 2 and 3 left no mark in the file."""

_REASONS = {
    sqlite3.SQLITE_BUSY: "another server or program is using it, and it can have one user at a time",
    sqlite3.SQLITE_NOTADB: "it is no database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_READONLY: "it cannot be written",
    sqlite3.SQLITE_CANTOPEN: "it, or the log beside it, cannot be opened or created",
    sqlite3.SQLITE_FULL: "the disk is full",
}
_PRIMARY = 0xFF  # the lowest byte of a result code, https://sqlite.org/rescode.html


def check_sync(sync: str) -> None:
    """Raise ValueError if there is no such degree of durability."""
    if sync not in _LEVELS:
        raise ValueError(f"sync must be normal or full, not {sync!r}")


def opened(path: str | None, sync: Sync) -> sqlite3.Connection:
    """Return a connection to a database with today's tables; those of an older version are brought up to date.

    Args:
        path: A file, made if it is not there; None for memory.
        sync: What a commit survives.

    Raises:
        StartError: The file cannot be used; nothing was changed in it.
    """
    try:
        if path is not None:
            _check_file(Path(path))
            Log(path).restore(path)
        return _connected(path, sync)
    except (sqlite3.Error, OSError, ValueError, _Refused) as error:
        raise StartError(f"cannot use the database {path}: {reason(error)}") from error


def _connected(path: str | None, sync: Sync) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path or ":memory:", isolation_level=None, check_same_thread=False, timeout=_PATIENCE
    )
    try:
        _prepare(connection, sync)
    except BaseException:
        connection.close()
        raise
    return connection


def reason(error: Exception) -> str:
    """Return why a database cannot be used, in a few words."""
    code = getattr(error, "sqlite_errorcode", None)
    return str(error) if code is None else _REASONS.get(code & _PRIMARY, str(error))


class _Refused(Exception):  # noqa: N818 - it is on its way to become a StartError
    """The file is a database, but not one for this server."""


def _check_file(path: Path) -> None:
    """Refuse what SQLite would refuse in words that say nothing, or wait for."""
    if not path.parent.is_dir():
        raise _Refused(f"there is no directory {path.parent}")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise _Refused(f"it is {'a directory' if stat.S_ISDIR(mode) else 'a device or a pipe'}, not a file")


def _prepare(connection: sqlite3.Connection, sync: Sync) -> None:
    # One server per file: a second one is told so at its start, not by a failing request.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    version = _recognise(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {_LEVELS[sync]}")
    # The owner of the connection keeps the log short.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    # Some builds overwrite what is deleted: for a gigabyte that takes seconds, in which nothing else is done.
    connection.execute("PRAGMA secure_delete = OFF")
    for defect in _defects(connection):
        raise _Refused(f"it is damaged: {defect}")
    if version != VERSION:
        bring_up_to_date(connection, version)
    _sweep(connection)


def _recognise(connection: sqlite3.Connection) -> int:
    """Return the version that wrote the file, 0 if it is empty; nothing is written before that is known."""
    mark, version = _value(connection, "PRAGMA application_id"), _value(connection, "PRAGMA user_version")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables and not version:
        return 0
    if mark != APPLICATION and (mark or not tables >= _FIRST_TABLES):
        raise _Refused("it is a database of another program")
    if version > VERSION:
        raise _Refused(
            f"a newer version of fine-tuning-async wrote it, with tables of version {version}, and this one knows"
            f" them up to version {VERSION}: upgrade, or take another file"
        )
    return version


def _defects(connection: sqlite3.Connection) -> Iterator[str]:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        yield " ".join(str(found).removeprefix("*** in database main ***").split())


def _sweep(connection: sqlite3.Connection) -> None:
    # What a killed process left unfinished has no id, and is no part of anything.
    unfinished = "SELECT seq FROM files WHERE id IS NULL AND seq NOT IN (SELECT file_seq FROM parts)"
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"DELETE FROM chunks WHERE file_seq IN ({unfinished})")  # noqa: S608 - our own words
    connection.execute(f"DELETE FROM files WHERE seq IN ({unfinished})")  # noqa: S608 - as above
    connection.execute("COMMIT")


def _value(connection: sqlite3.Connection, query: str) -> int:
    (value,) = connection.execute(query).fetchone()
    return int(value)
