"""Content of unknown length on its way to the disk, where its size becomes known."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, TYPE_CHECKING, cast

from fine_tuning_async.errors import InvalidArgumentError

from ._disk import write_all
from ._source import DEFAULT_NAME, Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

__all__ = ["spooled"]

# As in Source.chunks; an iterator over lines would else pay a hop to a thread for each.
BATCH = 2**18


@asynccontextmanager
async def spooled(items: AsyncIterable[bytes], filename: str | None, most: int) -> AsyncIterator[Source]:
    """Take all that an iterator gives into a temporary file; it is gone when the block is left.

    What the iterator raises comes out as it is.

    Raises:
        InvalidArgumentError: The iterator gives what is no bytes, nothing, or more than `most` of them; or the
            disk does not take it.
    """
    spool = _Spool()
    try:
        size = await spool.fill(items, most)
        if not size:
            raise InvalidArgumentError("the async iterator gave no bytes; was it used before? It can be only once")
        yield Source(size, filename or DEFAULT_NAME, spool.file, owned=False, spooled=True, lock=spool.lock)
    finally:
        await spool.close()


class _Spool:
    """A temporary file without a name.

    A thread cannot be cancelled: each takes the lock, and does nothing any more once the file was closed.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self._file: IO[bytes] | None = None
        self._closed = False

    def file(self) -> IO[bytes]:
        """Return the file, which what was written before has made."""
        if self._file is None:
            raise ValueError("the upload has ended")
        return self._file

    async def fill(self, items: AsyncIterable[bytes], most: int) -> int:
        """Write everything; return how many bytes it was."""
        size, held = 0, 0
        batch: list[bytes] = []
        iterator = aiter(items)
        try:
            async for item in iterator:
                batch.append(_checked(item, size))
                held += len(batch[-1])
                size += len(batch[-1])
                if size > most:
                    raise InvalidArgumentError(
                        f"the async iterator gave more than {most} bytes, the largest upload"
                    )
                if held >= BATCH:
                    await self._write(batch)
                    batch, held = [], 0
            if held:
                await self._write(batch)
        finally:
            # Else the loop would close what was left in the middle, in a task of its own.
            if (aclose := getattr(iterator, "aclose", None)) is not None:
                await aclose()
        return size

    async def close(self) -> None:
        """Remove the file."""
        self._closed = True
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, self._remove))

    async def _write(self, batch: list[bytes]) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self._append, batch)

    # -- in a thread ---------------------------------------------------------------------------------------------

    def _append(self, batch: list[bytes]) -> None:
        with self.lock:
            if self._closed:
                return
            try:
                if self._file is None:
                    self._file = cast("IO[bytes]", TemporaryFile(buffering=0))  # noqa: SIM115 - close() does it
                write_all(self._file, b"".join(batch))
            except OSError as error:
                text = (
                    f"the async iterator cannot be kept in a temporary file: {error}; TMPDIR says where it is made"
                )
                raise InvalidArgumentError(text) from None

    def _remove(self) -> None:
        with self.lock:
            file, self._file = self._file, None
            if file is not None:
                file.close()


def _checked(item: object, before: int) -> bytes:
    if not isinstance(item, bytes | bytearray | memoryview):
        kind = type(item).__name__
        raise InvalidArgumentError(f"the async iterator gave a {kind} after {before} bytes; it must give bytes")
    return bytes(item)
