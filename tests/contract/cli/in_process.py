"""The command run inside the test's process, and what it wrote."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from fine_tuning_async.cli.command import run, run_async

if TYPE_CHECKING:
    import pytest

EXAMPLE = '{"messages": [{"role": "user", "content": "%d + 2"}, {"role": "assistant", "content": "4"}]}\n'
TRAINING = "".join(EXAMPLE % number for number in range(12))


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[Any]:
        """The JSON objects that it printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the table that it printed."""
        return [line.split() for line in self.out.splitlines()]


class Command:
    """Runs `fine-tuning` with some words."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Done:
        self._capsys.readouterr()
        code = run(words)
        return Done(code, *self._capsys.readouterr())

    async def within(self, *words: str) -> Done:
        """Run in the loop of the test."""
        self._capsys.readouterr()
        code = await run_async(words)
        return Done(code, *self._capsys.readouterr())


class Terminal(io.StringIO):
    """A stdout that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True
