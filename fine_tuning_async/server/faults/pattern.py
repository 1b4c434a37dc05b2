"""The paths that a rule is about."""

from __future__ import annotations

import re

LONGEST = 500
"""Characters; with a path as long as a request line may be, that is some time, and not more."""


class Pattern:
    """A path in which `*` is a part between slashes, and `**` anything.

    Matched place by place, as a regular expression of many stars would go through all their combinations.

    Args:
        text: The pattern.
    """

    def __init__(self, text: str) -> None:
        self._parts = [part for part in re.split(r"(\*\*|\*)", text) if part]

    def covers(self, path: str) -> bool:
        """Tell whether a path is one of them."""
        places = {0}
        for part in self._parts:
            places = _beyond(part, path, places)
            if not places:
                return False
        return len(path) in places


def _beyond(part: str, path: str, places: set[int]) -> set[int]:
    """Return where one may be in the path after a part of the pattern, from any of these places."""
    if part == "**":
        return set(range(min(places), len(path) + 1))
    if part != "*":
        return {place + len(part) for place in places if path.startswith(part, place)}
    reached: set[int] = set()
    for place in sorted(places):
        if place not in reached:
            end = path.find("/", place)
            reached.update(range(place, (len(path) if end < 0 else end) + 1))
    return reached
