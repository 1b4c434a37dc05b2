"""Decides, page by page, whether the list or single retrieves are the cheaper way to look at many jobs; pure."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Round"]


@define(eq=False)
class Round:
    """One look at many jobs: through the list as far as it pays, by retrieves for the rest.

    A page that shows two jobs that are looked for has saved a retrieve. Where a job was found last time says where
    to expect it; new jobs may push it back by a page. Jobs that do not come where they are expected are given up
    after as many pages as retrieves of them would cost.

    Attributes:
        depths: The jobs that are looked for, each with the page on which it was last, or at the least is.
        complete: Whether to read all of the list.
        known: Ids of jobs at the front of the list last time: what is new stands before them. None if nothing
            new is looked for.
        pages: How many pages were read.
        front: Ids of the jobs on the first page.
        missing: Those of the jobs that no page has shown so far.
    """

    depths: Mapping[str, int]
    complete: bool = False
    known: frozenset[str] | None = None
    pages: int = field(init=False, default=0)
    front: frozenset[str] = field(init=False, default=frozenset())
    missing: set[str] = field(init=False)
    _expected: Counter[int] = field(init=False)
    _idle: int = field(init=False, default=0)
    _met: bool = field(init=False)
    _ended: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.missing = set(self.depths)
        self._expected = Counter(self.depths.values())
        self._met = self.known is None

    def wants_page(self) -> bool:
        """Tell whether to read another page of the list."""
        if self._ended:
            return False
        return self.complete or not self._met or (self._may_pay() and self._is_to_pay())

    def turn(self, ids: Iterable[str], *, is_last: bool) -> None:
        """Note what the next page shows."""
        shown = frozenset(ids)
        found = shown & self.missing
        self.pages += 1
        self.front = self.front or shown
        self.missing -= found
        self._expected.subtract(self.depths[each] for each in found)
        self._idle = 0 if found else self._idle + 1
        self._met = self._met or not shown.isdisjoint(self.known or ())
        self._ended = is_last

    def depth_without(self, job_id: str) -> int:
        """Return where to expect a job next time that was not found.

        What is in no page of the list may be there later, but is looked for ever less.
        """
        return (
            2 * max(self.depths[job_id], self.pages) if self._ended else max(self.depths[job_id], self.pages + 1)
        )

    def _may_pay(self) -> bool:
        """Tell whether less was spent on pages in vain than retrieves would cost."""
        return self._idle < len(self.missing) and self.pages < len(self.depths)

    def _is_to_pay(self) -> bool:
        """Tell whether there is a page up to which reading costs less than retrieving what is expected by then."""
        depths = sorted(+self._expected)
        by_then = accumulate(self._expected[depth] for depth in depths)
        return any(count > max(1, depth - self.pages) for depth, count in zip(depths, by_then, strict=True))
