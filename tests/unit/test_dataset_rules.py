"""What is found in the rows of a training file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import check_dataset
from fine_tuning_async.datasets._ledger import shown
from tests.dataset_rows import BAD, CHAT, FINE, GOOD, ODD, as_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fine_tuning_async import DatasetProblem, DatasetReport

SHARED = Path(__file__).parents[3] / "shared" / "data" / "datasets"
INDEX = json.loads((SHARED / "index.json").read_text("utf-8")) if SHARED.exists() else []
each_real_file = pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["file"])
real_files = pytest.mark.skipif(
    not INDEX, reason="the collection of real training files is not beside the repository"
)


def _placed(findings: Sequence[DatasetProblem]) -> list[tuple[str, str]]:
    return [(each.code, each.place) for each in findings]


def _on_lines(report: DatasetReport) -> list[tuple[int, str]]:
    return [(each.line, each.code) for each in report.problems if each.line is not None]


@pytest.mark.parametrize(("method", "row", "problems", "warnings"), [*FINE, *BAD, *ODD])
def test_each_row_is_found_to_be_what_it_is(
    tmp_path: Path, method: str, row: object, problems: list[Any], warnings: list[Any]
) -> None:
    path = tmp_path / "train.jsonl"
    good = [as_line({"prompt": str(n), "completion": "c"}) for n in range(9)]
    if method != "completion":
        good = [as_line(GOOD[method]).replace(b'"q"', b'"%d"' % n) for n in range(9)]
    path.write_bytes(b"\n".join([*good, as_line(row)]))
    report = check_dataset(path, method=method)
    assert _placed(report.problems) == problems
    assert _placed(report.warnings) == warnings
    assert {each.line for each in [*report.problems, *report.warnings]} <= {10}
    assert report.ok is not bool(problems)
    assert report.examples == 10
    for each in [*report.problems, *report.warnings]:
        assert each.expected
        assert each.found
        assert report.by_kind[each.code].lines == (10,)
        assert f"line 10{', ' * bool(each.place)}{each.place}: expected" in str(report)


@real_files
@each_real_file
def test_real_files_meet_their_verdicts_line_for_line(entry: dict[str, Any]) -> None:
    report = check_dataset(SHARED / entry["file"], method=entry["method"])
    # The collection names the first few defects of a file.
    expected = [(each["line"], each["code"]) for each in entry["defects"]]
    assert _on_lines(report)[: max(len(expected), 1)] == expected
    likely = [(each["line"], each["code"]) for each in entry["likely"]]
    assert [(each.line, each.code) for each in report.warnings] == likely
    counts = {code: kind.count for code, kind in report.by_kind.items() if kind.warning}
    assert counts == entry["likely_codes"]
    assert (report.examples, report.size) == (entry["rows"], entry["bytes"])
    assert report.enough_for_training is entry["enough_for_training"]
    assert report.ok is (not expected and entry["enough_for_training"])


@real_files
@each_real_file
@pytest.mark.parametrize("method", GOOD)
def test_real_files_are_good_for_the_methods_that_they_are_good_for(entry: dict[str, Any], method: str) -> None:
    report = check_dataset(SHARED / entry["file"], method=method)
    assert (not _on_lines(report)) is (method in entry["format_valid_for"])


def test_the_reason_of_invalid_json_is_told_as_the_api_tells_it(tmp_path: Path) -> None:
    reasons = {
        b'{"a": "b': "Unterminated string starting at: line 1 column 7 (char 6)",
        b'{"a": "\0"}': "a NUL byte at byte 7",
        b'\xef\xbb\xbf{"a": 1}': "a byte order mark, which may stand at the start of the file only",
        b"[" * 5_000: "nested too deeply, at column 1026",
    }
    path = tmp_path / "train.jsonl"
    path.write_bytes(as_line(CHAT) + b"\n" + b"\n".join(reasons))
    report = check_dataset(path, method="supervised")
    assert [each.found for each in report.problems if each.code == "invalid_json"] == list(reasons.values())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        ({"a": 1}, "an object"),
        ([], "an empty list"),
        ([[]], "a list"),
        (1.5, "1.5"),
        ("x" * 70, repr("x" * 60) + "…"),
    ],
)
def test_values_of_any_size_are_shown_in_few_words(value: object, text: str) -> None:
    assert shown(value) == text
