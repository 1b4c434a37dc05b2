"""Examples that stand in a data set more than once."""

from __future__ import annotations

import orjson

__all__ = ["MOST_REMEMBERED", "Repeats", "fingerprint"]

MOST_REMEMBERED = 2_000_000
"""Examples; each takes about a hundred bytes of memory."""


def fingerprint(row: object, line: bytes) -> int:
    """Return a hash that is the same for rows that say the same, however they are written.

    Among two million rows, the chance that two different ones share one is one in ten million.
    """
    try:
        return hash(orjson.dumps(row, option=orjson.OPT_SORT_KEYS))
    except orjson.JSONEncodeError:  # nested deeper than can be written
        return hash(line)


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

    def find(self, print_: int) -> int | None:
        """Return the line that says the same, and remember nothing."""
        return self._lines.get(print_)
