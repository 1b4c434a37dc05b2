"""A trainer in a process of its own: it blocks, crashes, ignores being cancelled, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import DataFile, LocalServer, Note, ProcessTrainer, TrainingTask
from tests.contract.server import child_trainer
from tests.contract.server.http_api import Api
from tests.contract.server.trainers import ends_as, eventually, training_threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fine_tuning_async.server import Report

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

COMMAND = [sys.executable, child_trainer.__file__]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the trainers' temporary files are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@contextmanager
def served(folder: Path, *, grace: float = 30.0) -> Iterator[tuple[LocalServer, Api]]:
    with LocalServer(trainer=ProcessTrainer(COMMAND, grace=grace)) as server:
        yield server, Api(server.url)
    assert training_threads() == []
    assert list(folder.iterdir()) == []


def begin(server: LocalServer, api: Api, does: str) -> str:
    job_id: str = api.create(metadata={"does": does})["id"]
    server.finish(job_id)
    return job_id


def last_message(api: Api, job_id: str) -> str:
    return str(api.events(job_id)[-1]["message"])


def pids(api: Api, job_id: str) -> list[int]:
    """Wait until the child has told its process ids."""
    eventually(lambda: re.match(r"\d+", last_message(api, job_id)))
    return [int(each) for each in last_message(api, job_id).split()]


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; an orphan that nobody has waited for has ended too."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def is_reaped(pid: int) -> bool:
    """Tell whether a child of this process has ended, and was waited for."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def test_a_process_trains_pauses_and_goes_on(folder: Path) -> None:
    with served(folder) as (server, api):
        job_id = begin(server, api, "train")
        eventually(lambda: last_message(api, job_id) == "Step 1/10: training loss=2.00")
        assert api.post(f"/fine_tuning/jobs/{job_id}/pause").json["status"] == "pausing"
        ends_as(api, job_id, "paused")
        api.post(f"/fine_tuning/jobs/{job_id}/resume")
        ends_as(api, job_id, "succeeded")
        job = api.job(job_id)
        assert job["trained_tokens"] == 1234
        assert api.get(f"/models/{job['fine_tuned_model']}").json["artefact"] == "weights/final"
        assert api.get(f"/files/{job['result_files'][0]}/content").body == b"step,train_loss\n10,0.2\n"


@pytest.mark.parametrize(
    ("does", "code", "message"),
    [
        ("crash", "trainer_error", "the trainer's process ended with exit code 3: out of memory"),
        ("be_killed", "trainer_error", "the trainer's process was killed by signal 9"),
        ("say_why", "diverged", "the loss is not a number"),
        ("talk_nonsense", "trainer_error", "wrote a line that is no report: Epoch 1/3 [=====>    ]"),
        ("talk_endlessly", "trainer_error", "the trainer wrote a line of more than 1048576 bytes"),
        ("unheard_of", "trainer_error", "ended with exit code 1: KeyError: 'unheard_of'"),
    ],
)
def test_a_process_that_fails_fails_its_job(folder: Path, does: str, code: str, message: str) -> None:
    with served(folder) as (server, api):
        job_id = begin(server, api, does)
        ends_as(api, job_id, "failed")
        error = api.job(job_id)["error"]
        assert error["code"] == code
        assert message in error["message"]
        assert api.get("/models").status == 200


def test_a_process_that_has_ended_takes_with_it_what_it_has_started(folder: Path) -> None:
    with served(folder) as (server, api):
        job_id = begin(server, api, "leave_a_child")
        ends_as(api, job_id, "failed")
        assert api.job(job_id)["error"]["message"].endswith("ended with exit code 3: out of memory")
        note = next(each["message"] for each in api.events(job_id) if re.match(r"\d+ \d+$", each["message"]))
        eventually(lambda: all(is_gone(int(pid)) for pid in note.split()))


def test_a_process_that_blocks_ends_when_its_job_is_cancelled(folder: Path) -> None:
    with served(folder) as (server, api):
        job_id = begin(server, api, "block")
        (pid,) = pids(api, job_id)
        assert api.post(f"/fine_tuning/jobs/{job_id}/cancel").json["status"] == "cancelled"
        eventually(lambda: is_gone(pid))


def test_a_process_that_ignores_it_is_killed_with_its_children(folder: Path) -> None:
    with served(folder, grace=0.05) as (server, api):
        job_id = begin(server, api, "ignore_cancel")
        trainer, child = pids(api, job_id)
        assert api.post(f"/fine_tuning/jobs/{job_id}/cancel").json["status"] == "cancelled"
        eventually(lambda: is_gone(trainer) and is_gone(child))


def test_a_stop_waits_for_no_process_that_is_let_go_of_already(folder: Path) -> None:
    """It heeds no pause, so it is closed at its second next step, and has half a minute to end."""
    with served(folder) as (server, api):
        job_id = begin(server, api, "train_on")
        eventually(lambda: last_message(api, job_id).startswith("Step"))
        api.post(f"/fine_tuning/jobs/{job_id}/pause")
        eventually(lambda: list(folder.glob("*.closed")))
        (told,) = folder.glob("*.closed")
        told.unlink()
    eventually(lambda: is_gone(int(told.stem)))


@pytest.mark.real_time
async def test_it_is_waited_for_however_often_that_is_cancelled(folder: Path) -> None:
    file = DataFile("file-1", "f", 2, lambda: iter([b"{}"]))
    task = TrainingTask("ftjob-1", "m", "supervised", {}, 1, file, metadata={"does": "ignore_cancel"})
    told: asyncio.Queue[Report] = asyncio.Queue()

    async def iterate() -> None:
        async for report in ProcessTrainer(COMMAND, grace=0).train(task):
            await told.put(report)

    iterating = asyncio.create_task(iterate())
    note = await told.get()
    assert isinstance(note, Note)
    while not iterating.done():
        iterating.cancel()
        await asyncio.sleep(0)
    assert is_reaped(int(note.message.split()[0]))


@pytest.mark.parametrize("does", ["block", "ignore_cancel"])
def test_a_stop_waits_for_no_process_and_leaves_none(folder: Path, does: str) -> None:
    """The grace is half a minute, which a stop does not grant."""
    with served(folder) as (server, api):
        found = pids(api, begin(server, api, does))
    eventually(lambda: all(is_gone(pid) for pid in found))


def test_a_command_that_cannot_be_run_fails_the_job() -> None:
    with LocalServer(trainer=ProcessTrainer(["/nonexistent/trainer"])) as server:
        api = Api(server.url)
        job_id = begin(server, api, "train")
        ends_as(api, job_id, "failed")
        assert "the trainer cannot be started: " in api.job(job_id)["error"]["message"]


@pytest.mark.parametrize("command", ["python train.py", [], ()])
def test_a_command_is_a_program_with_its_arguments(command: list[str]) -> None:
    with pytest.raises(ValueError, match="command must be"):
        ProcessTrainer(command)
