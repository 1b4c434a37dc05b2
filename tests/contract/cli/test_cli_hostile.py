"""A server that would like to write on the terminal, or in the shell, of whoever looks at its answers."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from fine_tuning_async.archive import Archive
from fine_tuning_async.cli.output import harmless
from tests.contract.cli.in_process import Terminal
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.contract.cli.in_process import Command

EVIL = "\x1b]0;title\x07\x9b31m\u202e\r\n$(touch here)'"
COMMAND = re.compile("\x1b\\]|\x07|\x9b|\u202e")
OURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def job(job_id: str, status: str = "succeeded") -> dict[str, object]:
    said = {name: name + EVIL for name in ("model", "fine_tuned_model", "user_provided_suffix", "other" + EVIL)}
    more = {"metadata": {EVIL: EVIL}, "method": {"type": EVIL}, "result_files": [f"file-{EVIL}"]}
    times = {"created_at": 1_700_000_000_000}  # milliseconds
    return {"id": job_id, "status": status, "training_file": f"file-{EVIL}", **times, **said, **more}


def event(number: int) -> dict[str, object]:
    more = {"type": "metrics", "data": {"step": number, "total_steps": 3, "train_loss": 0.5}}
    times = {"created_at": 1_700_000_000_000 + number}
    return {"id": f"event-{number} {EVIL}", "level": EVIL, "message": f"said {EVIL}", **times, **more}


def listing(*documents: dict[str, object]) -> dict[str, object]:
    return {"object": "list", "data": documents, "has_more": False}


async def answer(request: web.Request) -> web.Response:
    match request.path.split("/")[3:]:
        case ["jobs"] if request.method == "GET":
            return web.json_response(listing(job("ftjob-1"), job(EVIL)))
        case ["jobs"]:
            return web.json_response(job("ftjob-1"))
        case ["jobs", _, "events"]:
            return web.json_response(listing(event(2), event(1)))
        case ["jobs", _, "checkpoints"]:
            return web.json_response(listing())
        case ["jobs", job_id, *_]:
            return web.json_response(job(job_id, "running " + EVIL if job_id == "ftjob-running" else "succeeded"))
    return web.json_response({"error": {"message": EVIL, "code": EVIL, "param": EVIL}}, status=404)


@pytest.fixture
async def evil(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.chdir(tmp_path)
    async with mounted(app) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        yield


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    return Terminal()


@pytest.mark.usefixtures("evil")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("jobs list", 0),
        ("jobs list --json", 0),
        ("jobs get ftjob-1", 0),
        ("jobs get ftjob-1 --json", 0),
        ("jobs get ftjob-1 --columns metadata", 0),
        ("jobs events ftjob-1", 0),
        ("jobs wait ftjob-1", 0),
        ("jobs wait ftjob-running --max-wait 1", 5),
        ("jobs follow ftjob-1", 0),
        ("jobs follow ftjob-1 --json", 0),
        ("jobs create --file file-1 --idempotency-key a", 0),
        ("files list", 4),
        ("archive copy --no-permissions", 0),
    ],
)
@pytest.mark.parametrize("on_terminal", [False, True])
async def test_nothing_that_it_says_is_a_command(
    words: str,
    code: int,
    on_terminal: bool,
    command: Command,
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        if on_terminal:
            patch.setattr(sys, "stdout", terminal)
        done = await command.within(*words.split())
    written = OURS.sub("", done.out + done.err + terminal.getvalue())
    assert done.code == code
    assert not COMMAND.search(written)
    assert "\x1b" not in written


@pytest.mark.usefixtures("evil")
async def test_json_says_what_it_said(command: Command) -> None:
    assert (await command.within("jobs", "list", "--json")).documents == [job("ftjob-1"), job(EVIL)]


@pytest.mark.usefixtures("evil")
async def test_the_words_to_come_back_are_words_of_a_shell(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await command.within("jobs", "follow", "ftjob-running", "--project", "a b")
    err = capsys.readouterr().err
    assert not COMMAND.search(err)
    words = shlex.split(err.partition("come back: ")[2])
    assert words[:4] == ["fine-tuning", "jobs", "follow", "ftjob-running"]
    assert words[4:-2] == ["--after", harmless(f"event-2 {EVIL}")]
    assert words[-2:] == ["--project", "a b"]


@pytest.mark.usefixtures("evil")
async def test_an_archive_of_it_shows_no_command_either(command: Command, tmp_path: Path) -> None:
    await command.within("archive", "copy", "--no-permissions")
    for words in (["copy"], ["copy", "ftjob-1"], ["copy", "ftjob-1", "--json"], ["copy", "--json"]):
        done = await command.within("archive", "show", *words)
        assert done.code == 0
        assert not COMMAND.search(done.out + done.err)
        assert "\x1b" not in done.out + done.err
    with Archive(tmp_path / "copy") as archive:
        assert archive.job("ftjob-1").model == f"model{EVIL}"
