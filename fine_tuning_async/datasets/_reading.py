"""The lines of a file of any size, in bounded memory."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LONGEST_LINE", "lines_of"]

LONGEST_LINE = 64 * 2**20
"""Bytes; an example with ten large images still fits. Parsed, a line takes many times its size."""

_BLOCK = 2**15
"""Bytes; so many rows at once that a call costs little, and so few that the garbage collector stays idle."""


def lines_of(file: BinaryIO) -> Iterator[list[bytes | None]]:
    """Give the lines without their newlines, many at a time; None for one that is longer than LONGEST_LINE.

    A byte order mark before the first line is left out, and so is the empty line behind the last newline.
    """
    block = file.read(_BLOCK).removeprefix(BOM_UTF8)
    started: list[bytes] = []  # the pieces of a line that goes on
    length = 0
    while block:
        lines: list[bytes | None] = [*block.split(b"\n")]
        first, last = lines[0] or b"", lines.pop() or b""
        if lines:
            lines[0] = _joined(*_longer(started, length, first))
            yield lines
            started, length = [], 0
        started, length = _longer(started, length, last)
        block = file.read(_BLOCK)
    if length:
        yield [_joined(started, length)]


def _longer(started: list[bytes], length: int, piece: bytes) -> tuple[list[bytes], int]:
    # Of a line that is too long only the length is kept.
    length += len(piece)
    return ([*started, piece] if length <= LONGEST_LINE else []), length


def _joined(started: list[bytes], length: int) -> bytes | None:
    return b"".join(started) if length <= LONGEST_LINE else None
