"""The ledger in which findings are entered, bounded in size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, define

from ._report import DatasetProblem, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Ledger", "shown"]

KEPT_OF_EACH_KIND = 1_000
LINES_OF_EACH_KIND = 10
_EXCERPT = 60


@define
class _Tally:
    warning: bool
    count: int = 0
    lines: list[int] = Factory(list)


@define
class Ledger:
    """Findings, in the order in which they are made. The kinds are few, so that what is kept is bounded.

    Attributes:
        line: The line that is being looked at; None after the last.
    """

    line: int | None = None
    problems: list[DatasetProblem] = Factory(list)
    warnings: list[DatasetProblem] = Factory(list)
    _tallies: dict[str, _Tally] = Factory(dict)

    def problem(self, code: str, place: str, expected: str, found: str) -> None:
        """Enter what lets a job fail."""
        self._enter(_Tally(warning=False), DatasetProblem(self.line, place, code, expected, found))

    def likely(self, code: str, place: str, expected: str, found: str) -> None:
        """Enter what is likely to be wrong."""
        self._enter(_Tally(warning=True), DatasetProblem(self.line, place, code, expected, found))

    @property
    def by_kind(self) -> Mapping[str, ProblemKind]:
        """For each code how often it was met, and where first."""
        return {
            code: ProblemKind(tally.count, tuple(tally.lines), tally.warning)
            for code, tally in self._tallies.items()
        }

    def _enter(self, fresh: _Tally, finding: DatasetProblem) -> None:
        tally = self._tallies.setdefault(finding.code, fresh)
        tally.count += 1
        if tally.count <= KEPT_OF_EACH_KIND:
            (self.warnings if tally.warning else self.problems).append(finding)
        lines = tally.lines
        if self.line is not None and len(lines) < LINES_OF_EACH_KIND and self.line not in lines[-1:]:
            lines.append(self.line)


def shown(value: object) -> str:
    """Show a value that may be of any size and depth, in a few words."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, str) and len(value) > _EXCERPT:
        return f"{value[:_EXCERPT]!r}…"
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else repr(value)
