"""Trainings that are stopped: cancelled, paused and gone on with, with the server or without."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import Checkpoint, Finished, LocalServer, Step
from tests.contract.server.http_api import Api
from tests.contract.server.trainers import (
    Scripted,
    begin,
    ends_as,
    eventually,
    messages,
    patiently,
    trained_by,
    training_threads,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fine_tuning_async.server import Report, TrainingTask
    from tests.contract.server.trainers import Script


# -- cancelling --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["cancel", "fail", "reset"])
def test_a_job_that_is_no_more_to_be_trained_is_taken_from_its_trainer(how: str) -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        try:
            yield Step(1, 3)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    ended = threading.Event()
    with trained_by(script) as (server, api, trainer):
        job_id = begin(server, api)
        eventually(lambda: any("Step 1/3" in message for message in messages(api, job_id)))
        if how == "cancel":
            assert api.post(f"/fine_tuning/jobs/{job_id}/cancel").json["status"] == "cancelled"
        elif how == "fail":
            server.fail(job_id, code="wet")
            assert api.job(job_id)["error"]["code"] == "wet"
        else:
            server.reset()
            assert begin(server, api) == job_id
        assert ended.wait(30)
        if how == "reset":
            eventually(lambda: len(trainer.tasks) == 2)


def test_what_a_trainer_reports_of_a_cancelled_job_is_lost() -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        yield Step(1, 3)
        began.set()
        while not released.is_set():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.to_thread(released.wait)
        yield Step(2, 3)
        late.set()

    began, released, late = threading.Event(), threading.Event(), threading.Event()
    with trained_by(script) as (server, api, _):
        job_id = begin(server, api)
        assert began.wait(30)
        api.post(f"/fine_tuning/jobs/{job_id}/cancel")
        before = messages(api, job_id)
        released.set()
        eventually(lambda: not training_threads())
        assert messages(api, job_id) == before
        assert not late.is_set()


def test_a_trainer_that_blocks_or_floods_holds_up_no_request() -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        while not blocked.is_set() and not enough.is_set():
            yield Step(1, 3, {"train_loss": 1.0})
        enough.wait()  # its loop stands still, and nothing can be cancelled in it

    blocked, enough = threading.Event(), threading.Event()
    with trained_by(script) as (server, api, _):
        job_id = begin(server, api)
        ends_as(api, job_id, "running")
        for _ in range(20):
            assert api.get("/fine_tuning/jobs").status == 200
        blocked.set()
        api.post(f"/fine_tuning/jobs/{job_id}/cancel")
        assert [api.job(job_id)["status"] for _ in range(20)] == ["cancelled"] * 20
        enough.set()


def test_a_stop_leaves_a_thread_that_cannot_be_ended_to_itself(caplog: pytest.LogCaptureFixture) -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        yield Step(1, 3)
        began.set()
        enough.wait()
        yield Step(2, 3)

    began, enough = threading.Event(), threading.Event()
    server = LocalServer(trainer=Scripted(script)).start()
    begin(server, Api(server.url))
    assert began.wait(30)
    server.stop()
    assert "does not end" in caplog.text
    (left,) = training_threads()
    assert left.daemon
    enough.set()
    left.join(30)
    assert not left.is_alive()


# -- pausing and going on ----------------------------------------------------------------------------------------


def careful(released: threading.Event) -> Script:
    """Train three steps; saves a checkpoint when it is to pause."""

    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        done = task.checkpoint.step if task.checkpoint else 0
        for number in range(done + 1, 4):
            if task.pausing.is_set():
                yield Checkpoint(number - 1, artefact=f"weights/{number - 1}")
                return
            yield Step(number, 3, {"train_loss": 1.0 / number})
            if not released.is_set():
                await task.pausing.wait()

    return script


def test_a_paused_job_goes_on_from_its_checkpoint() -> None:
    released = threading.Event()
    with trained_by(careful(released)) as (server, api, trainer):
        job_id = begin(server, api)
        eventually(lambda: "Step 1/3: training loss=1.00" in messages(api, job_id))
        assert api.post(f"/fine_tuning/jobs/{job_id}/pause").json["status"] == "pausing"
        ends_as(api, job_id, "paused")
        server.advance(minutes=100)
        assert api.job(job_id)["status"] == "paused"
        released.set()
        assert api.post(f"/fine_tuning/jobs/{job_id}/resume").json["status"] == "running"
        ends_as(api, job_id, "succeeded")
        assert [task.checkpoint for task in trainer.tasks] == [
            None,
            Checkpoint(1, {"train_loss": 1.0}, artefact="weights/1"),
        ]
        steps = [message for message in messages(api, job_id) if message.startswith("Step")]
        assert [step.split(":")[0] for step in steps] == ["Step 1/3", "Step 2/3", "Step 3/3"]


def test_a_trainer_that_heeds_no_pause_is_stopped_within_a_step() -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        for number in range(1, 1000):
            yield Step(number, 1000)
            await asyncio.to_thread(steps.acquire)

    steps = threading.Semaphore(0)
    with trained_by(script) as (server, api, _):
        job_id = begin(server, api)
        eventually(lambda: "Step 1/1000" in messages(api, job_id))
        api.post(f"/fine_tuning/jobs/{job_id}/pause")
        steps.release()
        steps.release()
        ends_as(api, job_id, "paused")
        assert messages(api, job_id)[-3:] == ["Pausing the job", "Step 2/1000", "The job was paused"]


def test_a_job_is_paused_while_it_waits_to_be_gone_on_with() -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        yield Step(1, 3)
        await task.pausing.wait()

    with trained_by(script) as (server, api, trainer):
        job_id = begin(server, api)
        for round_ in (1, 2):
            eventually(partial(has_tasks, trainer, 2 * round_ - 1))
            api.post(f"/fine_tuning/jobs/{job_id}/pause")
            ends_as(api, job_id, "paused")
            other = begin(server, api)  # keeps the only worker busy
            eventually(partial(has_tasks, trainer, 2 * round_))
            assert api.post(f"/fine_tuning/jobs/{job_id}/resume").json["status"] == "running"
            assert api.post(f"/fine_tuning/jobs/{job_id}/pause").json["status"] == "pausing"
            assert api.job(job_id)["status"] == "paused"
            assert api.post(f"/fine_tuning/jobs/{job_id}/resume").json["status"] == "running"
            api.post(f"/fine_tuning/jobs/{other}/cancel")


def test_a_training_that_is_done_before_it_pauses_is_done() -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        await task.pausing.wait()
        yield Finished()

    with trained_by(script) as (server, api, trainer):
        job_id = begin(server, api)
        eventually(lambda: trainer.tasks)
        api.post(f"/fine_tuning/jobs/{job_id}/pause")
        ends_as(api, job_id, "succeeded")


def has_tasks(trainer: Scripted, number: int) -> bool:
    return len(trainer.tasks) == number


def has_message(api: Api, job_id: str, message: str) -> bool:
    return message in messages(api, job_id)


def test_a_training_goes_on_from_its_checkpoint_when_the_server_does(tmp_path: Path) -> None:
    async def first(task: TrainingTask) -> AsyncIterator[Report]:
        yield Step(1, 3, {"train_loss": 3.0})
        yield Checkpoint(1, artefact="weights/1")
        yield Step(2, 3, {"train_loss": 2.0})
        await asyncio.Event().wait()

    async def second(task: TrainingTask) -> AsyncIterator[Report]:
        yield Checkpoint(1, artefact="weights/anew")
        yield Step(2, 3, {"train_loss": 1.5})
        yield Step(3, 3, {"train_loss": 1.0})
        yield Checkpoint(3)

    path = tmp_path / "server.db"
    with trained_by(first, db=path, workers=2) as (server, api, _):
        job_id, pausing = begin(server, api), begin(server, api)
        for each in (job_id, pausing):
            eventually(partial(has_message, api, each, "Step 2/3: training loss=2.00"))
        assert api.post(f"/fine_tuning/jobs/{pausing}/pause").json["status"] == "pausing"
        waiting = begin(server, api)
    with trained_by(second, db=path) as (server, api, trainer):
        for each in (job_id, waiting):
            ends_as(api, each, "succeeded")
        ends_as(api, pausing, "paused")
        kept = {task.job_id: task.checkpoint for task in trainer.tasks}
        assert kept == {job_id: Checkpoint(1, {"train_loss": 3.0}, artefact="weights/1"), waiting: None}
        results = api.get(f"/files/{api.job(job_id)['result_files'][0]}/content").body.decode().splitlines()
        assert results[1:] == ["1,3.0,,,", "2,1.5,,,", "3,1.0,,,"]
        found = api.get(f"/fine_tuning/jobs/{job_id}/checkpoints").json["data"]
        assert [(each["step_number"], each.get("artefact")) for each in found] == [(3, None), (1, "weights/anew")]
        names = [model["id"] for model in api.get("/models").json["data"] if "ckpt-step" in model["id"]]
        assert [name.split(":")[-1] for name in names] == ["ckpt-step-1"] * 3


def test_what_a_trainer_has_begun_the_simulation_can_end(tmp_path: Path) -> None:
    with trained_by(patiently, db=tmp_path / "server.db") as (server, api, _):
        job_id = begin(server, api)
        eventually(lambda: "Step 1/3: training loss=2.00" in messages(api, job_id))
    with LocalServer(db=tmp_path / "server.db") as server:
        server.advance(minutes=100)
        assert Api(server.url).job(job_id)["status"] == "succeeded"
