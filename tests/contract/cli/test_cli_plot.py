"""`jobs plot` against the local server: in the terminal, as pictures, as a page."""

from __future__ import annotations

import re
import struct
import sys
from base64 import b64decode
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.contract.cli.in_process import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from fine_tuning_async.server import LocalServer
    from tests.contract.cli.in_process import Command

GRADER = '{"type": "string_check", "name": "same", "input": "a", "reference": "b", "operation": "eq"}'
PICTURES = pytest.mark.skipif(
    "not __import__('importlib.util').util.find_spec('matplotlib')", reason="needs matplotlib"
)


@pytest.fixture
def jobs(server: LocalServer, command: Command, job_id: str) -> list[str]:
    """Two jobs that have succeeded, the second with a validation file."""
    words = ("--file", "train.jsonl", "--validation-file", "train.jsonl", "--suffix", "_tried & <true>")
    second = command("jobs", "create", *words, "--columns", "id").out.split()[-1]
    for each in (job_id, second):
        server.finish(each)
    return [job_id, second]


def test_in_a_pipe_it_is_a_chart_in_ascii(command: Command, jobs: list[str]) -> None:
    done = command("jobs", "plot", *jobs)
    assert (done.code, done.err) == (0, "")
    assert done.out.isascii()
    assert re.findall(r"^[a-z].*", done.out, re.MULTILINE) == [
        "loss, mean of 5 steps",
        "accuracy, mean of 5 steps",
    ]
    assert re.search(r"\*\* sums training \d\.\d\d   oo _tried & <true> training \d\.\d\d", done.out)
    assert re.search(r"xx _tried & <true> validation \d\.\d\d", done.out)


def test_on_a_terminal_it_has_colours(command: Command, jobs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        assert command("jobs", "plot", *jobs).code == 0
    assert re.search(r"[\u2801-\u28ff]{3}", re.sub(r"\x1b\[\d*m", "", terminal.getvalue()))
    assert len(set(re.findall(r"\x1b\[3\dm", terminal.getvalue()))) == 3


def test_as_json_it_is_every_figure_of_every_step(command: Command, jobs: list[str]) -> None:
    rows = command("jobs", "plot", *jobs, jobs[0], "--json").documents
    assert [row["job_id"] for row in rows] == sorted((row["job_id"] for row in rows), key=jobs.index)
    assert [row["step"] for row in rows if row["job_id"] == jobs[1]] == [*range(1, len(rows) // 2 + 1)]
    assert "valid_loss" in rows[-1]
    assert "valid_loss" not in rows[0]


def test_a_job_that_runs_is_drawn_from_its_events(server: LocalServer, command: Command, job_id: str) -> None:
    server.advance(40)
    assert command("jobs", "get", job_id, "--json").documents[0]["result_files"] == []
    steps = [row["step"] for row in command("jobs", "plot", job_id, "--json").documents]
    assert steps == [*range(1, len(steps) + 1)]
    assert len(steps) > 3


def test_a_job_whose_result_file_is_gone_is_drawn_from_its_events(command: Command, jobs: list[str]) -> None:
    whole = command("jobs", "plot", jobs[0], "--json").documents
    (file,) = command("jobs", "get", jobs[0], "--json").documents[0]["result_files"]
    assert command("files", "delete", file).code == 0
    rows = command("jobs", "plot", jobs[0], "--json").documents
    assert [row["train_loss"] for row in rows] == [row["train_loss"] for row in whole]


def test_rewards_are_drawn_of_reinforcement_jobs(server: LocalServer, command: Command, here: Path) -> None:
    words = ("--file", "train.jsonl", "--no-check", "--method", "reinforcement", "--grader", GRADER)
    row = '{"messages": [{"role": "user", "content": "%d"}], "b": "x"}\n'
    (here / "train.jsonl").write_text("".join(row % number for number in range(12)))
    job_id = command("jobs", "create", *words, "--columns", "id").out.split()[-1]
    server.finish(job_id)
    assert "\nreward\n" in command("jobs", "plot", job_id, "--smooth", "1").out


def test_a_job_without_figures_is_told_of(server: LocalServer, command: Command, job_id: str) -> None:
    done = command("jobs", "plot", job_id)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        f"fine-tuning: {job_id} has no figures yet; it is validating_files",
        "fine-tuning: there is nothing to draw",
    ]


@PICTURES
def test_a_picture_in_svg_names_axes_and_is_the_same_again(command: Command, jobs: list[str], here: Path) -> None:
    done = command("jobs", "plot", *jobs, "-o", "one.svg", "--smooth", "1")
    assert (done.code, done.out, done.err) == (0, "", "fine-tuning: wrote one.svg\n")
    command("jobs", "plot", *jobs, "-o", "two.svg", "--smooth", "1")
    text = (here / "one.svg").read_text()
    assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314 - our own
    assert (here / "two.svg").read_text() == text
    labels = re.findall(r"<!--\s*(.*?)\s*-->", text)
    assert {"step", "loss", "accuracy", "sums training"} <= {*labels}
    assert any("_tried" in label and "validation" in label for label in labels)


@PICTURES
def test_a_picture_in_png_has_a_size_and_can_be_dark(command: Command, jobs: list[str], here: Path) -> None:
    for name, words in (("light.png", ()), ("dark.PNG", ("--dark",))):
        assert command("jobs", "plot", jobs[0], "-o", name, *words).code == 0
    light, dark = ((here / name).read_bytes() for name in ("light.png", "dark.PNG"))
    assert light[:8] == dark[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", light[16:24])[0] >= 1000
    assert light != dark


@PICTURES
def test_a_page_needs_nothing_beside_itself(command: Command, jobs: list[str], here: Path) -> None:
    assert command("jobs", "plot", *jobs, "-o", "page.html").code == 0
    page = (here / "page.html").read_text()
    pictures = re.findall(r'="data:image/svg\+xml;base64,([^"]+)"', page)
    assert len({*pictures}) == 2
    assert all(b"<svg" in b64decode(each) for each in pictures)
    assert "prefers-color-scheme: dark" in page
    assert "_tried &amp; &lt;true&gt;" in page
    assert "<true>" not in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("-o", "curve.gif"), 2, "must end in .svg, .png, .html"),
        (("--smooth", "0"), 2, "at least 1"),
        pytest.param(("-o", "no/such/folder.svg"), 1, "cannot be written: No such file", marks=PICTURES),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    words: tuple[str, ...], code: int, reason: str, command: Command, jobs: list[str]
) -> None:
    done = command("jobs", "plot", jobs[0], *words)
    assert (done.code, done.out) == (code, "")
    assert reason in done.err
