"""`fine-tuning demo`, as a process: in a pipe, in a terminal, interrupted."""

from __future__ import annotations

import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.contract.cli.terminals import COLOUR, ESCAPE, PATIENCE, in_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import Popen


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals that POSIX knows")

# An account that the demo must not touch; whatever is sent there fails, and a value like this cannot be sent.
ELSEWHERE = {
    "OPENAI_API_KEY": "sk-of-somebody",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "OPENAI_ORG_ID": "no\nheader",
    "OPENAI_PROJECT_ID": "no\nheader",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


def test_in_a_pipe_it_tells_the_whole_story_in_plain_ascii(start: Callable[..., Popen[str]], folder: Path) -> None:
    process = start("demo", FORCE_COLOR="1", **ELSEWHERE)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")
    assert out.isascii()
    assert "\x1b" not in out
    assert "\r" not in out
    assert re.search(r"^ftjob-\w+ .* dpo +succeeded +\d+ +ft:gpt-\S+:polite:\w+$", out, re.MULTILINE)
    assert len(re.findall(r"^ftjob-\w+ .* succeeded ", out, re.MULTILINE)) == 3
    assert len(re.findall(r"^ftjob-\w+ .* failed ", out, re.MULTILINE)) == 1
    assert "broken failed: invalid_training_file (training_file)" in out
    assert re.search(r"\*\* training \d\.\d\d   oo validation \d\.\d\d", out)
    assert "sk-of-somebody" not in out
    assert list(folder.iterdir()) == []


def test_in_a_terminal_it_draws_bars_in_colours(folder: Path, environment: dict[str, str]) -> None:
    code, written = in_terminal("demo", folder=folder, environment=environment, until="step")
    text = ESCAPE.sub("", written)
    assert code == 128 + signal.SIGINT
    assert COLOUR.search(written)
    assert "━━━━━━━━━━" in text
    assert re.search(r"step \d+/\d+ +loss \d\.\d\d +running", text)
    assert max(len(line) for part in text.split("\n") for line in part.split("\r")) <= 80
    assert list(folder.iterdir()) == []


def test_no_color_is_obeyed(folder: Path, environment: dict[str, str]) -> None:
    where = {**environment, "NO_COLOR": "1"}
    code, written = in_terminal("demo", folder=folder, environment=where, until="step")
    assert code == 128 + signal.SIGINT
    assert not COLOUR.search(written)


def test_a_dumb_terminal_gets_plain_lines(folder: Path, environment: dict[str, str]) -> None:
    where = {**environment, "TERM": "dumb"}
    code, written = in_terminal("demo", folder=folder, environment=where, until="step")
    assert code == 128 + signal.SIGINT
    assert "step" in written
    assert "\x1b" not in written


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_in_order(
    number: signal.Signals, start: Callable[..., Popen[str]], folder: Path
) -> None:
    process = start("demo")
    assert process.stdout is not None
    for line in process.stdout:
        if "running" in line:
            break
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (128 + number, "")
    assert list(folder.iterdir()) == []


def test_a_reader_that_leaves_early_is_no_traceback(start: Callable[..., Popen[str]], folder: Path) -> None:
    process = start("demo")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=PATIENCE) == 128 + signal.SIGPIPE
    assert list(folder.iterdir()) == []
