"""The folder of contents, each under the name of its checksum."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from ._schema import CONTENTS, PARTIAL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Contents"]


class Contents:
    """Files that are named by the SHA-256 of what is in them, in folders by the first two digits."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / CONTENTS
        self._partial = self._folder / PARTIAL

    def prepare(self) -> None:
        """Make the folder, and remove what a killed process left on its way."""
        self._partial.mkdir(parents=True, exist_ok=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove what is on its way."""
        with suppress(FileNotFoundError):
            for each in self._partial.iterdir():
                each.unlink(missing_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where the content of a checksum is."""
        return self._folder / sha256[:2] / sha256

    def partial(self) -> Path:
        """Return a new path for a content on its way."""
        return self._partial / uuid4().hex

    def keep(self, partial: Path) -> tuple[str, int]:
        """Give a content its name, once it is safely on the disk; return checksum and size."""
        with partial.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.seek(0, os.SEEK_END)
            os.fsync(file.fileno())
        self._name(partial, sha256)
        return sha256, size

    def keep_bytes(self, content: bytes) -> tuple[str, int]:
        """Keep a content that is in memory, likewise."""
        partial = self.partial()
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sha256 = hashlib.sha256(content).hexdigest()
        self._name(partial, sha256)
        return sha256, len(content)

    def _name(self, partial: Path, sha256: str) -> None:
        path = self.path(sha256)
        path.parent.mkdir(exist_ok=True)
        partial.replace(path)

    def settle(self) -> None:
        """Have the names on the disk too. Until then a power cut may take the newest, and the next run sees it."""
        with suppress(FileNotFoundError):
            for folder in [self._folder, *self._folder.iterdir()]:
                _fsync_folder(folder)

    def lacking(self, known: Iterable[tuple[str, str, int]]) -> list[str]:
        """Return which of these files (id, checksum, size) have no content of their size."""
        return [file_id for file_id, sha256, size in known if _size(self.path(sha256)) != size]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _fsync_folder(folder: Path) -> None:
    if sys.platform == "win32":  # which opens no folders
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
