"""The lines of a file of any size, in bounded memory."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LONGEST_LINE", "lines_of"]

LONGEST_LINE = 64 * 2**20
"""Bytes; an example with ten large images still fits. Parsed, a line takes many times its size."""

_BLOCK = 2**18


def lines_of(file: BinaryIO) -> Iterator[bytes | None]:
    """Give each line without its newline, and None for one that is longer than LONGEST_LINE.

    A byte order mark before the first line is left out, and so is the empty line behind the last newline.
    """
    block = file.read(_BLOCK).removeprefix(BOM_UTF8)
    started: list[bytes] = []  # the pieces of a line that goes on
    length = 0
    while block:
        first, *others = block.split(b"\n")
        started, length = _longer(started, length, first)
        if others:
            yield _joined(started, length)
            last = others.pop()
            yield from others
            started, length = [last], len(last)
        block = file.read(_BLOCK)
    if length:
        yield _joined(started, length)


def _longer(started: list[bytes], length: int, piece: bytes) -> tuple[list[bytes], int]:
    # Of a line that is too long only the length is kept.
    length += len(piece)
    return ([*started, piece] if length <= LONGEST_LINE else []), length


def _joined(started: list[bytes], length: int) -> bytes | None:
    return b"".join(started) if length <= LONGEST_LINE else None
