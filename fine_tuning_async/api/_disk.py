"""What is common to files that threads read and write for the event loop."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio

__all__ = ["look_at", "write_all"]

T = TypeVar("T")


def write_all(file: IO[bytes], content: bytes) -> None:
    """Write to a file without a buffer, of which the disk may take a part at a time."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def look_at(future: asyncio.Future[T]) -> None:
    """Look at what came of a thread: a failure that nobody sees would be logged by asyncio as forgotten."""
    _ = future.cancelled() or future.exception()
