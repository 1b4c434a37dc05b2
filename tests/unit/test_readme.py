"""The README: its programs run as they stand, its commands are the ones that work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fine_tuning_async.cli.demo import story

README = Path(__file__).parents[2] / "README.md"
PROGRAMS = re.findall(r"^### (.+?)$.*?```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def run(program: str, tmp_path: Path) -> str:
    """Run a program as a user would who typed it into a file."""
    script = tmp_path / "program.py"
    script.write_text(program, "utf-8")
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own programs
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_there_are_three_programs() -> None:
    assert [title for title, _ in PROGRAMS] == [
        "Await it in a service",
        "Iterate over all jobs",
        "Make it a stage of a pipeline",
    ]


def test_the_code_that_is_shown_of_the_demo_is_the_code_that_runs() -> None:
    (shown,) = re.findall(r"## What the demo does.*?```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    for function in shown.split("\n\n\n"):
        assert function.strip() in Path(story.__file__).read_text("utf-8")


EXPECTED = {
    "Await it in a service": r"\{'job': 'ftjob-\w{24}', 'status': 'validating_files'\}\n",
    "Iterate over all jobs": (
        r"[1-9]\d* tokens trained in all\n5 jobs of the blue team, the last of 20.*\+00:00\n"
        r"10 jobs on a page, more: True\n10 jobs on a page, more: True\n5 jobs on a page, more: False\n"
    ),
    "Make it a stage of a pipeline": r"20 models to deploy\n",
}


@pytest.mark.parametrize(("title", "program"), PROGRAMS)
def test_a_program_runs_as_it_stands(title: str, program: str, tmp_path: Path) -> None:
    assert re.fullmatch(EXPECTED[title], run(program, tmp_path))


def test_each_of_the_two_commands_is_one_line_that_makes_its_own_environment() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    setup = "python3 -m venv .venv && .venv/bin/pip install --quiet -e '.["
    assert [block.startswith(setup) and block.count("\n") == 1 for block in blocks[:2]] == [True, True]
    assert blocks[0].endswith(".venv/bin/fine-tuning demo\n")
    assert blocks[1].endswith(".venv/bin/python -m pytest\n")
