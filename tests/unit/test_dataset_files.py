"""Training files as a whole: how they are read, counted, compared, and what is said of them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import DatasetError, InvalidArgumentError, SourceNotFoundError, check_dataset
from fine_tuning_async.datasets import _reading, _repeats
from tests.dataset_rows import CHAT, as_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fine_tuning_async import DatasetReport

BOM = b"\xef\xbb\xbf"


def questions(count: int, first: int = 0) -> list[bytes]:
    return [as_line(CHAT).replace(b'"q"', b'"%d"' % number) for number in range(first, first + count)]


def checked(path: Path, content: bytes | Sequence[bytes], method: str = "supervised") -> DatasetReport:
    path.write_bytes(content if isinstance(content, bytes) else b"\n".join(content))
    return check_dataset(path, method=method)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.jsonl"


@pytest.fixture(autouse=True)
def _without_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)


# -- reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [b"", BOM])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\n\n", b" \n\t\r\n"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n \n"])
def test_lines_end_as_on_any_system(path: Path, start: bytes, newline: bytes, end: bytes) -> None:
    report = checked(path, start + newline.join(questions(12)) + end)
    assert report.ok
    assert (report.examples, report.messages, report.warnings) == (12, 24, [])


def test_a_blank_line_counts_as_a_line_but_not_as_an_example(path: Path) -> None:
    report = checked(path, [*questions(10), b"", b"{", b""])
    assert [(each.line, each.code) for each in report.problems] == [(12, "invalid_json")]
    assert report.examples == 11


@pytest.mark.parametrize("size", [4, 5, 7, 64])
def test_it_does_not_matter_how_the_file_is_cut_into_blocks(
    path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    rows = [*questions(10), b"{", b"", b"\xff", *questions(2)]
    whole = checked(path, BOM + b"\r\n".join(rows))
    monkeypatch.setattr(_reading, "_BLOCK", size)
    assert check_dataset(path, method="supervised") == whole


@pytest.mark.parametrize(("spare", "found"), [(0, [1, 3]), (1, [3]), (2, [])])
def test_a_line_that_is_too_long_is_not_held(
    path: Path, monkeypatch: pytest.MonkeyPatch, spare: int, found: list[int]
) -> None:
    rows = [as_line(CHAT).replace(b'"q"', b'"%s"' % (b"q" * length)) for length in (2, 1, 3)]
    monkeypatch.setattr(_reading, "LONGEST_LINE", len(rows[1]) + spare)
    monkeypatch.setattr(_reading, "_BLOCK", 8)
    report = checked(path, rows)
    assert [(each.line, each.code) for each in report.problems if each.line] == [
        (n, "line_too_long") for n in found
    ]
    assert report.examples == 3


def test_a_line_of_half_a_gigabyte_takes_little_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'{"messages": [')
        file.truncate(2**29)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"\n".join(questions(10)))
    code = (
        "import re, resource, sys; from pathlib import Path; from fine_tuning_async import check_dataset\n"
        "report = check_dataset(sys.argv[1], method='supervised')\n"
        # Linux counts the process that this one came from into ru_maxrss.
        "status = Path('/proc/self/status')\n"
        "peak = re.search(r'VmHWM:\\s*([0-9]+)', status.read_text())[1] if status.exists() else"
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print([(each.line, each.code) for each in report.problems], report.examples, peak)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    found, _, numbers = done.stdout.partition("]")
    examples, peak = map(int, numbers.split())
    assert (found, examples) == ("[(1, 'line_too_long')", 11)
    assert peak * (1 if sys.platform == "darwin" else 1024) < 300e6


# -- what cannot be checked --------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_told_as_such(path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"there is no file '.*train.jsonl' to check"):
        check_dataset(path, method="supervised")
    path.write_bytes(b"\n".join(questions(10)))
    with pytest.raises(SourceNotFoundError, match="nowhere"):
        check_dataset(path, method="supervised", validation_path="nowhere")


def test_only_a_regular_file_can_be_checked(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for source in (tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(InvalidArgumentError, match="is no regular file"):
            check_dataset(source, method="supervised")
    (tmp_path / "file").touch()
    for odd in ("a\0b", tmp_path / "file" / "below", "x" * 5_000):
        with pytest.raises(InvalidArgumentError, match="cannot be read"):
            check_dataset(odd, method="supervised")


@pytest.mark.parametrize("method", ["sft", "", None, ["dpo"], "Supervised"])
def test_an_unknown_method_is_refused_before_the_file_is_looked_for(path: Path, method: str) -> None:
    with pytest.raises(InvalidArgumentError, match="it must be one of supervised, dpo, reinforcement, completion"):
        check_dataset(path, method=method)


# -- counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "found"), [(0, "an empty file"), (1, "1"), (9, "9")])
def test_a_training_file_needs_ten_examples(path: Path, rows: int, found: str) -> None:
    report = checked(path, questions(rows))
    (problem,) = report.problems
    assert (problem.line, problem.code, problem.found) == (None, "invalid_n_examples", found)
    assert not report.enough_for_training
    assert str(problem).startswith("the file: expected at least 10 examples")
    assert checked(path, b"\n".join(questions(10))).ok


def test_everything_in_the_rows_is_counted_in_the_plain_way_and_in_the_close_one(path: Path) -> None:
    plain = checked(path, [as_line({"messages": [*CHAT["messages"] * 3]})] * 2)
    close = checked(path, [as_line({"messages": [*CHAT["messages"] * 3], "metadata": {}})] * 2)
    for report in (plain, close):
        assert (report.examples, report.messages, report.characters) == (2, 12, 12)
        assert report.roles == {"user": 6, "assistant": 6}
        assert report.duplicates == 1


def test_a_row_is_counted_however_bad_it_is(path: Path) -> None:
    rows = [
        {"messages": [{"content": [{"text": "abc"}, 1]}, 2, {"role": "robot", "content": "d"}]},
        {"messages": 3},
    ]
    report = checked(path, [as_line(row) for row in rows])
    assert (report.examples, report.messages, report.characters, report.roles) == (2, 2, 4, {})


# -- repeats -----------------------------------------------------------------------------------------------------


def test_an_example_that_repeats_another_is_told_with_its_line(path: Path) -> None:
    rows = questions(10)
    rows += [rows[3], rows[4].replace(b": ", b":"), b'{"messages":' + rows[5][12:], rows[3]]
    report = checked(path, rows)
    assert report.ok
    assert report.duplicates == 4
    told = [(each.line, each.code, each.found) for each in report.warnings]
    assert told == [(n, "duplicate_row", f"the same as line {k}") for n, k in ((11, 4), (12, 5), (13, 6), (14, 4))]


def test_a_row_is_the_same_among_rows_of_any_form(path: Path) -> None:
    with_tools = [row[:-1] + b', "tools": []}' for row in questions(4_000, first=10_000)]
    assert checked(path, [*questions(4_000), *with_tools, *questions(1), *with_tools[:100]]).duplicates == 101


def test_an_example_of_the_validation_file_that_is_trained_on_is_told(path: Path) -> None:
    other = path.with_name("valid.jsonl")
    path.write_bytes(b"\n".join(questions(10)))
    other.write_bytes(b"\n".join(questions(3, first=8)))
    report = check_dataset(path, method="supervised", validation_path=other)
    assert report.ok
    assert report.validation
    told = [(each.line, each.code, each.found) for each in report.validation.warnings]
    assert told == [(n, "in_training_file", f"the same as its line {k}") for n, k in ((1, 9), (2, 10))]
    assert "validation file" in str(report)


def test_the_validation_file_is_held_to_the_same_rules_but_may_be_short(path: Path) -> None:
    other = path.with_name("valid.jsonl")
    path.write_bytes(b"\n".join(questions(10)))
    for content, ok in ((questions(1, 50), True), ([], False), ([b"{"], False)):
        other.write_bytes(b"\n".join(content))
        report = check_dataset(path, method="supervised", validation_path=other)
        assert report.ok is ok
        assert not report.problems
    with pytest.raises(DatasetError, match="invalid_json") as caught:
        report.raise_for_problems()
    assert (caught.value.path, caught.value.codes) == (str(other), {"invalid_json": 1})


def test_it_stops_looking_for_repeats_and_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_repeats, "MOST_REMEMBERED", 10)
    rows = questions(10)
    known = checked(path, [*rows, rows[0]])
    assert (known.duplicates, known.duplicates_complete) == (1, True)
    assert checked(path, rows).duplicates_complete
    assert not checked(path, questions(11)).duplicates_complete
    more = checked(path, [*rows, *questions(2, first=10), *questions(1, first=10), rows[0]])
    assert (more.duplicates, more.duplicates_complete) == (1, False)
    assert "duplicates were looked for among" in str(more)


# -- the report --------------------------------------------------------------------------------------------------


def test_thousands_of_problems_are_summed_up_by_kind_and_not_all_kept(path: Path) -> None:
    report = checked(path, [b"{}"] * 1_500 + [b"["])
    assert len(report.problems) == 1_001
    kind = report.by_kind["missing_key"]
    assert (kind.count, kind.lines, kind.warning) == (1_500, tuple(range(1, 11)), False)
    assert "problem missing_key: 1500 in lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …\n  line 1, messages: exp" in str(
        report
    )
    assert len(str(report).splitlines()) < 15
    with pytest.raises(DatasetError) as caught:
        report.raise_for_problems()
    assert str(caught.value).count("\n") == 6
    assert str(caught.value).endswith("\n  and 1496 more")
    assert caught.value.codes == {"missing_key": 1_500, "invalid_json": 1}


def test_a_good_report_raises_nothing_and_is_a_value(path: Path) -> None:
    report = checked(path, questions(10))
    report.raise_for_problems()
    assert pickle.loads(pickle.dumps(report)) == report  # noqa: S301 - our own bytes
    assert str(report).splitlines()[1:] == [
        "  20 messages (10 user, 10 assistant)",
        "  20 characters, 5 tokens (an estimate, 4 bytes a token: tiktoken is not installed)",
    ]
    assert "10 examples, 0 problems, 0 warnings" in str(report)
