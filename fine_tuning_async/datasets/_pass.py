"""One look through a file, line by line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, cast

import orjson

from ._columns import NOT_PLAIN
from ._counting import Counts
from ._ledger import Ledger, shown
from ._parsing import explain, quotation_marks, warn_of_repeated_keys
from ._plain import READERS
from ._reading import LONGEST_LINE, lines_of
from ._repeats import Repeats, fingerprint
from ._report import DatasetReport
from ._rows import check_row
from ._tokens import token_counter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._plain import PlainRows

__all__ = ["LEAST_EXAMPLES", "Pass"]

LEAST_EXAMPLES = 10
"""The API's own minimum for a training file; a validation file may have fewer."""


class Pass:
    """One look through a file.

    Args:
        method: What the file is for.
        training: Where the examples of the training file stand, if this is the validation file.
    """

    def __init__(self, method: str, training: Repeats | None = None) -> None:
        self.repeats = Repeats()
        self._method = method
        self._training = training
        self._ledger = Ledger()
        self._read_plain = READERS[method]
        self._counts = Counts(method, token_counter())
        self._examples = 0
        self._size = 0

    def read(self, file: BinaryIO) -> None:
        """Look at every line."""
        self._size = os.fstat(file.fileno()).st_size
        number = 1
        for lines in lines_of(file):
            if not self._take(number, lines):
                for at, line in enumerate(lines, number):
                    self._look(at, line)
            number += len(lines)
        self._ledger.line = None

    def require(self, least: int) -> None:
        """Enter a problem if there are fewer examples than this."""
        if self._examples < least:
            found = str(self._examples) if self._size else "an empty file"
            self._ledger.problem("invalid_n_examples", "", f"at least {least} example{'s' * (least > 1)}", found)

    def report(self, path: str, validation: DatasetReport | None = None) -> DatasetReport:
        """Return what was found."""
        ledger, counts = self._ledger, self._counts
        return DatasetReport(
            path=path,
            method=self._method,
            problems=ledger.problems,
            warnings=ledger.warnings,
            by_kind=ledger.by_kind,
            size=self._size,
            examples=self._examples,
            messages=counts.messages,
            roles=dict(counts.roles),
            characters=counts.characters,
            tokens=counts.tokens.total,
            tokens_from=counts.tokens.source,
            enough_for_training=self._examples >= LEAST_EXAMPLES,
            duplicates=self.repeats.count,
            duplicates_complete=self.repeats.complete,
            validation=validation,
        )

    def _take(self, number: int, lines: Sequence[bytes | None]) -> bool:
        """Take all the lines at once, if each is a plain row; the first has this number."""
        if None in lines:
            return False
        known = cast("Sequence[bytes]", lines)
        try:
            rows = self._read_plain(list(map(orjson.loads, known)))
        except NOT_PLAIN:
            return False
        if quotation_marks(known) != rows.marks:
            return False
        self._examples += len(lines)
        self._counts.add_plain(rows)
        self._compare(rows.prints, list(range(number, number + len(lines))))
        return True

    def _look(self, number: int, line: bytes | None) -> None:
        self._ledger.line = number
        if line is None:
            self._examples += 1
            self._ledger.problem("line_too_long", "", f"at most {LONGEST_LINE} bytes", "more")
            return
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            self._look_at_no_json(line, error)
            return
        self._examples += 1
        plain = self._plain(row)
        if plain is not None and plain.marks == quotation_marks([line]):
            self._counts.add_plain(plain)
        elif not self._look_closely(row, line):
            return
        self._compare(plain.prints if plain is not None else [fingerprint(row, line)], [number])

    def _plain(self, row: object) -> PlainRows | None:
        try:
            return self._read_plain([cast("dict[str, object]", row)])
        except NOT_PLAIN:
            return None

    def _look_at_no_json(self, line: bytes, error: orjson.JSONDecodeError) -> None:
        if line and not line.isspace():
            self._examples += 1
            explain(line, error, self._ledger)

    def _look_closely(self, row: object, line: bytes) -> bool:
        """Look at a row rule by rule; tell whether it is an object."""
        if not isinstance(row, dict):
            self._ledger.problem("not_an_object", "", "a JSON object", shown(row))
            return False
        check_row(row, self._method, self._ledger)
        warn_of_repeated_keys(line, row, self._ledger)
        self._counts.add_row(row)
        return True

    def _compare(self, prints: Sequence[int], lines: list[int]) -> None:
        firsts = self.repeats.firsts(prints, lines)
        if self._training is None and firsts is lines:
            return
        for line, print_, first in zip(lines, prints, firsts, strict=True):
            self._ledger.line = line
            if first != line:
                self._ledger.likely("duplicate_row", "", "each example once", f"the same as line {first}")
            known = self._training.find(print_) if self._training is not None else None
            if known is not None:
                expected = "examples that are not in the training file"
                self._ledger.likely("in_training_file", "", expected, f"the same as its line {known}")
