"""Where a download goes: a file that bears its final name only when it is whole."""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, TypeVar
from uuid import uuid4

from fine_tuning_async.errors import DestinationError, InvalidArgumentError

from ._disk import look_at, write_all

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Destination"]

T = TypeVar("T")

# Large enough that the hop to a thread costs little beside the writing; two of them are held at most.
BATCH = 2**20


class Destination:
    """A file in the making, under a temporary name in the folder of its final one.

    All that touches the disk is done in threads. A thread cannot be cancelled: each takes the lock, and does
    nothing any more once the file is given up.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
            raise InvalidArgumentError(f"destination is {path!r}; give the path of the file to write")
        self._path = Path(path)
        self._temporary = self._path
        self._file: IO[bytes] | None = None
        self._lock = Lock()
        self._given_up = False
        self._batch: list[bytes] = []
        self._start = 0  # the place of the batch in the file
        self._end = 0  # the place behind it
        self._writing: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Make the temporary file.

        Raises:
            InvalidArgumentError: There can be no file of this name.
        """
        await self._in_thread(self._open)

    async def write(self, offset: int, chunk: bytes) -> None:
        """Take what belongs at this place: behind all that was taken before, or at 0, which begins anew.

        Raises:
            DestinationError: The disk did not take what came before.
        """
        if offset != self._end:
            self._move(offset)
        self._batch.append(chunk)
        self._end += len(chunk)
        if self._end - self._start >= BATCH:
            await self._settle()
            self._send()

    async def finish(self, size: int) -> None:
        """Give the file its final name; it holds this many bytes.

        Raises:
            DestinationError: The disk did not take it.
        """
        if self._end != size:  # begun again, and then there was nothing
            self._move(size)
        await self._settle()
        self._send()
        await self._settle()
        await self._in_thread(self._commit, size)

    async def discard(self) -> None:
        """Remove the temporary file; nothing happens if there is none any more."""
        self._given_up = True
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.add_done_callback(look_at)
        await asyncio.shield(self._in_thread(self._remove))

    def _move(self, offset: int) -> None:
        self._batch.clear()
        self._start = self._end = offset

    def _send(self) -> None:
        """Begin to write the batch; the next one gathers meanwhile."""
        self._writing = self._in_thread(self._write, self._start, self._batch)
        self._batch, self._start = [], self._end

    async def _settle(self) -> None:
        if self._writing is not None:
            await self._writing
            self._writing = None

    def _in_thread(self, function: Callable[..., T], *args: object) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(None, self._locked, function, *args)

    def _locked(self, function: Callable[..., T], *args: object) -> T:
        with self._lock:
            return function(*args)

    # -- in a thread, under the lock -----------------------------------------------------------------------------

    def _open(self) -> None:
        path = None
        try:
            # Through a link to where it leads, so that the link stays one.
            path = self._path.resolve()
            _check(path)
            if not self._given_up:
                self._path, self._temporary = path, path.with_name(f".{uuid4().hex}.part")
                self._file = self._temporary.open("xb", buffering=0)
        except FileNotFoundError:
            folder = str(self._path.parent if path is None else path.parent)
            raise InvalidArgumentError(
                f"there is no directory {folder!r} to download into; make it first"
            ) from None
        except (OSError, ValueError, RuntimeError) as error:
            text = f"destination {str(self._path)!r} cannot be written: {error}"
            raise InvalidArgumentError(text) from None

    def _write(self, offset: int, batch: list[bytes]) -> None:
        if self._given_up or self._file is None:
            return
        try:
            self._file.seek(offset)
            for chunk in batch:
                write_all(self._file, chunk)
        except OSError as error:
            raise self._error(error) from None

    def _commit(self, size: int) -> None:
        if self._given_up or self._file is None:
            return
        try:
            self._file.truncate(size)
            self._file.close()
            self._temporary.replace(self._path)
        except OSError as error:
            raise self._error(error) from None
        self._file = None

    def _remove(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # what led here is told, not this
                file.close()
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)

    def _error(self, error: OSError) -> DestinationError:
        return DestinationError(error.errno, f"{error.strerror}; the download was given up", str(self._path))


def _check(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise InvalidArgumentError(f"destination {str(path)!r} is a directory; name the file in it")
    if not stat.S_ISREG(mode):  # a device would be replaced by a file
        raise InvalidArgumentError(f"destination {str(path)!r} is no regular file")
