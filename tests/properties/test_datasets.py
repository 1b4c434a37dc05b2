"""Whatever a file holds, checking it ends in a report, the same as rule by rule and as the local server's."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fine_tuning_async import check_dataset
from fine_tuning_async.datasets._ledger import Ledger
from fine_tuning_async.datasets._plain import NOT_PLAIN, PlainRows
from fine_tuning_async.datasets._rows import check_row
from fine_tuning_async.server.datafile import judge
from tests.dataset_rows import BAD, FINE, GOOD, ODD, as_line

SHARED = Path(__file__).parents[3] / "shared" / "data" / "datasets"
REAL = sorted(SHARED.glob("*.jsonl"))
METHODS = [*GOOD]

scalars = st.none() | st.booleans() | st.integers(-1, 3) | st.floats(allow_nan=False) | st.text(max_size=5)
words = st.sampled_from(["", "a", "|", "<|im_end|>", "x<|fim_suffix|>", 'say "x":', "é\u2028"])
values = st.recursive(scalars | words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner))
parts = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "image_url", "video"]) | values,
        "text": words | values,
        "image_url": st.fixed_dictionaries({"url": st.sampled_from(["http://x", "data:x", "x"])}) | values,
    },
)
messages = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["system", "user", "assistant", "tool", "robot"]) | values,
        "content": words | st.lists(parts | values, max_size=2) | values,
        "weight": st.sampled_from([0, 1, 0.0, 1.0, None, True, 2]) | values,
        "tool_calls": values,
        "refusal": values,
        "name": values,
    },
)
turns = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.text(max_size=3)})
talks = st.lists(turns, max_size=3) | st.lists(messages | values, max_size=3) | values
optional: dict[str, Any] = {"tools": values, "extra": values, "input": values}
chats = st.fixed_dictionaries({"messages": talks}, optional=optional)
pairs = st.fixed_dictionaries(
    {
        "input": st.fixed_dictionaries({"messages": talks}) | values,
        "preferred_output": talks,
        "non_preferred_output": talks,
    }
)
completions = st.fixed_dictionaries({"prompt": words | values, "completion": words | values})
rows = chats | pairs | completions | values


def check(content: bytes, method: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.jsonl")
        path.write_bytes(content)
        return check_dataset(path, method=method)


def agree(content: bytes, method: str) -> None:
    report = check(content, method)
    verdict = judge([content], method, "file-x")
    first = min((each.line for each in report.problems if each.line), default=None)
    assert verdict.line == first
    if first is None:
        assert verdict.examples == report.examples


@given(st.binary(max_size=300), st.sampled_from(METHODS))
def test_any_bytes_end_in_a_report_that_the_server_agrees_with(content: bytes, method: str) -> None:
    agree(content, method)


@given(st.lists(rows, max_size=3), st.sampled_from(METHODS), st.data())
def test_any_rows_end_in_a_report_that_the_server_agrees_with(made: list[Any], method: str, data: Any) -> None:
    content = b"\n".join(map(as_line, made))
    if content and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(content) - 1))
        content = content[:at] + data.draw(st.binary(max_size=2)) + content[at + 1 :]
    agree(content, method)


@given(rows, st.sampled_from(METHODS))
def test_a_plain_row_is_one_in_which_the_rules_find_nothing(row: Any, method: str) -> None:
    row = json.loads(as_line(row))
    try:
        plain = PlainRows(method).text_of(row, as_line(row)) is not None
    except NOT_PLAIN:
        plain = False
    if not plain:
        with suppress(*NOT_PLAIN):
            plain = PlainRows(method).text_of_all([row], [as_line(row)]) is not None
    if plain:
        ledger = Ledger()
        check_row(row, method, ledger)
        assert not ledger.problems
        assert not ledger.warnings


@given(st.lists(chats, min_size=1, max_size=3), st.sampled_from(["supervised", "reinforcement"]))
def test_rows_that_are_plain_together_are_plain_alone(made: list[Any], method: str) -> None:
    many = [json.loads(as_line(row)) for row in made]
    lines = [as_line(row) for row in made]
    with suppress(*NOT_PLAIN):
        if PlainRows(method).text_of_all(many, lines) is not None:
            for row in many:
                ledger = Ledger()
                check_row(row, method, ledger)
                assert not ledger.problems
                assert not ledger.warnings


@pytest.mark.parametrize(("method", "row"), [(case[0], case[1]) for case in FINE])
def test_the_commonest_rows_are_plain(method: str, row: Any) -> None:
    if row == GOOD[method]:
        assert PlainRows(method).text_of(row, as_line(row)) is not None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("row", [case[1] for case in [*FINE, *BAD, *ODD]])
def test_the_server_agrees_on_each_row_for_each_method(row: object, method: str) -> None:
    agree(b"\n".join([as_line(GOOD[method]), as_line(row)]), method)
    agree(b"\xef\xbb\xbf" + as_line(row) + b"\r\n\r\n", method)


@pytest.mark.skipif(not REAL, reason="the collection of real training files is not beside the repository")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_the_server_agrees_on_each_real_file_for_each_method(path: Path, method: str) -> None:
    agree(path.read_bytes(), method)


@pytest.mark.parametrize("depth", [200, 300, 900, 1_020, 1_100, 50_000])
@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_too_deep(depth: int, method: str) -> None:
    deep = b"[" * depth + b"]" * depth
    good = as_line(GOOD[method])
    agree(good[:-1] + b', "extra": ' + deep + b"}", method)
    for key in GOOD[method]:
        agree(json.dumps({**GOOD[method], key: 0}).encode().replace(b": 0", b": " + deep), method)
    agree(b'{"input": {"messages": []}, "preferred_output": %s, "non_preferred_output": %s}' % (deep, deep), "dpo")
