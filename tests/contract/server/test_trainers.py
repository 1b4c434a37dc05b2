"""The seam for trainers: what they are given, what becomes of what they report, how they are stopped."""

from __future__ import annotations

import asyncio
import logging
import threading
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async.server import (
    Checkpoint,
    Finished,
    JobStateError,
    LocalServer,
    Note,
    Simulation,
    Step,
    TrainingFailed,
)
from tests.contract.server.http_api import Api, chat_lines
from tests.contract.server.trainers import begin, ends_as, eventually, messages, patiently, trained_by

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from fine_tuning_async.server import Report, TrainingTask
    from tests.contract.server.trainers import Script


# -- a training that goes well -----------------------------------------------------------------------------------


def test_a_trainer_is_told_of_the_job_and_its_reports_become_the_job() -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        lines = list(task.training_file.lines())
        yield Note(f"{len(lines)} examples, {task.epochs} epochs of batches of {task.batch_size}")
        yield Step(1, 2, {"train_loss": 1.5, "valid_loss": Fraction(2), "step": 99, "total_steps": 99})  # type: ignore[dict-item]
        yield Checkpoint(1, {"full_valid_loss": 1.9}, artefact="s3://weights/1")
        yield Step(2, 2, {"train_loss": float("nan")})
        yield Finished({"full_valid_loss": 0.5}, artefact="s3://weights/2", trained_tokens=77)

    with trained_by(script) as (server, api, trainer):
        file_id, validation = api.training_file(), api.training_file(3)
        method = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 4, "batch_size": 3}}}
        wrong = api.create(file_id, method=method)
        server.finish(wrong["id"])
        assert api.job(wrong["id"])["error"]["code"] == "invalid_file_format"

        hyperparameters = {"n_epochs": 4, "batch_size": 3}
        wanted = {"validation_file": validation, "suffix": "s", "seed": 5, "metadata": {"a": "b"}}
        job_id = begin(server, api, file_id=file_id, hyperparameters=hyperparameters, **wanted)
        ends_as(api, job_id, "succeeded")
        (task,) = trainer.tasks
        assert (task.job_id, task.model, task.method) == (job_id, "gpt-4o-mini-2024-07-18", "supervised")
        assert (task.seed, task.suffix, task.metadata) == (5, "s", {"a": "b"})
        assert task.hyperparameters == {**hyperparameters, "learning_rate_multiplier": 2.0}
        assert b"".join(task.training_file.chunks()) == chat_lines(10)
        assert task.validation_file is not None
        assert (task.validation_file.size, task.checkpoint) == (len(chat_lines(3)), None)

        job = api.job(job_id)
        assert messages(api, job_id)[4:] == [
            "10 examples, 4 epochs of batches of 3",
            "Step 1/2: training loss=1.50, validation loss=2.00",
            f"Checkpoint created at step 1 with Snapshot ID: {checkpoints(api, job_id)[1]['model']}",
            "Step 2/2: training loss=nan",
            f"New fine-tuned model created: {job['fine_tuned_model']}",
            "The job has successfully completed",
        ]
        assert job["trained_tokens"] == 77
        assert checkpoints(api, job_id) == [
            {"model": job["fine_tuned_model"], "step": 2, "loss": 0.5, "artefact": "s3://weights/2"},
            {"model": checkpoints(api, job_id)[1]["model"], "step": 1, "loss": 1.9, "artefact": "s3://weights/1"},
        ]
        assert api.get(f"/models/{job['fine_tuned_model']}").json["artefact"] == "s3://weights/2"
        results = api.get(f"/files/{job['result_files'][0]}/content").body.decode().splitlines()
        assert results[1:] == ["1,1.5,,2.0,", "2,,,,"]


def checkpoints(api: Api, job_id: str) -> list[dict[str, Any]]:
    found = api.get(f"/fine_tuning/jobs/{job_id}/checkpoints").json["data"]
    return [
        {
            "model": each["fine_tuned_model_checkpoint"],
            "step": each["step_number"],
            "loss": each["metrics"]["full_valid_loss"],
            "artefact": each["artefact"],
        }
        for each in found
    ]


