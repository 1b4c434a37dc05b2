"""The database file of an archive: found, made, told from others, held by one writer."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from fine_tuning_async.errors import ArchiveError

from ._schema import APPLICATION, DATABASE, LOCK, OWN_NAMES, SCHEMA, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Writer", "explained", "open_for_reading", "transaction"]

PATIENCE = 5.0
"""Seconds to wait for a reader that holds the file for a moment."""


class Writer:
    """The one connection that writes to an archive, with the lock that keeps others from it.

    Args:
        directory: Made if there is none.

    Raises:
        ArchiveError: There can be no archive, there is another writer, or what is there is none of this version.
    """

    def __init__(self, directory: Path) -> None:
        _prepare(directory)
        self._lock = _locked(directory)
        try:
            path = directory / DATABASE
            self.connection: sqlite3.Connection = _connected(str(path), PATIENCE)
            try:
                _settle(self.connection, directory)
            except BaseException:
                self.connection.close()
                raise
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Leave a single file behind, and let others write."""
        # Others may be reading, and then it stays in two files for now.
        with suppress(sqlite3.Error):
            self.connection.execute("PRAGMA journal_mode = DELETE")
        self.connection.close()
        self._lock.close()


def _connected(where: str, patience: float, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(where, timeout=patience, isolation_level=None, check_same_thread=False, uri=uri)


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Say of which archive it is that SQLite or the disk complains."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(f"the archive in {str(directory)!r} failed: {error}; what is in it stays") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep everything done in the block, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise


def open_for_reading(directory: Path) -> sqlite3.Connection:
    """Return a connection that cannot write.

    Raises:
        ArchiveError: There is no archive, or none that this version can read.
    """
    path = directory / DATABASE
    if not path.is_file():
        raise ArchiveError(f"there is no archive in {str(directory)!r}: it has no {DATABASE}")
    with explained(directory):
        connection = _connected(f"{path.absolute().as_uri()}?mode=ro", PATIENCE, uri=True)
    try:
        with explained(directory):
            _refuse_empty(connection, directory)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_empty(connection: sqlite3.Connection, directory: Path) -> None:
    if not _is_ours(connection, directory):
        raise ArchiveError(f"the archive in {str(directory)!r} is empty: it was broken off before it began")


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        names = {each.name for each in directory.iterdir()}
    except FileExistsError:
        raise ArchiveError(f"{str(directory)!r} is a file; name a directory for the archive") from None
    except OSError as error:
        raise ArchiveError(f"no archive can be made in {str(directory)!r}: {error}") from error
    foreign = sorted(names - OWN_NAMES)
    if foreign and DATABASE not in names:
        raise ArchiveError(
            f"{str(directory)!r} is no archive, and holds other things ({foreign[0]!r}); name a new directory"
        )


def _locked(directory: Path) -> sqlite3.Connection:
    """Return what holds the lock: SQLite's own, on an empty file, which the system lets go when a process dies."""
    with explained(directory):
        connection = _connected(str(directory / LOCK), 0)
    try:
        # Nothing is written to it, and no file is to be beside it.
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        connection.close()
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            text = f"another process is writing to the archive in {str(directory)!r}; let it end first"
            raise ArchiveError(text) from None
        raise ArchiveError(f"no archive can be written in {str(directory)!r}: {error}") from error
    return connection


def _settle(connection: sqlite3.Connection, directory: Path) -> None:
    with explained(directory):
        known = _is_ours(connection, directory)
        connection.execute("PRAGMA journal_mode = WAL")
        # With a WAL, NORMAL survives the death of the process; a power cut may cost the last jobs, and no more.
        connection.execute("PRAGMA synchronous = NORMAL")
        if not known:
            marks = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"
            connection.executescript(f"BEGIN; {SCHEMA} {marks} COMMIT;")


def _is_ours(connection: sqlite3.Connection, directory: Path) -> bool:
    """Tell whether a database is an archive, or empty; refuse all others."""
    try:
        marks = [connection.execute(f"PRAGMA {each}").fetchone()[0] for each in ("application_id", "user_version")]
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_NOTADB:
            raise
        raise ArchiveError(f"{DATABASE} in {str(directory)!r} is no database; name another directory") from None
    if marks == [0, 0] and not tables:
        return False
    application, version = marks
    if application != APPLICATION:
        raise ArchiveError(f"{DATABASE} in {str(directory)!r} is no archive; name another directory")
    if version != VERSION:
        raise ArchiveError(
            f"the archive in {str(directory)!r} was made by a newer version of fine-tuning-async "
            f"(schema {version}, here {VERSION}): install that version"
        )
    return True
