"""Whatever a result file holds, reading it ends in figures or in an error that says where it is wrong."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fine_tuning_async.api._results import training_steps
from fine_tuning_async.errors import ResponseFormatError
from fine_tuning_async.models import TrainingStep

COLUMNS = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
columns = st.sampled_from([*COLUMNS, "x", "STEP", "Train_Loss", "", '"step"'])
numbers = st.sampled_from(["", "-1", "-1.0", "1", "0.5", "inf", "1e5", "-0", " 2 ", "1" * 20, "1e999"])
cells = numbers | st.sampled_from(["1_0", "٣", "x", '"a"', '"', 'a"b', "0x1", "\0"]) | st.text(max_size=4)
# A busy machine may stop for long anywhere.
unhurried = settings(deadline=None)

tables = st.tuples(st.lists(columns, max_size=5), st.lists(st.lists(cells, max_size=5), max_size=4))


def read(content: bytes) -> str:
    """What comes of a file; the figures as text, in which one nan is like another."""
    try:
        return repr(training_steps(content, "file-1"))
    except ResponseFormatError:
        return "an error"


@unhurried
@given(tables, st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_file_says_the_same_in_base64(table: tuple[list[str], list[list[str]]], newline: str) -> None:
    header, rows = table
    content = newline.join(",".join(row) for row in [header, *rows]).encode()
    if content.strip():
        assert read(base64.b64encode(content)) == read(content)


@unhurried
@given(st.lists(st.lists(numbers.filter(lambda cell: len(cell) < 20), min_size=4, max_size=4), max_size=4))
def test_every_number_comes_back_and_what_is_missing_is_none(rows: list[list[str]]) -> None:
    lines = [",".join(COLUMNS), *(",".join([str(number), *row]) for number, row in enumerate(rows))]
    found = training_steps("\n".join(lines).encode(), "file-1")
    assert [each.step for each in found] == [*range(len(rows))]
    for step, row in zip(found, rows, strict=True):
        expected = [None if cell in {"", "-1", "-1.0"} else float(cell) for cell in row]
        assert [getattr(step, column) for column in COLUMNS[1:]] == expected


@pytest.mark.parametrize("start", [b"", b"step,train_loss\n"])
def test_any_bytes_end_in_figures_or_in_an_error(start: bytes) -> None:
    @unhurried
    @given(st.binary(max_size=60))
    def look(content: bytes) -> None:
        with suppress(ResponseFormatError):
            assert all(isinstance(each, TrainingStep) for each in training_steps(start + content, "file-1"))

    look()
