"""The archive of a run, off the event loop: one thread for its database."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from ._book import Book
from ._contents import Contents
from ._database import Writer, explained

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

__all__ = ["Desk", "opened"]

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """Where a run writes.

    Attributes:
        kinds: What is to be fetched, of `job`, `file` and `permissions`.
        contents: The folder of contents.
        book: The database; to be used through `do` alone.
    """

    def __init__(self, directory: Path, kinds: frozenset[str]) -> None:
        self._directory = directory
        self.kinds: frozenset[str] = kinds
        self._thread = ThreadPoolExecutor(1, "archive")
        self._writer: Writer | None = None
        self.contents: Contents = Contents(directory)
        self.book: Book

    async def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the thread of the database.

        Raises:
            ArchiveError: The database or the disk refused.
        """

        def called() -> T:
            with explained(self._directory):
                return function(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._thread, called)

    async def keep(self, content: Path | bytes) -> tuple[str, int]:
        """Keep a content, in a thread of its own: the disk takes several at once. Return checksum and size.

        Raises:
            ArchiveError: The disk refused.
        """

        def kept() -> tuple[str, int]:
            with explained(self._directory):
                if isinstance(content, bytes):
                    return self.contents.keep_bytes(content)
                return self.contents.keep(content)

        return await asyncio.to_thread(kept)

    def open(self) -> None:
        """Take the archive, and make one if there is none."""
        self._writer = Writer(self._directory)
        self.book = Book(self._writer.connection, self.kinds)
        self.contents.prepare()

    def close(self) -> None:
        """Let go of the archive, if it was taken."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError):  # what led here is told, not this
                self.contents.sweep()
                self.contents.settle()
            writer.close()

    async def leave(self) -> None:
        """Let go of the archive once the thread has done what it was asked for, even if nobody waits for it."""
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self.close)
        self._thread.shutdown(wait=False)
        try:
            await asyncio.shield(closing)
        finally:
            await asyncio.wait([closing])  # who is cancelled here may make the next run at once


@asynccontextmanager
async def opened(directory: Path, kinds: frozenset[str]) -> AsyncIterator[Desk]:
    """Give a desk for the time of the context.

    Raises:
        ArchiveError: There can be no archive, or another process writes to it.
    """
    desk = Desk(directory, kinds)
    try:
        await desk.do(desk.open)
        yield desk
    finally:
        await desk.leave()
