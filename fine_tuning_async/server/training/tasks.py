"""A job's record as its trainer sees it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import orjson

from .protocol import Checkpoint, DataFile, TrainingFailed, TrainingTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fine_tuning_async.server.records import Job
    from fine_tuning_async.server.service import Service


def task_of(service: Service, job: Job, checkpoint: Checkpoint | None) -> TrainingTask:
    """Return what a trainer is to know of a job whose hyperparameters are numbers.

    Raises:
        TrainingFailed: One of the job's files was deleted.
    """
    grader = job.settings.get("grader")
    return TrainingTask(
        job_id=job.id,
        model=job.model,
        method=job.method,
        hyperparameters={name: _setting(value) for name, value in job.hyperparameters.items()},
        seed=job.seed,
        training_file=_file(service, job.training_file, "training file"),
        validation_file=_file(service, job.validation_file, "validation file") if job.validation_file else None,
        suffix=job.suffix,
        grader=grader if isinstance(grader, dict) else None,
        metadata=dict(job.metadata or {}),
        checkpoint=checkpoint,
    )


def _setting(value: object) -> float | str:
    return value if isinstance(value, int | float) else str(value)


def _file(service: Service, file_id: str, role: str) -> DataFile:
    stored = service.store.files.find(file_id)
    if stored is None:
        raise _deleted(role)
    pieces = partial(_pieces, service, stored.seq, stored.size, role)
    return DataFile(file_id, stored.filename, stored.size, pieces)


def _pieces(service: Service, seq: int, size: int, role: str) -> Iterator[bytes]:
    position, resets = 0, service.resets
    while position < size:
        with service.session():
            data = service.store.files.piece(seq, position) if service.resets == resets else None
        if data is None:
            raise _deleted(role)
        yield data
        position += len(data)


def _deleted(role: str) -> TrainingFailed:
    name = role.replace(" ", "_")
    message = f"The job failed because the {role} was deleted"
    return TrainingFailed(message, code=f"deleted_{name}", param=name)


def last_checkpoint(service: Service, job: Job) -> Checkpoint | None:
    """Return the checkpoint from which a job is to go on, if it has one."""
    view = service.store.jobs.last_checkpoint(job)
    if view is None:
        return None
    known = orjson.loads(view)
    metrics = {name: value for name, value in known["metrics"].items() if name not in {"type", "step"}}
    return Checkpoint(known["step_number"], metrics, known.get("artefact"))
