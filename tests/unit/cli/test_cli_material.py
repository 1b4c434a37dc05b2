"""The data files that the demo trains on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async.cli.demo import material

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, list[Any]]:
    material.write_to(tmp_path)
    return {
        path.name: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in tmp_path.iterdir()
    }


def test_there_is_enough_to_train_on(rows: dict[str, list[Any]]) -> None:
    assert len(rows["training.jsonl"]) >= 40
    assert len(rows["validation.jsonl"]) >= 8
    assert len(rows["preferences.jsonl"]) >= 12


@pytest.mark.parametrize("name", ["training.jsonl", "validation.jsonl", "preferences.jsonl"])
def test_no_example_comes_twice(name: str, rows: dict[str, list[Any]]) -> None:
    assert len({json.dumps(row) for row in rows[name]}) == len(rows[name])


def test_nothing_is_validated_on_that_was_trained_on(rows: dict[str, list[Any]]) -> None:
    assert not [row for row in rows["validation.jsonl"] if row in rows["training.jsonl"]]


def test_every_conversation_ends_with_an_answer(rows: dict[str, list[Any]]) -> None:
    for row in rows["training.jsonl"] + rows["validation.jsonl"]:
        assert [each["role"] for each in row["messages"]][::2][:1] == ["system"]
        assert row["messages"][-1]["role"] == "assistant"
        assert all(each["content"].strip() for each in row["messages"])


def test_the_preferred_answer_differs_from_the_other(rows: dict[str, list[Any]]) -> None:
    assert all(row["preferred_output"] != row["non_preferred_output"] for row in rows["preferences.jsonl"])


def test_the_broken_file_has_one_mistake(rows: dict[str, list[Any]]) -> None:
    roles = [message.get("role") for row in rows["broken.jsonl"] for message in row["messages"]]
    assert roles.count(None) == 1
