"""Examples that stand in a data set more than once."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_REMEMBERED", "Repeats", "fingerprint", "fingerprints"]

MOST_REMEMBERED = 2_000_000
"""Examples; each takes about a hundred bytes of memory."""


_sorted = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)


def fingerprint(row: object, line: bytes) -> int:
    """Return a hash that is the same for rows that say the same, however they are written.

    Among two million rows, the chance that two different ones share one is one in ten million.
    """
    try:
        return hash(_sorted(row))
    except orjson.JSONEncodeError:  # nested deeper than can be written
        return hash(line)


def fingerprints(rows: Sequence[object]) -> list[int]:
    """Return the fingerprints of rows that are not nested deeply."""
    return list(map(hash, map(_sorted, rows)))


class Repeats:
    """Remembers where each example was met first."""

    def __init__(self) -> None:
        self._lines: dict[int, int] = {}
        self.count = 0
        self.complete = True

    def first(self, print_: int, line: int) -> int | None:
        """Return the earlier line that says the same; remember this one if there is none."""
        lines = self._lines
        if len(lines) < MOST_REMEMBERED:
            earlier = lines.setdefault(print_, line)
            if earlier == line:
                return None
        elif print_ in lines:
            earlier = lines[print_]
        else:
            self.complete = False
            return None
        self.count += 1
        return earlier

    def all_new(self, prints: Sequence[int], line: int) -> bool:
        """Remember the examples of successive lines, if none of them says the same as another."""
        lines = self._lines
        room = len(lines) + len(prints) <= MOST_REMEMBERED
        if not room or not lines.keys().isdisjoint(prints) or len(set(prints)) != len(prints):
            return False
        lines.update(zip(prints, count(line), strict=False))
        return True

    def find(self, print_: int) -> int | None:
        """Return the line that says the same, and remember nothing."""
        return self._lines.get(print_)