def story(server: LocalServer) -> tuple[dict[str, Any], list[Any], bytes, list[Any]]:
    api = Api(server.url)
    with_validation = {"validation_file": api.training_file(4), "hyperparameters": {"n_epochs": 5}}
    job_id = begin(server, api, **with_validation)
    ends_as(api, job_id, "succeeded")
    job = api.job(job_id)
    events = [(event["id"], event["message"], event["data"]) for event in api.events(job_id)]
    kept = api.get(f"/fine_tuning/jobs/{job_id}/checkpoints").json["data"]
    times = ("created_at", "finished_at")
    told = {name: value for name, value in job.items() if name not in times}
    shown = [{name: value for name, value in each.items() if name not in times} for each in kept]
    return told, events, api.get(f"/files/{job['result_files'][0]}/content").body, shown


def test_the_simulation_is_a_trainer_like_any_other() -> None:
    """Iterated through the seam, it gives what the server computes of it, to the last id."""
    with LocalServer(seed=3) as simulated, LocalServer(seed=3, trainer=Simulation()) as named:
        expected = story(simulated)
        assert story(named) == expected
    with trained_by(lambda task: Simulation().train(task), seed=3) as (server, _, _):
        assert story(server) == expected


def test_a_trainer_takes_its_own_time_whatever_the_clock_does() -> None:
    with trained_by(patiently) as (server, api, _):
        job = api.create()
        server.advance(19)
        assert api.job(job["id"])["status"] == "queued"
        server.advance(1)
        ends_as(api, job["id"], "running")
        server.advance(minutes=1000)
        assert api.job(job["id"])["status"] == "running"
        with pytest.raises(JobStateError, match="ends when its trainer has done"):
            server.finish(job["id"])


def test_on_a_running_clock_jobs_reach_the_trainer_by_themselves() -> None:
    """No request has to come for that, and the pace tells when the job will have ended."""

    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        yield Step(1, 100)
        began.set()
        await asyncio.sleep(0.001)
        yield Step(2, 100)
        await asyncio.Event().wait()

    began = threading.Event()
    with trained_by(script, speed=100_000) as (_, api, _):
        job_id = api.create()["id"]
        assert began.wait(30)
        eventually(lambda: "Step 2/100" in messages(api, job_id))
        job = api.job(job_id)
        assert job["estimated_finish"] > api.events(job_id)[-1]["created_at"]


def test_so_many_jobs_are_trained_at_once_and_the_others_are_queued() -> None:
    with trained_by(patiently, workers=2) as (server, api, trainer):
        file_id = api.training_file()
        jobs = [begin(server, api, file_id=file_id) for _ in range(4)]
        eventually(lambda: len(trainer.tasks) == 2)
        assert [api.job(job)["status"] for job in jobs] == ["running", "running", "queued", "queued"]
        api.post(f"/fine_tuning/jobs/{jobs[2]}/cancel")
        api.post(f"/fine_tuning/jobs/{jobs[0]}/cancel")
        eventually(lambda: len(trainer.tasks) == 3)
        assert api.job(jobs[3])["status"] == "running"
        *first, last = [task.job_id for task in trainer.tasks]
        assert (set(first), last) == ({jobs[0], jobs[1]}, jobs[3])
    with pytest.raises(ValueError, match="workers"):
        LocalServer(workers=0)


# -- failing -----------------------------------------------------------------------------------------------------


def failing(error: BaseException) -> Script:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        yield Step(1, 3)
        raise error

    return script


