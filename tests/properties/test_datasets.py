"""Whatever a file holds, checking it ends in a report, the same as rule by rule and as the local server's."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fine_tuning_async import check_dataset
from fine_tuning_async.datasets._columns import NOT_PLAIN
from fine_tuning_async.datasets._counting import Counts
from fine_tuning_async.datasets._ledger import Ledger
from fine_tuning_async.datasets._plain import READERS
from fine_tuning_async.datasets._rows import check_row
from fine_tuning_async.datasets._tokens import token_counter
from fine_tuning_async.server.datafile import judge
from tests.dataset_rows import BAD, FINE, GOOD, ODD, as_line
from tests.properties.training_rows import TIDY, broken_rows, lines, loose_rows, tidy_rows, training_files

if TYPE_CHECKING:
    from fine_tuning_async.datasets._plain import PlainRows

SHARED = Path(__file__).parents[3] / "shared" / "data" / "datasets"
REAL = sorted(SHARED.glob("*.jsonl"))
METHODS = [*GOOD]

# Files are written, and a busy machine may stop for long anywhere.
unhurried = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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


@unhurried
@given(st.binary(max_size=300), st.sampled_from(METHODS))
def test_any_bytes_end_in_a_report_that_the_server_agrees_with(content: bytes, method: str) -> None:
    agree(content, method)


@unhurried
@given(st.lists(lines(loose_rows | tidy_rows | broken_rows(tidy_rows)), max_size=3), st.sampled_from(METHODS))
def test_any_rows_end_in_a_report_that_the_server_agrees_with(made: list[bytes], method: str) -> None:
    agree(b"\n".join(made), method)


@unhurried
@given(st.sampled_from(METHODS).flatmap(lambda method: st.tuples(training_files(method), st.just(method))))
def test_any_file_ends_in_a_report_that_the_server_agrees_with(case: tuple[bytes, str]) -> None:
    agree(*case)


@unhurried
@given(st.lists(lines(tidy_rows | broken_rows(tidy_rows)), max_size=4), st.sampled_from(METHODS))
def test_lines_are_looked_at_alike_together_and_alone(made: list[bytes], method: str) -> None:
    together, alone = check(b"\n".join([b"", *made]), method), Counts(method, token_counter())
    findings = []
    for line in made:
        report = check(b"\n" + line, method)  # not first, where a byte order mark may stand
        findings += [(each.place, each.code) for each in [*report.problems, *report.warnings] if each.line]
        alone.messages += report.messages
        alone.characters += report.characters
    of_rows = [each for each in [*together.problems, *together.warnings] if each.line]
    assert sorted(findings) == sorted((each.place, each.code) for each in of_rows if each.code != "duplicate_row")
    assert (together.messages, together.characters) == (alone.messages, alone.characters)
    values = [repeatable(line) for line in made]
    known = [each for each in values if each is not None]
    assert together.duplicates == len(known) - len({*known})


def repeatable(line: bytes) -> str | None:
    """What a line says, if it is an object; two lines that say the same give the same."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return json.dumps(row, sort_keys=True) if isinstance(row, dict) else None


def plain(made: list[Any], method: str) -> PlainRows | None:
    try:
        return READERS[method]([json.loads(as_line(row)) for row in made])
    except NOT_PLAIN:
        return None


@unhurried
@given(st.lists(loose_rows | tidy_rows | broken_rows(tidy_rows), min_size=1, max_size=2), st.sampled_from(METHODS))
def test_in_plain_rows_the_rules_find_nothing_and_count_the_same(made: list[Any], method: str) -> None:
    together = plain(made, method)
    if together is None:
        return
    ledger, one_by_one, at_once = Ledger(), Counts(method, token_counter()), Counts(method, token_counter())
    for row in made:
        check_row(row, method, ledger)
        one_by_one.add_row(row)
    assert not ledger.problems
    assert not ledger.warnings
    at_once.add_plain(together)
    for name in ("messages", "characters", "roles"):
        assert getattr(at_once, name) == getattr(one_by_one, name)
    assert at_once.tokens.total == one_by_one.tokens.total
    assert together.marks == sum(orjson.dumps(row).count(b'"') for row in made)
    alone = [plain([row], method) for row in made]
    assert [*together.prints] == [print_ for each in alone if each is not None for print_ in each.prints]


@pytest.mark.parametrize("method", METHODS)
def test_good_rows_of_every_form_are_plain(method: str) -> None:
    """Otherwise a good file would be checked slowly, and no other test would tell."""

    @unhurried
    @given(TIDY[method])
    def look(row: Any) -> None:
        assert plain([row], method) is not None

    look()


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
