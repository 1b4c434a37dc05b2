"""The page about the command: what it shows is what is printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.cli.command import COMMANDS, EXIT_CODES, root_app, run_async
from fine_tuning_async.cli.demo import material

if TYPE_CHECKING:
    from fine_tuning_async.server import LocalServer

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "command-line.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def examples(text: str) -> list[tuple[str, str]]:
    """Return the commands of a page, each with what it prints."""
    return [(example[1], example[2]) for block in BLOCK.findall(text) for example in EXAMPLE.finditer(block)]


def pattern(text: str) -> str:
    """Read `…` as anything in a line, and alone on a line, as any lines."""
    lines = [
        "(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in text.splitlines()
    ]
    return "".join(lines)


@pytest.mark.parametrize("page", [PAGE, README], ids=["page", "README"])
async def test_every_example_prints_what_the_page_says(
    page: str,
    mounted: LocalServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    material.write_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert examples(page)
    code = None
    for words, expected in examples(page):
        name, *rest = shlex.split(words.replace("\\\n", ""))
        if name == "echo":
            assert expected == f"{code}\n"
            continue
        assert name == "fine-tuning"
        code = int(await run_async(rest))
        out, err = capfd.readouterr()
        assert re.fullmatch(pattern(expected), err + out), f"{words}\n{err}{out}"


def test_every_command_has_its_place_on_the_page() -> None:
    app = root_app()
    for name in COMMANDS:
        words = [f"{name} {each}" for each in app[name].resolved_commands() if not each.startswith("-")]
        for each in words or [name]:
            assert f"`{each}" in PAGE


def test_every_exit_code_is_explained() -> None:
    assert all(f"| {int(code)} | " in PAGE for code, _ in EXIT_CODES)
