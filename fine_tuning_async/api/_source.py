"""What is to be uploaded: a path, bytes or an open file, read anew for each attempt, at any place."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from pathlib import Path
from threading import Lock
from typing import IO, TypeAlias, cast

from attrs import evolve, field, frozen

from fine_tuning_async.errors import InvalidArgumentError, SourceNotFoundError

from ._disk import look_at

__all__ = ["Progress", "Source", "UploadSource", "open_source"]

UploadSource: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | AsyncIterable[bytes]
)
Progress: TypeAlias = Callable[[int, int], object]

# Large enough that the hop to a thread costs nothing beside the read, small enough to be held several times.
CHUNK = 2**18
LONGEST_SHOWN = 500  # characters of a path; a text that was given for one is cut there
DEFAULT_NAME = "data.jsonl"


@frozen
class Source:
    """Content of a known size, that can be read several times.

    Attributes:
        spooled: Whether it came from an iterator, whose length nobody knew before.
    """

    size: int
    filename: str
    _reader: Callable[[], IO[bytes]]
    _start: int = 0
    _owned: bool = True
    spooled: bool = False
    # Parts that are read from one file at once take turns; nobody's place in it is relied on.
    _lock: Lock = field(factory=Lock)

    def part(self, start: int, size: int) -> Source:
        """Return so many bytes of it, from a place on."""
        return evolve(self, start=self._start + start, size=size)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Read exactly `size` bytes, off the event loop.

        Raises:
            InvalidArgumentError: The file has become shorter, or can no longer be read.
        """
        file = await self._opened()
        reading: asyncio.Future[bytes] | None = None
        try:
            position, end = self._start, self._start + self.size
            while position < end:
                reading = asyncio.get_running_loop().run_in_executor(
                    None, self._read, file, position, min(CHUNK, end - position)
                )
                chunk = await asyncio.shield(reading)
                if not chunk:
                    raise InvalidArgumentError(
                        f"{self.filename} became shorter while it was sent: it ends after {position} bytes"
                    )
                position += len(chunk)
                yield chunk
        finally:
            if self._owned:
                _close(file, reading)
            elif reading is not None and not reading.done():
                # The thread cannot be cancelled, and the file is the caller's again once this returns.
                reading.add_done_callback(look_at)
                await asyncio.wait([reading])

    async def _opened(self) -> IO[bytes]:
        opening = asyncio.get_running_loop().run_in_executor(None, self._open)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread cannot be cancelled: the file that it opens is closed when it comes.
            opening.add_done_callback(self._abandon)
            raise

    def _abandon(self, opening: asyncio.Future[IO[bytes]]) -> None:
        if opening.exception() is None and self._owned:
            opening.result().close()

    def _open(self) -> IO[bytes]:
        try:
            return self._reader()
        except (OSError, ValueError) as error:
            raise InvalidArgumentError(f"{self.filename} cannot be opened again: {error}") from None

    def _read(self, file: IO[bytes], position: int, size: int) -> bytes:
        try:
            with self._lock:
                file.seek(position)
                chunk = file.read(size)
        except (OSError, ValueError) as error:
            raise InvalidArgumentError(f"{self.filename} cannot be read: {error}") from None
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise InvalidArgumentError(f"{self.filename} reads as {type(chunk).__name__}; open it with mode 'rb'")
        if len(chunk) > size:
            raise InvalidArgumentError(f"{self.filename} gave {len(chunk)} bytes where {size} were asked for")
        return bytes(chunk)


def _close(file: IO[bytes], reading: asyncio.Future[bytes] | None) -> None:
    if reading is None or reading.done():
        file.close()
    else:
        # A thread still reads, and to close the file would block the loop until it has.
        reading.add_done_callback(look_at)
        reading.add_done_callback(lambda _: file.close())


async def open_source(source: UploadSource, filename: str | None) -> Source:
    """Look at what is to be uploaded, without reading it.

    Raises:
        SourceNotFoundError: The path does not exist.
        InvalidArgumentError: It is a directory, a text file, or nothing that can be read twice.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
        return Source(len(content), filename or DEFAULT_NAME, lambda: io.BytesIO(content))
    if isinstance(source, str | os.PathLike):
        return await asyncio.to_thread(_from_path, Path(source), filename)
    if not hasattr(source, "read"):
        raise InvalidArgumentError(
            f"source is a {type(source).__name__}; give a path, bytes, a file opened in binary mode "
            "or an async iterator of bytes"
        )
    return await asyncio.to_thread(_from_file, cast("IO[bytes]", source), filename)


def _from_path(path: Path, filename: str | None) -> Source:
    try:
        regular, size = path.is_file(), path.stat().st_size
    except FileNotFoundError:
        raise SourceNotFoundError(f"there is no file {_excerpt(path)} to upload; {_A_STR_IS_A_PATH}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidArgumentError(f"{_excerpt(path)} cannot be read: {reason}; {_A_STR_IS_A_PATH}") from None
    if not regular:
        raise InvalidArgumentError(f"{_excerpt(path)} is no regular file; give the path of the file to upload")
    return Source(size, filename or path.name, lambda: path.open("rb"))


_A_STR_IS_A_PATH = "a str is taken for a path: to upload its text, give it as bytes"


def _excerpt(path: Path) -> str:
    text = str(path)
    return repr(text) if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]!r}... ({len(text)} characters)"


def _from_file(file: IO[bytes], filename: str | None) -> Source:
    if isinstance(cast("object", file), io.TextIOBase):
        raise InvalidArgumentError("the file is open in text mode; open it with mode 'rb'")
    try:
        start = file.tell()
        size = file.seek(0, io.SEEK_END) - start
        file.seek(start)
        readable = file.readable() if hasattr(file, "readable") else True
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InvalidArgumentError(f"the file is closed or cannot be read twice ({error}); give a path") from None
    if not readable:
        raise InvalidArgumentError("the file is not open for reading; open it with mode 'rb'")
    if size < 0:
        raise InvalidArgumentError(f"the file stands {-size} bytes behind its end; seek to where it is to be read")
    name = filename or Path(str(getattr(file, "name", DEFAULT_NAME))).name
    return Source(size, name, lambda: file, start, owned=False)
