"""The judgement on training files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fine_tuning_async.server import datafile
from fine_tuning_async.server.datafile import Verdict, judge

SHARED = Path(__file__).parents[4] / "shared" / "data" / "datasets"
INDEX = json.loads((SHARED / "index.json").read_text()) if SHARED.exists() else []
ASSISTANT = {"role": "assistant", "content": "a"}
CHAT = {"messages": [{"role": "user", "content": "q"}, ASSISTANT]}
PAIR = {
    "input": {"messages": CHAT["messages"][:1]},
    "preferred_output": [ASSISTANT],
    "non_preferred_output": [ASSISTANT],
}


def judged(kind: str, *rows: object) -> Verdict:
    content = b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    return judge([content], kind, "file-x")


@pytest.mark.skipif(not INDEX, reason="the collection of real training files is not beside the repository")
@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["file"])
def test_real_files_meet_their_verdicts(entry: dict[str, Any]) -> None:
    content = (SHARED / entry["file"]).read_bytes()
    verdict = judge([content], entry["method"], "file-x")
    first = entry["defects"][0]["line"] if entry["defects"] else None
    assert verdict.line == first
    if first is None:
        assert verdict.examples == entry["rows"]
    for kind in entry["format_valid_for"]:
        assert judge([content], kind, "file-x").line is None


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("supervised", CHAT),
        ("reinforcement", {**CHAT, "reference": 1}),
        ("reinforcement", {"messages": CHAT["messages"][:1]}),
        ("dpo", PAIR),
        ("completion", {"prompt": "p", "completion": "c"}),
        ("supervised", {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "x"}]}]}),
        (
            "supervised",
            {"messages": [{"role": "assistant", "content": [{"type": "text", "text": "t"}]}], "tools": []},
        ),
    ],
)
def test_good_rows_are_counted(kind: str, row: object) -> None:
    assert judged(kind, row, b"", row).examples == 2


@pytest.mark.parametrize(
    ("kind", "row", "said"),
    [
        ("supervised", {}, "Example 2 is missing key 'messages'"),
        ("supervised", b"[]", "Example 2 cannot be parsed. Error: line is not a JSON object (line 2)"),
        (
            "supervised",
            b'{"a" 1}',
            "line contains invalid json: Expecting ':' delimiter: line 1 column 6 (char 5) (line 2)",
        ),
        ("supervised", b'{"a": NaN}', "line contains invalid json"),
        ("supervised", b"{" * 100_000, "line contains invalid json"),
        ("supervised", b"\xff", "not valid UTF-8 at byte 0 (line 2)"),
        ("supervised", {"messages": []}, "non-empty list in 'messages'"),
        ("supervised", {"messages": [1]}, "Example 2, message 0 is not an object"),
        (
            "supervised",
            {"messages": [ASSISTANT, {"content": "x"}]},
            "Example 2, message 1 Discriminator 'role' is missing",
        ),
        ("supervised", {"messages": [{"role": "robot", "content": "x"}]}, "unknown role"),
        ("supervised", {"messages": [{"role": [], "content": "x"}]}, "unknown role"),
        ("supervised", {"messages": [{**ASSISTANT, "weight": 2}]}, "neither 0 nor 1"),
        ("supervised", {"messages": [{**ASSISTANT, "weight": True}]}, "neither 0 nor 1"),
        ("supervised", {"messages": [{**ASSISTANT, "weight": 0}]}, "a weight other than 0"),
        (
            "supervised",
            {"messages": [{"role": "user", "content": "x"}]},
            "at least one message from the assistant",
        ),
        ("supervised", {"messages": [{"role": "assistant"}]}, "has no content"),
        ("supervised", {"messages": [{"role": "assistant", "content": 1}]}, "neither a string nor a list"),
        (
            "supervised",
            {"messages": [{"role": "assistant", "content": "<|fim_suffix|>"}]},
            "invalid token <|fim_suffix|>",
        ),
        ("supervised", {**CHAT, "note{": 1}, "contains an extra key 'note{'"),
        ("supervised", PAIR, "is in the fine-tune-preference format, but"),
        ("dpo", CHAT, "Input file file-x is in the fine-tune-chat format, but"),
        ("dpo", {**PAIR, "preferred_output": []}, "non-empty list in 'preferred_output'"),
        ("dpo", {**PAIR, "input": 1}, "'input' that is not an object"),
        ("dpo", {**PAIR, "preferred_output": [{"role": "user", "content": "x"}]}, "no message from the assistant"),
        ("completion", CHAT, "(provided method=supervised)"),
        ("completion", {"prompt": 1, "completion": "c"}, "'prompt' that is not a string"),
    ],
)
def test_bad_rows_are_named(kind: str, row: object, said: str) -> None:
    good = {"dpo": PAIR, "completion": {"prompt": "p", "completion": "c"}}.get(kind, CHAT)
    verdict = judged(kind, good, row)
    assert verdict.line == 2
    assert said in (verdict.message or "")
    assert Verdict.load(verdict.dump()) == verdict


@given(st.binary(max_size=200), st.sampled_from(["supervised", "dpo", "reinforcement", "completion"]))
def test_any_bytes_get_a_verdict(content: bytes, kind: str) -> None:
    assert judge([content], kind, "file-x").examples >= 0


@given(st.lists(st.integers(1, 40)))
def test_it_does_not_matter_where_the_content_is_cut(sizes: list[int]) -> None:
    rows = [json.dumps(CHAT).encode()] * 5
    content = b"\r\n".join(rows)
    chunks, start = [], 0
    for size in sizes:
        chunks.append(content[start : start + size])
        start += size
    verdict = judge([*chunks, content[start:]], "supervised", "file-x")
    assert verdict == judge([content], "supervised", "file-x")
    assert verdict.examples == 5


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_line_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    row = json.dumps(CHAT).encode()
    content = b"\n".join([row, row + b" ", row])
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    monkeypatch.setattr(datafile, "LONGEST_LINE", len(row))
    verdict = judge(chunks, "supervised", "file-x")
    assert (verdict.examples, verdict.line) == (1, 2)
    assert "longer than" in (verdict.message or "")
    monkeypatch.setattr(datafile, "LONGEST_LINE", len(row) + 1)
    assert judge(chunks, "supervised", "file-x").examples == 3
