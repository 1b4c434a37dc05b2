"""Curves drawn with characters, and the numbers behind them."""

from __future__ import annotations

import pytest

from fine_tuning_async.cli.demo.reading import latest, losses
from fine_tuning_async.cli.plot import chart
from fine_tuning_async.cli.plot.curves import smoothed
from fine_tuning_async.models import JobEvent

FALLING = [(float(step), 2.0 / step) for step in range(1, 41)]
ABOVE = [(step, 1.1 * loss) for step, loss in FALLING]


def drawn(style: chart.Style, **curves: chart.Points) -> list[str]:
    spans = chart.draw(curves, width=60, height=9, style=style)
    return ["".join(text for text, _ in line) for line in spans]


def metrics(step: int, **figures: float) -> JobEvent:
    data = {"step": step, "total_steps": 9, **figures}
    return JobEvent(f"ftevent-{step}", 0, "a step", type="metrics", data=data)


def test_a_chart_in_ascii_is_ascii() -> None:
    assert "\n".join(drawn(chart.ASCII, training=FALLING, validation=ABOVE)).isascii()


def test_a_chart_in_unicode_draws_the_first_curve_in_braille() -> None:
    text = "\n".join(drawn(chart.UNICODE, training=FALLING, validation=ABOVE))
    assert any(0x2801 <= ord(character) <= 0x28FF for character in text)


@pytest.mark.parametrize("style", [chart.ASCII, chart.UNICODE])
def test_a_chart_names_axes_and_curves_and_keeps_its_width(style: chart.Style) -> None:
    lines = drawn(style, training=FALLING, validation=ABOVE)
    assert lines[0] == "loss"
    assert lines[-2].split() == ["1", "step", "40"]
    assert "training 0.05" in lines[-1]
    assert "validation 0.06" in lines[-1]
    assert max(map(len, lines)) <= 60


def test_a_falling_curve_falls() -> None:
    stars = [line.find("*") for line in drawn(chart.ASCII, training=FALLING)[1:10]]
    columns = [column for column in stars if column >= 0]
    assert columns == sorted(columns)
    assert columns[0] < columns[-1]


@pytest.mark.parametrize("points", [[(1.0, 0.5)], [(1.0, 0.0), (2.0, 0.0)], [(3.0, 1e6), (4.0, 7.0)]])
def test_odd_curves_are_drawn_too(points: chart.Points) -> None:
    assert len(drawn(chart.ASCII, training=points)) == 13


def test_each_piece_tells_which_curve_it_belongs_to() -> None:
    lines = chart.draw({"training": FALLING, "validation": ABOVE}, width=60, height=9, style=chart.ASCII)
    owners = {text: name for line in lines for text, name in line if text in {"*", "o"}}
    assert owners == {"*": "training", "o": "validation"}


def test_losses_leave_out_what_no_event_has() -> None:
    events = [JobEvent("ftevent-0", 0, "Created"), metrics(1, train_loss=2.0), metrics(2, train_loss=1.0)]
    assert losses(events) == {"training": [(1, 1.5), (2, 1.5)]}


def test_latest_is_the_newest_event_with_metrics() -> None:
    events = [metrics(1, train_loss=2.0), metrics(2, train_loss=1.0), JobEvent("ftevent-3", 0, "Done")]
    found = latest(events)
    assert found is not None
    assert found.step == 2
    assert latest(events[2:]) is None


def test_a_running_mean_keeps_a_straight_line() -> None:
    line = [(float(x), float(x)) for x in range(9)]
    assert smoothed(line, 5)[2:-2] == line[2:-2]
