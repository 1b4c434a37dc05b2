"""An archive as lines of JSON, in one order whatever order it was fetched in."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from fine_tuning_async._document import encode
from fine_tuning_async.errors import ArchiveError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["exported", "lines"]

# By kind: the names of what a line says, and where it comes from, sorted.
KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "job": (("id", "document"), "SELECT id, document FROM jobs ORDER BY id"),
    "event": (
        ("id", "job_id", "number", "document"),
        "SELECT id, job_id, number, document FROM events ORDER BY id, job_id",
    ),
    "checkpoint": (
        ("id", "job_id", "number", "document"),
        "SELECT id, job_id, number, document FROM checkpoints ORDER BY id, job_id",
    ),
    "permission": (
        ("id", "checkpoint", "number", "document"),
        "SELECT id, checkpoint, number, document FROM permissions ORDER BY id, checkpoint",
    ),
    "file": (
        ("id", "state", "sha256", "size", "document"),
        "SELECT id, state, sha256, size, document FROM files ORDER BY id",
    ),
    "model": (("id", "document"), "SELECT id, document FROM models ORDER BY id"),
    "gap": (
        ("id", "of", "status", "reason"),
        "SELECT id, kind, status, reason FROM gaps ORDER BY kind, id",
    ),
}


def lines(connection: sqlite3.Connection) -> Iterator[bytes]:
    """Iterate over the lines, with documents as the server wrote them."""
    for kind, (names, query) in KINDS.items():
        for row in connection.execute(query):
            values = [
                _document(value) if name == "document" else encode(value)
                for name, value in zip(names, row, strict=True)
            ]
            pairs = [b'"%b":%b' % (name.encode(), value) for name, value in zip(names, values, strict=True)]
            yield b'{"kind":"%b",%b}\n' % (kind.encode(), b",".join(pairs))


def _document(text: str | None) -> bytes:
    # Between the words of JSON a line break is as good as a space, and within them there is none.
    return b"null" if text is None else text.replace("\r", " ").replace("\n", " ").encode()


def exported(source: Iterable[bytes], destination: Path) -> int:
    """Write lines into a file that gets its name when it is whole; return how many there are."""
    partial = destination.with_name(f".{uuid4().hex}.part")
    count = 0
    try:
        with partial.open("xb") as file:
            for line in source:
                count += file.write(line) > 0
            file.flush()
            os.fsync(file.fileno())
        partial.replace(destination)
    except OSError as error:
        raise ArchiveError(f"the export cannot be written to {str(destination)!r}: {error}") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return count
