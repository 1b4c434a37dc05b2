"""Curves drawn with characters."""

from __future__ import annotations

from itertools import cycle, pairwise
from typing import TYPE_CHECKING, TypeAlias

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Points: TypeAlias = list[tuple[float, float]]
Span: TypeAlias = tuple[str, str | None]
"""A piece of a line, with the name of the curve that it belongs to."""

MARGIN = 6  # the labels of the vertical axis, with the axis itself
BRAILLE = 0x2800
# The bit of each dot in a braille character, by column and row (Unicode 15, chapter 21.1).
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


@frozen
class Style:
    """The characters of a chart, and how many dots a character has across and down."""

    axis: str
    corner: str
    floor: str
    tick: str
    strokes: str
    """Of the first curve, the second, and so on; the blank one is drawn in braille dots."""


UNICODE = Style(axis="│", corner="└", floor="─", tick="┤", strokes=" ox+#*@%")
ASCII = Style(axis="|", corner="+", floor="-", tick="+", strokes="*ox+#@%&")


@frozen
class Scale:
    """From numbers to places on a grid."""

    left: float
    right: float
    bottom: float
    top: float

    @classmethod
    def around(cls, curves: Mapping[str, Points]) -> Scale:
        """Return the scale that holds all curves, from 0, or a round number below, up to a round number."""
        xs = [x for points in curves.values() for x, _ in points]
        ys = [y for points in curves.values() for _, y in points]
        bottom = -_rounded_up(-min(ys)) if min(ys) < 0 else 0.0
        return cls(min(xs), max(xs), bottom, _rounded_up(max(ys)) if max(ys) > 0 or not bottom else 0.0)

    def place(self, x: float, y: float, width: int, height: int) -> tuple[int, int]:
        """Return column and row, counted from the upper left."""
        across = (x - self.left) / ((self.right - self.left) or 1)
        down = (self.top - y) / (self.top - self.bottom)
        return round(across * (width - 1)), round(down * (height - 1))


@frozen
class Grid:
    """Characters, each with the curve that it belongs to."""

    width: int
    height: int
    cells: dict[tuple[int, int], Span] = field(factory=dict)

    def draw(self, name: str, points: Points, scale: Scale, stroke: str) -> None:
        """Draw a curve over what is there."""
        if stroke.strip():
            for cell in _trace([scale.place(x, y, self.width, self.height) for x, y in points]):
                self.cells[cell] = (stroke, name)
            return
        bits: dict[tuple[int, int], int] = {}
        for x, y in _trace([scale.place(x, y, 2 * self.width, 4 * self.height) for x, y in points]):
            cell = (x // 2, y // 4)
            bits[cell] = bits.get(cell, 0) | DOTS[x % 2][y % 4]
        self.cells.update({cell: (chr(BRAILLE + mask), name) for cell, mask in bits.items()})

    def row(self, number: int) -> list[Span]:
        """Return a row from left to right."""
        return [self.cells.get((column, number), (" ", None)) for column in range(self.width)]


def draw(
    curves: Mapping[str, Points], *, label: str = "loss", width: int, height: int, style: Style
) -> list[list[Span]]:
    """Draw curves over steps.

    Args:
        curves: The points of each curve from left to right, by its name; the first is drawn on top.
        label: What stands above the vertical axis.
        width: Characters in all.
        height: Rows of the drawing itself; the horizontal axis and the legend come below.
        style: What to draw with.

    Returns:
        The lines, each in pieces that tell which curve they belong to.
    """
    scale = Scale.around(curves)
    grid = Grid(width - MARGIN, height)
    strokes = dict(zip(curves, cycle(style.strokes), strict=False))
    for name in reversed(strokes):
        grid.draw(name, curves[name], scale, strokes[name])
    rows = [[(_label(number, height, scale, style), None), *grid.row(number)] for number in range(height)]
    return [[(label, None)], *rows, *_below(scale, grid.width, style), *_legend(curves, strokes, width)]


def _label(row: int, height: int, scale: Scale, style: Style) -> str:
    if row % ((height - 1) // 4 or 1):
        return " " * (MARGIN - 1) + style.axis
    value = scale.top - (scale.top - scale.bottom) * row / (height - 1)
    return f"{_short(value):>{MARGIN - 2}} {style.tick}"


def _short(value: float) -> str:
    """Return a number in the width that labels have."""
    plain = (f"{value:.{digits}f}" for digits in (2, 1, 0))
    return next((text for text in plain if len(text) <= MARGIN - 2), f"{value:.0e}".replace("e+0", "e"))


def _below(scale: Scale, width: int, style: Style) -> Iterator[list[Span]]:
    yield [(" " * (MARGIN - 1) + style.corner + style.floor * width, None)]
    first, last = f"{scale.left:g}", f"step {scale.right:g}"
    yield [(" " * MARGIN + first + last.rjust(width - len(first)), None)]


def _legend(curves: Mapping[str, Points], strokes: Mapping[str, str], width: int) -> Iterator[list[Span]]:
    """Name the curves with their last values, as many to a line as fit."""
    start: Span = (" " * MARGIN, None)
    line, used = [start], MARGIN
    for name, stroke in strokes.items():
        text = f" {name} {curves[name][-1][1]:.2f}   "
        if len(line) > 1 and used + len(text.rstrip()) + 2 > width:
            yield line
            line, used = [start], MARGIN
        line += [((stroke.strip() or "⠒") * 2, name), (text, None)]
        used += len(text) + 2
    yield line


def _trace(places: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield each place on the straight lines from one to the next."""
    yield from places[:1]
    for (x0, y0), (x1, y1) in pairwise(places):
        steps = max(abs(x1 - x0), abs(y1 - y0))
        for step in range(1, steps + 1):
            yield round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)


def _rounded_up(number: float) -> float:
    return next(top for top in _round_numbers() if top >= number)


def _round_numbers() -> Iterator[float]:
    power = 0.001
    while True:
        yield from (factor * power for factor in (1, 1.2, 1.6, 2, 2.4, 2.8, 3.2, 4, 6, 8))
        power *= 10
