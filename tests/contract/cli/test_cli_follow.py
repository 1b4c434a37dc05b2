"""Following jobs, on virtual time, against a server in the test's own loop."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import Fault
from tests.contract.cli.in_process import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from fine_tuning_async.server import LocalServer
    from tests.contract.cli.in_process import Command

CREATE = ("jobs", "create", "--file", "train.jsonl", "--suffix", "sums")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return terminal


async def test_a_job_is_created_and_followed_to_its_end(
    mounted: LocalServer, command: Command, here: Path
) -> None:
    done = await command.within(*CREATE, "--follow")
    lines = done.out.splitlines()
    assert done.code == 0
    assert "\x1b" not in done.out
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  Created fine-tuning job: ftjob-\w+", lines[0])
    steps = re.findall(r"Step (\d+)/(\d+): training loss=", done.out)
    assert [int(step) for step, _ in steps] == [*range(1, int(steps[0][1]) + 1)]
    assert lines[-2].endswith("The job has successfully completed")
    assert re.fullmatch(r"ftjob-\w+  succeeded  ft:\S+:sums:\w+", lines[-1])


async def test_followed_as_json_all_is_json(mounted: LocalServer, command: Command, here: Path) -> None:
    kinds = [each["object"] for each in (await command.within(*CREATE, "--follow", "--json")).documents]
    assert kinds[0] == kinds[-1] == "fine_tuning.job"
    assert set(kinds[1:-1]) == {"fine_tuning.job.event"}


async def test_a_job_that_fails_is_exit_code_1_with_the_reason(
    mounted: LocalServer, command: Command, here: Path
) -> None:
    (here / "train.jsonl").write_text('{"messages": []}\n' * 12)
    done = await command.within(*CREATE, "--follow", "--no-check")
    assert done.code == 1
    assert "  failed" in done.out.splitlines()[-1]
    assert re.search(
        r"^fine-tuning: job ftjob-\w+ ended as failed: invalid_training_file: ", done.err, re.MULTILINE
    )


async def test_following_goes_on_after_the_last_event_seen(
    mounted: LocalServer, command: Command, here: Path
) -> None:
    job, *events, _ = (await command.within(*CREATE, "--follow", "--json")).documents
    rest = await command.within("jobs", "follow", job["id"], "--after", events[-3]["id"], "--json")
    assert rest.documents[:-1] == events[-2:]


async def test_interrupted_it_detaches_and_says_how_to_go_on(
    mounted: LocalServer, command: Command, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = asyncio.create_task(command.within(*CREATE, "--follow"))
    await asyncio.sleep(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    said = capsys.readouterr().err.splitlines()[-1]
    (job_id, after) = re.findall(r"To come back: fine-tuning jobs follow (\S+) --after (\S+)$", said)[0]
    done = await command.within("jobs", "follow", job_id, "--after", after)
    assert done.code == 0
    assert "Created fine-tuning job" not in done.out


async def test_interrupted_on_the_way_to_a_job_it_says_how_to_find_it(
    mounted: LocalServer, command: Command, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mounted.faults.once(Fault.reply_delayed(15), method="POST", path="/fine_tuning/jobs")
    task = asyncio.create_task(command.within(*CREATE))
    await asyncio.sleep(10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (key,) = re.findall(
        r"^fine-tuning: interrupted; .* add: --idempotency-key (\S+)$", capsys.readouterr().err, re.MULTILINE
    )
    done = await command.within(*CREATE, "--idempotency-key", key, "--json")
    assert done.code == 0
    assert (await command.within("jobs", "list", "--json")).documents == done.documents


async def test_several_jobs_are_waited_for(mounted: LocalServer, command: Command, here: Path) -> None:
    first = (await command.within(*CREATE, "--json")).documents[0]["id"]
    (here / "train.jsonl").write_text('{"messages": []}\n' * 12)
    second = (await command.within(*CREATE, "--no-check", "--json")).documents[0]["id"]
    done = await command.within("jobs", "wait", first, second)
    assert done.code == 1
    ends = {row[0]: row[1] for row in done.rows}
    assert ends == {first: "succeeded", second: "failed"}
    assert done.err.count("\n") == 1


async def test_a_terminal_shows_events_above_a_bar(
    mounted: LocalServer, command: Command, here: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        code = (await command.within(*CREATE, "--follow")).code
    written = terminal.getvalue()
    text = ESCAPE.sub("", written)
    assert code == 0
    assert re.search(r"sums +supervised +━+ step \d+/\d+ +loss \d\.\d\d succeeded", text)
    assert "The job has successfully completed" in text
    assert re.search(r"\x1b\[\d*;?3\dm", written)


async def test_a_terminal_without_colours_gets_none(
    mounted: LocalServer, command: Command, here: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    job_id = (await command.within(*CREATE, "--json")).documents[0]["id"]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        assert (await command.within("jobs", "wait", job_id)).code == 0
        assert (await command.within("jobs", "list")).code == 0
        assert (await command.within("jobs", "get", job_id)).code == 0
    written = terminal.getvalue()
    assert "succeeded" in written
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|38;[0-9;]+)m", written)


async def test_a_table_on_a_terminal_is_no_wider_than_it(
    mounted: LocalServer, command: Command, here: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    await command.within(*CREATE)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        await command.within("jobs", "list")
    lines = ESCAPE.sub("", terminal.getvalue()).splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) == 50
    assert lines[1].endswith("…")
