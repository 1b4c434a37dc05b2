"""Examples that stand in a data set more than once."""

from __future__ import annotations

from functools import partial
from itertools import accumulate
from operator import ne
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_REMEMBERED", "Repeats", "canonical", "fingerprint", "fingerprints_of_talks"]

MOST_REMEMBERED = 2_000_000
"""Examples; each takes about a hundred bytes of memory."""

canonical = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)
"""Writes a row in the one way in which all are written that say the same."""


def fingerprint(row: object, line: bytes) -> int:
    """Return a hash that is the same for rows that say the same, however they are written.

    Among two million rows, the chance that two different ones share one is one in ten million.
    """
    try:
        return hash(canonical(row))
    except orjson.JSONEncodeError:  # nested deeper than can be written
        return hash(line)


def fingerprints_of_talks(lengths: Sequence[int], roles: Sequence[str], texts: Sequence[str]) -> list[int]:
    """Return fingerprints of rows that are nothing but messages of a role and a text, so many each.

    To write those once more would take as long as all else that is asked of them.
    """
    longest = max(lengths)
    if longest == min(lengths):  # as most often, and in half the time
        return list(map(hash, zip(*[iter(roles)] * longest, *[iter(texts)] * longest, strict=True)))
    ends = list(accumulate(lengths))
    starts = [0, *ends[:-1]]
    return [hash((*roles[start:end], *texts[start:end])) for start, end in zip(starts, ends, strict=True)]


class Repeats:
    """Remembers where each example was met first."""

    def __init__(self) -> None:
        self._lines: dict[int, int] = {}
        self.count = 0
        self.complete = True

    def firsts(self, prints: Sequence[int], lines: list[int]) -> list[int]:
        """Return for each line the first one that says the same, itself among them; remember those."""
        known = len(self._lines) + len(prints) <= MOST_REMEMBERED
        firsts = list(map(self._lines.setdefault if known else self._first, prints, lines))
        if firsts == lines:
            return lines
        self.count += sum(map(ne, firsts, lines))
        return firsts

    def _first(self, print_: int, line: int) -> int:
        if len(self._lines) < MOST_REMEMBERED:
            return self._lines.setdefault(print_, line)
        self.complete = self.complete and print_ in self._lines
        return self._lines.get(print_, line)

    def find(self, print_: int) -> int | None:
        """Return the line that says the same, and remember nothing."""
        return self._lines.get(print_)
