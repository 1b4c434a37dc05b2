"""What a check of a training file found."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from attrs import field, frozen

from fine_tuning_async.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["DatasetProblem", "DatasetReport", "ProblemKind"]

_SHOWN = 5
"""How many problems an error's message lists; the report itself has them all, up to its bound."""

_SHOWN_OF_A_KIND = 3


@frozen
class DatasetProblem:
    """One thing that is wrong with a file, or likely to be.

    Attributes:
        line: The line in the file, from 1; None for what concerns the whole file.
        place: Where in the line's object, as in `messages[2].role`; empty for all of it.
        code: The kind of problem, a fixed word for programs, such as `missing_role`.
        expected: What should have been there.
        found: What was there.
    """

    line: int | None
    place: str
    code: str
    expected: str
    found: str

    def __str__(self) -> str:
        where = ", ".join(filter(None, [f"line {self.line}" if self.line else "", self.place]))
        return f"{where or 'the file'}: expected {self.expected}, found {self.found} ({self.code})"


@frozen
class ProblemKind:
    """All problems of one kind.

    Attributes:
        count: How many there are, those that are not listed included.
        lines: The first ten lines that have one.
        warning: Whether they are only likely to be wrong.
    """

    count: int
    lines: tuple[int, ...]
    warning: bool


@frozen
class DatasetReport:
    """What is known of a training file.

    Attributes:
        path: The file.
        method: What it was checked for.
        problems: What lets a job fail, in the order of the lines; of each kind the first thousand.
        warnings: What is likely to be wrong, likewise.
        by_kind: For each code that was met, how often and where. Nothing is left out here.
        size: The file's size in bytes.
        examples: How many lines hold something.
        messages: How many messages they have.
        roles: How many messages each known role has.
        characters: How long the texts are.
        tokens: How many tokens they make, about.
        tokens_from: How `tokens` came about, in words; it says "estimate" where it is one.
        enough_for_training: Whether there are as many examples as a training file needs.
        duplicates: How many examples repeat an earlier one of the file.
        duplicates_complete: Whether every example was compared; after two million it stops looking.
        validation: The report on the validation file, if one was given.
    """

    path: str
    method: str
    problems: Sequence[DatasetProblem] = field(repr=False)
    warnings: Sequence[DatasetProblem] = field(repr=False)
    by_kind: Mapping[str, ProblemKind]
    size: int
    examples: int
    messages: int
    roles: Mapping[str, int]
    characters: int
    tokens: int
    tokens_from: str
    enough_for_training: bool
    duplicates: int
    duplicates_complete: bool
    validation: DatasetReport | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was found that lets a job fail, in the validation file neither."""
        return not self.problems and (self.validation is None or self.validation.ok)

    def raise_for_problems(self) -> None:
        """Raise if the file would let a job fail; warnings do not count.

        Raises:
            DatasetError: There are problems; the message lists the first few.
        """
        if self.ok:
            return
        bad = [report for report in (self, self.validation) if report is not None and report.problems]
        codes: dict[str, int] = {}
        for code, kind in ((code, kind) for report in bad for code, kind in report.by_kind.items()):
            if not kind.warning:
                codes[code] = codes.get(code, 0) + kind.count
        raise DatasetError("\n".join(report.summary() for report in bad), path=bad[0].path, codes=codes)

    def summary(self) -> str:
        """Say in a few lines what lets a job fail."""
        total = self._total(warning=False)
        if not total:
            return f"{self.path} is good for method {self.method!r}"
        lines = [f"{self.path} is not good for method {self.method!r}: {_counted(total, 'problem')}"]
        lines += [f"  {problem}" for problem in self.problems[:_SHOWN]]
        if total > _SHOWN:
            lines.append(f"  and {total - _SHOWN} more")
        return "\n".join(lines)

    def __str__(self) -> str:
        return "\n".join(self._told())

    def _told(self) -> Iterator[str]:
        problems, warnings = self._total(warning=False), self._total(warning=True)
        yield (
            f"{self.path}, for method {self.method!r}: {_counted(self.examples, 'example')},"
            f" {_counted(problems, 'problem')}, {_counted(warnings, 'warning')}"
        )
        roles = ", ".join(f"{count} {role}" for role, count in self.roles.items())
        yield f"  {_counted(self.messages, 'message')}{f' ({roles})' if roles else ''}"
        yield f"  {_counted(self.characters, 'character')}, {_counted(self.tokens, 'token')} ({self.tokens_from})"
        if not self.duplicates_complete:
            yield "  duplicates were looked for among the first two million examples only"
        for word, warning in (("problem", False), ("warning", True)):
            for code, kind in self.by_kind.items():
                if kind.warning is warning:
                    yield from self._told_of(word, code, kind)
        if self.validation is not None:
            yield f"validation file {self.validation}"

    def _told_of(self, word: str, code: str, kind: ProblemKind) -> Iterator[str]:
        lines = ", ".join(map(str, kind.lines))
        more = ", …" if kind.count > len(kind.lines) > 1 else ""
        where = f" in line{'s' * (len(kind.lines) > 1)} {lines}{more}" if lines else ""
        yield f"{word} {code}: {kind.count}{where}"
        listed = self.warnings if kind.warning else self.problems
        yield from (
            f"  {each}" for each in islice((each for each in listed if each.code == code), _SHOWN_OF_A_KIND)
        )

    def _total(self, *, warning: bool) -> int:
        return sum(kind.count for kind in self.by_kind.values() if kind.warning is warning)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
