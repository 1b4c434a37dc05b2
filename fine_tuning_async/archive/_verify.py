"""Whether an archive is still what was written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from ._contents import Contents

__all__ = ["ArchiveDamage", "ArchiveVerification", "verified"]


@frozen
class ArchiveDamage:
    """Something that is not what was written.

    Attributes:
        files: The ids of the files that have this content; none where it is the database.
        path: Of the content; None where it is the database.
        reason: What is wrong.
    """

    files: tuple[str, ...]
    path: Path | None
    reason: str


@frozen
class ArchiveVerification:
    """What a verification has found.

    Attributes:
        contents: How many contents were read.
        size: How many bytes they have.
        damages: What is wrong. A run fetches a content again once its file has been removed.
    """

    contents: int
    size: int
    damages: tuple[ArchiveDamage, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damages


CONTENTS = "SELECT sha256, size, group_concat(id, ' ') FROM files WHERE state = 'stored' GROUP BY sha256, size"


def verified(connection: sqlite3.Connection, contents: Contents) -> ArchiveVerification:
    """Check the database, and read every content."""
    said = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
    damages = [ArchiveDamage((), None, f"the database: {text}") for text in said]
    count = total = 0
    for sha256, size, file_ids in connection.execute(CONTENTS):
        count, total = count + 1, total + size
        path = contents.path(sha256)
        if reason := _wrong(path, sha256):
            damages.append(ArchiveDamage(tuple(file_ids.split(" ")), path, reason))
    return ArchiveVerification(count, total, tuple(damages))


def _wrong(path: Path, sha256: str) -> str | None:
    """Return what is wrong with a content, or None."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if found == sha256 else f"its checksum is {found}"
