"""`fine-tuning archive` and its commands, and `fine-tuning serve --archive`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from fine_tuning_async import Archive, ArchiveProgress, FineTuningClient, archive_account
from fine_tuning_async.cli import archive_telling as telling
from fine_tuning_async.cli.command import run
from fine_tuning_async.server import Fault, LocalServer
from tests.contract.test_archive import create
from tests.contract.test_archive_fidelity import Account, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from subprocess import Popen

Words = tuple[int, str, str]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    async def fill(local: LocalServer) -> None:
        async with FineTuningClient("k", base_url=local.url) as client:
            for number in range(2):
                local.finish((await create(client, number)).id)

    with LocalServer() as local:
        local.advance(minutes=60)
        asyncio.run(fill(local))
        yield local


@pytest.fixture
def command(
    server: LocalServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Words]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-any")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)

    def say(*words: object) -> Words:
        code = run(["archive", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return say


def test_it_makes_shows_exports_and_verifies_an_archive(command: Callable[..., Words], tmp_path: Path) -> None:
    directory = tmp_path / "account"
    code, out, err = command(directory, "--verify")
    assert (code, err) == (0, "")
    assert out.startswith("2 jobs, 2 of them fetched now, with 4 files")
    assert "\nsound: 4 contents" in out
    code, out, _ = command(directory, "--json", "--no-permissions")
    assert json.loads(out)["fetched"] == 0
    code, out, _ = command("show", directory)
    assert "jobs         2\n  succeeded         2\n" in out
    assert json.loads(command("show", directory, "--json")[1])["jobs"] == {"succeeded": 2}
    code, lines, _ = command("export", directory)
    assert command("export", directory, "-o", tmp_path / "lines.jsonl") == (0, "", "")
    assert (tmp_path / "lines.jsonl").read_text("utf-8") == lines
    first = json.loads(lines.splitlines()[0])
    code, out, _ = command("show", directory, first["id"])
    assert out.startswith(f"{first['id']}  succeeded  gpt-4o-mini")
    assert "The job has successfully completed" in out
    code, out, _ = command("show", directory, first["id"], "--json")
    assert {json.loads(line)["kind"] for line in out.splitlines()} == {"job", "event", "checkpoint"}


def test_damage_and_gaps_are_told(command: Callable[..., Words], server: LocalServer, tmp_path: Path) -> None:
    with server.faults.add(Fault.status(403), path="/fine_tuning/checkpoints/*/permissions"):
        _, out, _ = command(tmp_path / "account")
    assert "1 gap: see `fine-tuning archive show" in out
    assert "permissions (all): The server was told to answer 403." in command("show", tmp_path / "account")[1]
    path = next(each for each in (tmp_path / "account" / "contents").rglob("*") if each.is_file())
    path.write_bytes(b"other")
    code, out, _ = command("verify", tmp_path / "account")
    assert code == 1
    assert str(path) in out
    code, out, _ = command("verify", tmp_path / "account", "--json")
    assert json.loads(out)["damages"][0]["path"] == str(path)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "nothing"], 1, "there is no archive in 'nothing'"),
        (["export", "nothing"], 1, "there is no archive in 'nothing'"),
        ([], 2, "requires an argument"),
        (["x", "--azure", "--base-url", "http://localhost"], 2, "exclude each other"),
    ],
)
def test_what_cannot_be_is_one_line(words: list[str], code: int, said: str, command: Callable[..., Words]) -> None:
    found, out, err = command(*words)
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert said in err


def test_an_admin_key_is_used_for_permissions_alone(
    command: Callable[..., Words], server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-invalid-admin")  # which the local server refuses
    assert command(tmp_path / "account")[0] == 0
    assert "permissions (all): Incorrect API key provided" in command("show", tmp_path / "account")[1]


def test_an_archive_is_served_until_a_signal(
    command: Callable[..., Words], start: Callable[..., Popen[str]], tmp_path: Path
) -> None:
    command(tmp_path / "account")
    process = start("serve", "--archive", str(tmp_path / "account"))
    assert process.stdout is not None
    url = process.stdout.readline().strip().removeprefix("listening on ")
    with urlopen(f"{url}/fine_tuning/jobs") as answer:  # noqa: S310 - our own server
        assert len(json.load(answer)["data"]) == 2
    with pytest.raises(HTTPError, match="405"):
        urlopen(Request(f"{url}/fine_tuning/jobs", b"{}", method="POST"))  # noqa: S310 - as above
    process.terminate()
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0


@pytest.mark.parametrize("others", [["--db", "x"], ["--seed", "1"], ["--like", "azure"], ["--speed", "1"]])
def test_an_archive_goes_with_nothing_that_makes_jobs(
    others: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["serve", "--archive", str(tmp_path), *others]) == 2
    assert "only --host and --port go with it" in capsys.readouterr().err
    assert run(["serve", "--archive", str(tmp_path)]) == 1
    assert "there is no archive" in capsys.readouterr().err


def test_progress_is_one_line() -> None:
    told = ArchiveProgress(
        listing=True,
        listed=100,
        jobs=3,
        jobs_known=100,
        files=2,
        files_known=101,
        permissions=0,
        permissions_known=9,
        gaps=1,
        size=1_234_567,
        seconds=1.5,
        remaining=None,
    )
    line = "3 of 100+ jobs, 2 of 101+ files (1.2 MB), 0 of 9+ permissions, 1 gap, listing"
    assert telling.in_one_line(told) == line


def test_who_stops_a_run_is_told_that_it_can_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(asyncio.CancelledError), telling.progress():
        raise asyncio.CancelledError
    assert capsys.readouterr().err == (
        "fine-tuning: stopped; what was fetched is kept: run it again, and it goes on\n"
    )


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min")])
def test_durations(seconds: float, text: str) -> None:
    assert telling.duration(seconds) == text


async def test_a_time_that_is_none_is_shown_as_it_came(tmp_path: Path) -> None:
    milliseconds = 1_700_000_000_000
    account = Account(f'{{"id":"ftjob-1","status":"succeeded","model":"m","created_at":{milliseconds}}}')
    account.events = [f'{{"id":"e1","message":"begun","created_at":{milliseconds}}}']
    async with told(account) as client:
        await archive_account(client, tmp_path)
    with Archive(tmp_path) as archive:
        lines = list(telling.of_job(archive, "ftjob-1"))
    assert lines == [f"ftjob-1  succeeded  m  {milliseconds}", f"{milliseconds}  begun"]


def test_one_is_not_many() -> None:
    assert [telling.counted(number, "job") for number in (0, 1, 1200)] == ["0 jobs", "1 job", "1,200 jobs"]
