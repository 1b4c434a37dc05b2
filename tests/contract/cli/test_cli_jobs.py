"""The `jobs` commands against the local server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import to_dict
from fine_tuning_async.client import FineTuningClient
from fine_tuning_async.server import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fine_tuning_async.server import LocalServer
    from tests.contract.cli.in_process import Command


@pytest.mark.real_time
async def test_json_is_what_the_server_sent(server: LocalServer, command: Command, job_id: str) -> None:
    server.finish(job_id)
    async with FineTuningClient() as client:
        job = await client.retrieve_job(job_id)
        events = await client.list_events(job_id).collect()
        checkpoints = await client.list_checkpoints(job_id).collect()
    assert (await command.within("jobs", "get", job_id, "--json")).documents == [to_dict(job)]
    assert (await command.within("jobs", "list", "--json")).documents == [to_dict(job)]
    assert (await command.within("jobs", "events", job_id, "--json")).documents == [*map(to_dict, events)]
    done = await command.within("jobs", "checkpoints", job_id, "--json")
    assert done.documents == [*map(to_dict, checkpoints)]
    assert len(checkpoints) >= 2


def test_a_list_is_a_table_in_a_pipe_without_colour(command: Command, job_id: str) -> None:
    done = command("jobs", "list")
    assert done.code == 0
    assert "\x1b" not in done.out
    headings, row = done.rows
    assert headings[:4] == ["id", "status", "user_provided_suffix", "method.type"]
    assert row[:4] == [job_id, "validating_files", "sums", "supervised"]


def test_every_page_is_listed_and_max_items_bounds_it(server: LocalServer, command: Command, job_id: str) -> None:
    file = command("jobs", "get", job_id, "--json").documents[0]["training_file"]
    for _ in range(4):
        command("jobs", "create", "--training-file", file)
    ids = [each["id"] for each in command("jobs", "list", "--limit", "2", "--json").documents]
    assert len(ids) == len(set(ids)) == 5
    assert [row[0] for row in command("jobs", "list", "--limit", "2", "--max-items", "3").rows] == ["id", *ids[:3]]
    after = command("jobs", "list", "--after", ids[1], "--columns", "id")
    assert after.out.split() == ["id", *ids[2:]]


def test_a_list_that_breaks_off_says_how_to_go_on(server: LocalServer, command: Command, job_id: str) -> None:
    file = command("jobs", "get", job_id, "--json").documents[0]["training_file"]
    for _ in range(3):
        command("jobs", "create", "--file", file)
    whole = command("jobs", "list", "--columns", "id").out.split()
    server.faults.once(Fault.status(403), method="GET", skip=1)
    done = command("jobs", "list", "--columns", "id", "--limit", "2")
    assert (done.code, done.out.split()) == (3, whole[:3])
    assert done.err.endswith(f"to go on behind it, add: --after {whole[2]}\n")


def test_lists_are_filtered_by_metadata(command: Command, job_id: str) -> None:
    file = command("jobs", "get", job_id, "--json").documents[0]["training_file"]
    command("jobs", "create", "--file", file, "--metadata", "team=blue", "--metadata", "run=7")
    done = command("jobs", "list", "--metadata", "team=blue", "--columns", "metadata.team,metadata.run")
    assert done.rows == [["metadata.team", "metadata.run"], ["blue", "7"]]
    assert command("jobs", "list", "--metadata", "team=red").out == ""
    assert command("jobs", "list", "--metadata", "null", "--json").out == ""


def test_one_thing_is_shown_field_by_field(server: LocalServer, command: Command, job_id: str) -> None:
    server.finish(job_id)
    out = command("jobs", "get", job_id).out
    fields = dict(line.split(None, 1) for line in out.splitlines())
    assert fields["id"] == job_id
    assert fields["status"] == "succeeded"
    assert fields["created_at"].count("-") == 2
    assert "error" not in fields


def test_a_job_is_paused_resumed_and_cancelled(server: LocalServer, command: Command, job_id: str) -> None:
    server.advance(minutes=1)

    def statuses(verb: str) -> list[str]:
        return command("jobs", verb, job_id, "--columns", "status").out.split()[1:]

    assert statuses("pause")[0].startswith("paus")
    server.advance(minutes=1)
    assert statuses("resume")[0] in {"queued", "running"}
    assert statuses("cancel") == ["cancelled"]


def test_wait_tells_the_end_by_its_exit_code(server: LocalServer, command: Command, job_id: str) -> None:
    server.finish(job_id)
    done = command("jobs", "wait", job_id)
    assert (done.code, done.err) == (0, "")
    assert done.rows[-1][:2] == [job_id, "succeeded"]


def test_waiting_for_a_job_that_fails_exits_with_1_and_the_reason(
    server: LocalServer, command: Command, job_id: str
) -> None:
    server.fail(job_id, code="bad_data", message="Example 7 is not good")
    done = command("jobs", "wait", job_id, "--json")
    assert done.code == 1
    assert done.documents[-1]["status"] == "failed"
    assert done.err == f"fine-tuning: job {job_id} ended as failed: bad_data: Example 7 is not good\n"


def test_a_wait_that_takes_too_long_is_given_up(command: Command, job_id: str) -> None:
    done = command("jobs", "wait", job_id, "--max-wait", "0.05", "--poll", "0.01")
    assert done.code == 5
    assert done.err == f"fine-tuning: not ended in 0.05 s, and going on: {job_id}\n"


def test_a_wait_that_never_saw_a_job_does_not_say_how_it_is(
    server: LocalServer, command: Command, job_id: str
) -> None:
    with server.faults.add(Fault.status(500)):
        done = command("jobs", "wait", job_id, "--max-wait", "0.05", "--poll", "0.01")
    assert (done.code, done.out) == (5, "")
    assert done.err == f"fine-tuning: not seen in 0.05 s: {job_id}\n"


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_wait_takes_some_time(seconds: str, command: Command, job_id: str) -> None:
    done = command("jobs", "wait", job_id, "--max-wait", seconds)
    assert (done.code, done.out) == (2, "")
    assert "a number of seconds above 0" in done.err


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["jobs", "get", "ftjob-none"], 4, "check the id"),
        (["jobs", "follow", "ftjob-none"], 4, "(request req_"),
        (["jobs", "get", ".."], 2, ".."),
        (["jobs", "list", "--columns", "id,,status"], 2, "separated by commas"),
        (["jobs", "list", "--metadata", "team"], 2, "KEY=VALUE"),
        (["jobs", "list", "--limit", "0"], 2, "limit"),
        (["jobs", "cancel"], 2, "JOB_ID"),
        (["jobs", "create"], 2, "--training-file"),
        (["jobs", "list", "--local", "--base-url", "http://127.0.0.1:9"], 2, "exclude each other"),
        (["jobs", "list", "--endpoint", "http://127.0.0.1:9"], 2, "--azure"),
        (["jobs", "list", "--db", "x.db"], 2, "--local"),
        (["jobs", "list", "--azure"], 3, "AZURE_OPENAI_API_KEY"),
    ],
)
def test_what_is_wrong_is_one_line_and_an_exit_code(
    words: list[str], code: int, reason: str, server: LocalServer, command: Command
) -> None:
    done = command(*words)
    assert (done.code, done.out) == (code, "")
    assert reason in done.err
    assert done.err.startswith("fine-tuning: ")
    assert done.err.count("\n") == 1


def test_a_column_that_no_job_has_is_refused(command: Command, job_id: str) -> None:
    done = command("jobs", "list", "--columns", "id,stauts")
    assert (done.code, done.out) == (2, "")
    assert "there is no column 'stauts'; there are created_at, " in done.err


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.status(401), 3),
        (Fault.status(403), 3),
        (Fault.status(404), 4),
        (Fault.status(409), 1),
        (Fault.rate_limited(9999), 5),
        (Fault.status(500), 5),
        (Fault.malformed(), 1),
    ],
    ids=str,
)
def test_each_failure_has_its_exit_code(fault: Fault, code: int, server: LocalServer, command: Command) -> None:
    server.faults.once(fault)
    done = command("jobs", "cancel", "ftjob-none")
    assert done.code == code
    assert done.err.count("\n") == 1


def test_without_a_key_nothing_is_sent(
    server: LocalServer, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    done = command("jobs", "list")
    assert (done.code, done.err) == (3, "fine-tuning: there is no key: set OPENAI_API_KEY, or use --local\n")
    assert server.requests == []


def test_a_server_that_is_not_there_is_exit_code_5(server: LocalServer, command: Command) -> None:
    done = command("jobs", "list", "--base-url", "http://127.0.0.1:9/v1", "--timeout", "0.2")
    assert done.code == 5
    assert "127.0.0.1:9" in done.err
    assert done.err.count("\n") == 1


def test_debug_tells_of_each_attempt_and_keeps_the_traceback(server: LocalServer, command: Command) -> None:
    done = command("jobs", "get", "ftjob-none", "--debug")
    assert done.code == 4
    assert "outcome=404" in done.err
    assert "Traceback" in done.err
    assert done.err.splitlines()[-1].startswith("fine-tuning: GET ")
    assert "sk-test" not in done.err


def test_a_local_server_lives_as_long_as_its_command(command: Command, here: Path) -> None:
    made = command("jobs", "create", "--file", "train.jsonl", "--local", "--db", "jobs.db", "--json")
    assert made.code == 0
    kept = command("jobs", "list", "--local", "--db", "jobs.db", "--columns", "id")
    assert kept.out.split() == ["id", made.documents[0]["id"]]
    assert command("jobs", "list", "--local").out == ""
    assert command("jobs", "create", "--file", "train.jsonl", "--local").err == (
        "fine-tuning: the job is gone with its local server; --db keeps it, --follow shows its training\n"
    )


def test_a_local_server_is_not_told_of_the_users_account(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody")
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "no\nheader")  # which could not be sent
    done = command("jobs", "list", "--local", "--json", "--debug")
    assert done.code == 0
    assert "of-somebody" not in done.err


def test_text_from_the_server_cannot_steer_the_terminal(
    server: LocalServer, command: Command, job_id: str
) -> None:
    server.fail(job_id, message="red \x1b[31malert\x1b[0m\nsecond line")
    done = command("jobs", "wait", job_id)
    assert "\x1b" not in done.err + command("jobs", "get", job_id).out
    assert r"red \x1b[31malert\x1b[0m second line" in done.err


def azure(server: LocalServer) -> Mapping[str, str]:
    return {"AZURE_OPENAI_ENDPOINT": server.url, "AZURE_OPENAI_API_KEY": "any"}


def test_azure_is_reached_by_its_variables_or_options(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fine_tuning_async.server import LocalServer  # noqa: PLC0415 - one of another kind

    with LocalServer(like="azure") as server:
        for name, value in azure(server).items():
            monkeypatch.setenv(name, value)
        done = command("files", "upload", "train.jsonl", "--azure", "--columns", "filename")
        assert done.out.split() == ["filename", "train.jsonl"]
        monkeypatch.delenv("AZURE_OPENAI_ENDPOINT")
        done = command(
            "files", "list", "--azure", "--endpoint", server.url, "--api-version", "2024-10-21", "--json"
        )
        assert [each["filename"] for each in done.documents] == ["train.jsonl"]
