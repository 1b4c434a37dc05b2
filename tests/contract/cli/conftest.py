"""The command as a process of its own, and inside the test's."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from fine_tuning_async.server import LocalServer
from tests.contract.cli.in_process import TRAINING, Command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the command runs, and where it would leave its temporary files."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    return {**kept, "TMPDIR": str(folder), "TERM": "xterm-256color", "PYTHONUTF8": "1"}


@pytest.fixture
def start(folder: Path, environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `fine-tuning` with some words; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-W", "error", "-m", "fine_tuning_async", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**environment, **variables},
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def running() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture
def server(running: LocalServer, monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    """A server whose clock stands still, and which the environment leads the command to."""
    running.reset()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", running.url)
    return running


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a training file in it, which the command runs in."""
    (tmp_path / "train.jsonl").write_text(TRAINING)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def job_id(server: LocalServer, command: Command, here: Path) -> str:
    done = command("jobs", "create", "--file", "train.jsonl", "--suffix", "sums", "--columns", "id")
    return done.out.split()[-1]


@pytest.fixture
async def mounted(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalServer]:
    """A server in the loop of the test, whose minutes are seconds."""
    server = LocalServer(speed=60)
    runner = web.AppRunner(server.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://{host}:{port}/v1")
    yield server
    await runner.cleanup()
