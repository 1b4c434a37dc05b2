"""`jobs create`: in one go, and safe to run again."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import Fault
from tests.contract.server.http_api import Api

if TYPE_CHECKING:
    from pathlib import Path

    from fine_tuning_async.server import LocalServer
    from tests.contract.cli.in_process import Command

CREATE = ("jobs", "create", "--file", "train.jsonl", "--json")
GRADER = '{"type": "string_check", "name": "same", "input": "a", "reference": "b", "operation": "eq"}'


def sent(server: LocalServer, method: str = "POST") -> list[str]:
    return [each.path for each in server.requests if each.method == method]


def key_in(err: str) -> str:
    (key,) = re.findall(r"^fine-tuning: idempotency key (\S+); ", err, re.MULTILINE)
    return str(key)


def test_it_uploads_and_creates_and_says_its_key_first(server: LocalServer, command: Command, here: Path) -> None:
    (here / "valid.jsonl").write_text((here / "train.jsonl").read_text().replace("+ 2", "+ 3"))
    words = ("--validation-file", "valid.jsonl", "--method", "supervised", "--n-epochs", "3", "--suffix", "x")
    done = command(*CREATE, *words, "--seed", "7", "--metadata", "team=blue")
    (job,) = done.documents
    assert done.code == 0
    assert sent(server) == ["/v1/files", "/v1/files", "/v1/fine_tuning/jobs"]
    assert job["method"]["supervised"]["hyperparameters"]["n_epochs"] == 3
    assert (job["seed"], job["user_provided_suffix"], job["metadata"]["team"]) == (7, "x", "blue")
    assert job["validation_file"] != job["training_file"]
    assert job["metadata"]["idempotency_key"] == key_in(done.err)


def test_every_method_gets_its_settings(command: Command, server: LocalServer, here: Path) -> None:
    (here / "grader.json").write_text(GRADER)
    words = ("--method", "reinforcement", "--grader", "grader.json", "--eval-interval", "3", "--dry-run")
    body = command(*CREATE, *words, "--no-check").documents[-1]["json"]
    assert body["method"]["reinforcement"]["grader"]["operation"] == "eq"
    assert body["method"]["reinforcement"]["hyperparameters"] == {"eval_interval": 3}
    body = command(*CREATE, "--method", "dpo", "--beta", "auto", "--no-check", "--dry-run").documents[-1]["json"]
    assert body["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"beta": "auto"}}}
    body = command(*CREATE, "--extra-body", '{"trainingType": 1}', "--dry-run").documents[-1]["json"]
    assert "method" not in body
    assert body["trainingType"] == 1


def test_a_dry_run_sends_nothing_and_is_what_is_sent(server: LocalServer, command: Command, here: Path) -> None:
    rehearsed = command(*CREATE, "--dry-run", "--idempotency-key", "one").documents
    assert server.requests == []
    assert rehearsed[0] == {"method": "POST", "path": "/files", "filename": "train.jsonl", "bytes": 1106}
    file = command("files", "upload", "train.jsonl", "--json").documents[0]["id"]
    body = rehearsed[1]["json"]
    assert body["training_file"] == "<id of train.jsonl>"
    job = command(*CREATE, "--idempotency-key", "one").documents[0]
    assert job["training_file"] == file
    kept = ("idempotency_key", "contents_digest")
    assert [job["metadata"][name] for name in kept] == [body["metadata"][name] for name in kept]


def test_a_dry_run_is_readable(server: LocalServer, command: Command, here: Path) -> None:
    out = command("jobs", "create", "--file", "train.jsonl", "--dry-run").out
    assert out.startswith("POST /files: train.jsonl, 1,106 bytes, for fine-tune\nPOST /fine_tuning/jobs: {\n")


def test_running_it_again_with_its_key_makes_nothing_twice(
    server: LocalServer, command: Command, here: Path
) -> None:
    first = command(*CREATE)
    key = key_in(first.err)
    before = len(sent(server))
    again = command(*CREATE, "--idempotency-key", key)
    assert again.documents[0]["id"] == first.documents[0]["id"]
    assert "has made this job before" in again.err
    assert len(sent(server)) == before


def test_a_server_that_ignores_the_filter_does_not_pass_another_job_off(
    server: LocalServer, command: Command, here: Path
) -> None:
    other = command(*CREATE).documents[0]
    with server.faults.add(Fault.query_ignored("metadata")):
        done = command(*CREATE, "--idempotency-key", "one")
    assert done.code == 0
    assert done.documents[0]["id"] != other["id"]


def test_of_several_jobs_of_a_key_the_oldest_is_the_one(server: LocalServer, command: Command, here: Path) -> None:
    first = command(*CREATE, "--idempotency-key", "one").documents[0]
    server.advance(5)
    body = {name: first[name] for name in ("model", "training_file", "metadata")}
    assert Api(server.url).post("/fine_tuning/jobs", body).json["id"] != first["id"]
    assert command(*CREATE, "--idempotency-key", "one").documents[0]["id"] == first["id"]


def test_its_key_holds_when_the_file_is_gone_from_the_server(
    server: LocalServer, command: Command, here: Path
) -> None:
    first = command(*CREATE)
    command("files", "delete", first.documents[0]["training_file"])
    again = command(*CREATE, "--idempotency-key", key_in(first.err))
    assert (again.code, again.documents[0]["id"]) == (0, first.documents[0]["id"])


@pytest.mark.parametrize("words", [("--suffix", "y"), ("--n-epochs", "2"), ("--metadata", "a=b")])
def test_a_key_is_not_taken_for_another_job(
    words: tuple[str, ...], server: LocalServer, command: Command, here: Path
) -> None:
    key = key_in(command(*CREATE).err)
    done = command(*CREATE, *words, "--idempotency-key", key)
    assert (done.code, done.out) == (2, "")
    assert "with other contents or options; nothing was created" in done.err
    assert len(command("jobs", "list", "--json").documents) == 1


def test_a_key_is_not_taken_for_another_file_of_the_same_name(
    server: LocalServer, command: Command, here: Path
) -> None:
    key = key_in(command(*CREATE).err)
    path = here / "train.jsonl"
    path.write_text(path.read_text().replace("+ 2", "+ 9"))
    assert command(*CREATE, "--idempotency-key", key).code == 2


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        (Fault.status(400), "/fine_tuning/jobs"),
        (Fault.status(500, after_work=True), "/fine_tuning/jobs"),
        (Fault.reply_dropped(), "/fine_tuning/jobs"),
        (Fault.status(400, after_work=True), "/files"),
    ],
    ids=str,
)
def test_whatever_is_lost_the_second_run_ends_with_one_job_and_one_file(
    fault: Fault, path: str, server: LocalServer, command: Command, here: Path
) -> None:
    server.faults.once(fault, method="POST", path=path)
    first = command(*CREATE)
    key = key_in(first.err)
    second = command(*CREATE, "--idempotency-key", key)
    assert second.code == 0
    (job,) = command("jobs", "list", "--json").documents
    assert job["id"] == second.documents[0]["id"]
    assert len(command("files", "list", "--json").documents) == 1


def test_a_file_of_the_same_name_and_size_is_not_taken_for_it(
    server: LocalServer, command: Command, here: Path
) -> None:
    path = here / "train.jsonl"
    original = path.read_text()
    path.write_text(original.replace("+ 2", "+ 9"))
    other = command("files", "upload", "train.jsonl", "--json").documents[0]["id"]
    path.write_text(original)
    job = command(*CREATE, "--idempotency-key", "one").documents[0]
    assert job["training_file"] != other


def test_a_bad_file_is_found_before_anything_is_sent(server: LocalServer, command: Command, here: Path) -> None:
    (here / "train.jsonl").write_text('{"messages": []}\n')
    done = command(*CREATE)
    assert (done.code, done.out, server.requests) == (1, "", [])
    assert "; see: fine-tuning files check train.jsonl --method supervised" in done.err
    assert "; line 1, messages: " in done.err
    assert command(*CREATE, "--no-check").code == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--beta", "0.5"), "--beta cannot be used with --method supervised"),
        (("--method", "reinforcement"), "needs a --grader"),
        (("--method", "reinforcement", "--grader", "none.json"), "--grader is 'none.json'"),
        (("--method", "reinforcement", "--grader", "[1"), "--grader is no JSON"),
        (("--method", "reinforcement", "--grader", "[1]"), "to be a JSON object"),
        (("--n-epochs", "51"), "from 1 to 50"),
        (("--seed", "-1"), "seed"),
        (("--suffix", "x" * 65), "suffix"),
        (("--integrations", "{}"), "JSON list"),
        (("--metadata", "idempotency_key=1"), "none named idempotency_key"),
        ((*(word for n in range(14) for word in ("--metadata", f"{n}=1")),), "13 pairs"),
        (("--metadata", "a=1", "--metadata", "a=2"), "each key once"),
        (("--validation-file", "none.jsonl"), "there is no file 'none.jsonl'"),
        (("--validation-file", "some/where"), "there is no file 'some/where'"),
        (("--method", "reinforcement", "--grader", "[" * 50_000), "--grader is no JSON"),
        (("--idempotency-key", "k\u00e9y"), "printable ASCII"),
        (("--idempotency-key", ""), "printable ASCII"),  # an empty variable of a shell
        (("--extra-body", '{"model": "other"}'), "extra_body repeats model"),
    ],
)
def test_options_that_make_no_job_are_refused_before_anything_is_sent(
    words: tuple[str, ...], reason: str, server: LocalServer, command: Command, here: Path
) -> None:
    done = command(*CREATE, *words, "--no-check")
    assert (done.code, done.out, server.requests) == (2, "", [])
    assert reason in done.err
    assert done.err.count("\n") == 1


def test_what_is_only_likely_to_be_wrong_is_warned_of(server: LocalServer, command: Command, here: Path) -> None:
    path = here / "train.jsonl"
    path.write_text(path.read_text() * 2)
    done = command(*CREATE)
    assert done.code == 0
    assert "fine-tuning: warning: train.jsonl: duplicate" in done.err


def test_a_server_that_drops_metadata_is_warned_of_in_one_line(
    command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fine_tuning_async.server import LocalServer  # noqa: PLC0415 - one of another kind

    monkeypatch.setenv("OPENAI_API_KEY", "any")
    with LocalServer(like="gateway") as server, warnings.catch_warnings():
        warnings.simplefilter("default")
        done = command(*CREATE, "--base-url", server.url)
    assert done.code == 0
    assert re.search(r"^fine-tuning: warning: .*no key can protect.*$", done.err, re.MULTILINE)
