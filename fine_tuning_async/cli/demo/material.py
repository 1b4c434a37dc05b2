"""The data files of the demo."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HELD_OUT = 6
"""Each so-many-th conversation is kept from the training, for validation."""

BROKEN_LINE = 7


def write_to(folder: Path) -> None:
    """Write four files: for training, for validation, of preferences, and one with a mistake in it."""
    conversations, preferences = _lines("workshop.jsonl"), _lines("preferences.jsonl")
    contents = {
        "training.jsonl": [line for index, line in enumerate(conversations) if index % HELD_OUT],
        "validation.jsonl": conversations[::HELD_OUT],
        "preferences.jsonl": preferences,
        "broken.jsonl": _broken(conversations[:12]),
    }
    for name, lines in contents.items():
        (folder / name).write_text("".join(lines), encoding="utf-8", newline="\n")


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath("data", name).read_text(encoding="utf-8").splitlines(keepends=True)


def _broken(lines: Sequence[str]) -> list[str]:
    """Forget in one conversation to say who speaks: the most common mistake in files made by hand."""
    example = json.loads(lines[BROKEN_LINE - 1])
    del example["messages"][-1]["role"]
    return [*lines[: BROKEN_LINE - 1], json.dumps(example) + "\n", *lines[BROKEN_LINE:]]