def reporting(report: object) -> Script:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        yield report  # type: ignore[misc] # what a trainer of somebody else's may do

    return script


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        (failing(TrainingFailed("diverged", code="bad_data", param="seed")), "bad_data", "diverged"),
        (failing(MemoryError("not enough")), "trainer_error", "The trainer failed: MemoryError: not enough"),
        (failing(SystemExit(4)), "trainer_error", "The trainer failed: SystemExit: 4"),
        (failing(ValueError("\udc80" * 9000)), "trainer_error", "The trainer failed: ValueError: ????"),
        (failing(asyncio.CancelledError()), "trainer_error", "The trainer cancelled itself."),
        (reporting("a step"), "trainer_error", "the trainer reported what is no report: 'a step'"),
        (reporting(Note("loud", level="shout")), "trainer_error", "the trainer reported what is no report"),
        (reporting(Note(b"text")), "trainer_error", "the trainer reported what is no report"),  # type: ignore[arg-type]
        (reporting(Note("\udc80")), "trainer_error", "The trainer failed: TypeError"),
        (reporting(Checkpoint(1, artefact=7)), "trainer_error", "the trainer reported what is no"),  # type: ignore[arg-type]
        (reporting(Finished(result_file="1,2")), "trainer_error", "the trainer reported what is"),  # type: ignore[arg-type]
        (reporting(Finished(trained_tokens=0.5)), "trainer_error", "the trainer reported what is"),  # type: ignore[arg-type]
        (reporting(Step(1, 2, {"train_loss": "low"})), "trainer_error", "The trainer failed: ValueError"),  # type: ignore[dict-item]
        (reporting(Step(1, 2, {"train_loss": 2**70})), "trainer_error", "The trainer failed: TypeError"),
    ],
)
def test_a_failure_is_the_jobs_and_not_the_servers(
    script: Script, code: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # a log with half a surrogate cannot be sent to the process that reports
    with trained_by(script) as (server, api, _):
        job_id = begin(server, api)
        ends_as(api, job_id, "failed")
        error = api.job(job_id)["error"]
        assert error["code"] == code
        assert error["message"].startswith(message)
        assert len(error["message"]) <= 2000
        assert api.events(job_id)[-1]["message"] == error["message"]
        assert api.get("/models").status == 200


async def coroutine(task: TrainingTask) -> list[Report]:
    raise AssertionError("nobody awaits it")


def generator(task: TrainingTask) -> Iterator[Report]:
    yield Step(1, 1)


@pytest.mark.parametrize("script", [coroutine, generator])
def test_a_train_that_is_no_async_generator_is_told_what_it_should_be(script: Any) -> None:
    with trained_by(script) as (server, api, _):
        job_id = begin(server, api)
        ends_as(api, job_id, "failed")
        assert api.job(job_id)["error"]["message"] == (
            f"train() returned a {script.__name__} and no async iterator:"
            " let it be an async def that yields reports"
        )


def test_what_is_no_trainer_is_refused_at_once() -> None:
    for wrong, said in ((object(), "an object with a method train"), (Simulation, "not the class")):
        with pytest.raises(TypeError, match=said):
            LocalServer(trainer=wrong)  # type: ignore[arg-type]


def test_where_a_trainer_broke_down_is_in_the_log_and_what_it_says_itself_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for error in (TrainingFailed("diverged"), ValueError("a bug")):
        with trained_by(failing(error)) as (server, api, _):
            ends_as(api, begin(server, api), "failed")
    (record,) = (each for each in caplog.records if each.levelname == "ERROR")
    assert record.exc_text is not None
    assert "in script" in record.exc_text
    assert "ValueError: a bug" in record.exc_text


def test_a_trainer_that_cannot_even_begin_fails_its_job() -> None:
    class Broken:
        def train(self, task: TrainingTask, /) -> AsyncIterator[Report]:
            raise RuntimeError("no such device")

    with LocalServer(trainer=Broken()) as server:
        api = Api(server.url)
        job_id = begin(server, api)
        ends_as(api, job_id, "failed")
        assert api.job(job_id)["error"]["message"] == "The trainer failed: RuntimeError: no such device"


def test_a_file_that_is_deleted_before_or_under_the_training_fails_the_job() -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        began.set()
        await asyncio.to_thread(deleted.wait)
        for _ in task.training_file.lines():
            yield Step(1, 3)

    began, deleted = threading.Event(), threading.Event()
    with trained_by(script) as (server, api, _):
        file_id = api.training_file()
        jobs = [begin(server, api, file_id=file_id) for _ in range(2)]
        assert began.wait(30)
        api.call("DELETE", f"/files/{file_id}")
        deleted.set()
        for job_id in jobs:
            ends_as(api, job_id, "failed")
            assert api.job(job_id)["error"]["code"] == "deleted_training_file"
