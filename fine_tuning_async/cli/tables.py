"""Tables that are written while their rows still come, page by page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from attrs import define, field
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from .cells import ABSENT
from .output import is_terminal, tell
from .terminal import STYLES, console

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
HEADING = "bold"


@define
class Table:
    """Columns that are as wide as the first page needs, and wider from where a later one needs it.

    On a terminal, a line ends at its edge, and statuses have colours.
    """

    headings: Sequence[str]
    _widths: list[int] = field(init=False, factory=list)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write a page of rows, with the headings above the first."""
        first = not self._widths
        shown = [list(self.headings), *rows] if first else rows
        self._widths = [max(map(cell_len, column)) for column in zip(self._widths_as_text(), *shown, strict=True)]
        lines = [self._line(row, HEADING if first and not number else "") for number, row in enumerate(shown)]
        if is_terminal(sys.stdout):
            _draw(lines)
        else:
            tell(*(line.plain for line in lines))

    def _widths_as_text(self) -> list[str]:
        return [" " * width for width in self._widths] or list(self.headings)

    def _line(self, row: Sequence[str], style: str) -> Text:
        last = len(row) - 1
        cells = [
            each if index == last else set_cell_size(each, width)
            for index, (each, width) in enumerate(zip(row, self._widths, strict=True))
        ]
        line = Text(style=style)
        for index, text in enumerate(cells):
            line.append(text, STYLES.get(text.strip(), ""))
            line.append(GAP if index != last else "")
        line.rstrip()
        return line


def _draw(lines: Sequence[Text]) -> None:
    screen = console()
    for line in lines:
        screen.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def details(pairs: Sequence[tuple[str, str]]) -> None:
    """Write one thing, a field a line, those without a value left out."""
    shown = [(name, text) for name, text in pairs if text != ABSENT]
    width = max((len(name) for name, _ in shown), default=0)
    if not is_terminal(sys.stdout):
        tell(*(f"{name:<{width}}  {text}" for name, text in shown))
        return
    screen = console()
    for name, text in shown:
        screen.print(
            Text.assemble((f"{name:<{width}}", HEADING), GAP, (text, STYLES.get(text, ""))), soft_wrap=True
        )
