"""Trainers that do what a test says, and the patience to see what becomes of it."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fine_tuning_async.server import LocalServer, Step
from tests.contract.server.http_api import Api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from fine_tuning_async.server import Report, TrainingTask

    Script = Callable[[TrainingTask], AsyncIterator[Report]]

THREADS = "fine-tuning-trainer"


class Scripted:
    """Trains as a function does; keeps the tasks that it was given."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.tasks: list[TrainingTask] = []

    def train(self, task: TrainingTask, /) -> AsyncIterator[Report]:
        self.tasks.append(task)
        return self.script(task)


def eventually(look: Callable[[], object]) -> None:
    """Look until what is looked for is there: what a trainer does takes real time."""
    deadline = time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.002)


def ends_as(api: Api, job_id: str, status: str) -> None:
    eventually(lambda: api.job(job_id)["status"] == status)


def training_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith(THREADS)]


@contextmanager
def trained_by(script: Script, **options: Any) -> Iterator[tuple[LocalServer, Api, Scripted]]:
    """A server with a trainer; nothing of the training is left when it has stopped."""
    trainer = Scripted(script)
    with LocalServer(trainer=trainer, **options) as server:
        yield server, Api(server.url), trainer
    assert training_threads() == []


def begin(server: LocalServer, api: Api, **fields: Any) -> str:
    """Create a job that waits for the trainer."""
    job_id: str = api.create(**fields)["id"]
    server.finish(job_id)
    return job_id


def messages(api: Api, job_id: str) -> list[str]:
    return [event["message"] for event in api.events(job_id)]


async def patiently(task: TrainingTask) -> AsyncIterator[Report]:
    """Report one step, then train for ever."""
    yield Step(1, 3, {"train_loss": 2.0})
    await asyncio.Event().wait()
