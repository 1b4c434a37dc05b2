"""What the rounds say: medians, and ratios taken within each round."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from attrs import frozen

from .works import OFFICIAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .rounds import Figures
    from .works import Work

__all__ = ["Ratio", "Verdict", "judged"]


@frozen
class Ratio:
    """A ratio, as the median of all rounds, with the least and the most that was seen."""

    median: float
    least: float
    most: float
    target: float

    @property
    def met(self) -> bool:
        """Whether the median is within its target."""
        return self.median <= self.target

    def __str__(self) -> str:
        return (
            f"{self.median:.3g} ({self.least:.3g} to {self.most:.3g}), "
            f"target {self.target:.3g}{'' if self.met else ' MISSED'}"
        )


@frozen
class Verdict:
    """One row of the table.

    Attributes:
        medians: By contender, the figure in the unit of the work.
        against: By whom or what the client is compared with: bare, official, or the most that is allowed.
    """

    name: str
    work: Work
    rounds: int
    medians: dict[str, float]
    against: dict[str, Ratio]


def judged(name: str, work: Work, figures: Figures) -> Verdict:
    """Compare the client with the others."""
    columns = {
        contender: [each[work.figure] * work.scale / work.share for each in found]
        for contender, found in figures.items()
    }
    ours, against = columns["ours"], {}
    if work.floor is not None:
        against["bare"] = _ratio(ours, columns["bare"], work.floor)
    if work.official is not None:
        better = [min(row) for row in zip(*(columns[each] for each in OFFICIAL if each in columns), strict=True)]
        against["official"] = _ratio(ours, better, work.official)
    if work.most is not None:
        against["limit"] = Ratio(median(ours), min(ours), max(ours), work.most)
    medians = {contender: median(column) for contender, column in columns.items()}
    return Verdict(name, work, len(ours), medians, against)


def _ratio(ours: Iterable[float], theirs: Iterable[float], target: float) -> Ratio:
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios), target)
