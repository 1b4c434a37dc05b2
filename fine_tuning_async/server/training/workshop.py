"""The task in the serving loop that gives jobs to the trainer, and takes them from it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from fine_tuning_async.server.wellformed import storable

from .progress import TrainedProgress
from .protocol import Finished, Step, TrainingFailed
from .tasks import last_checkpoint, task_of
from .thread import TrainingThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fine_tuning_async.server.records import Job
    from fine_tuning_async.server.service import Service

    from .protocol import Report, Trainer

_LOG = logging.getLogger(__name__)

# Seconds of the serving loop.
PATIENCE = 10.0
"""For a trainer to end when it is cancelled; then it is cancelled again, and has as long once more."""

HASTE = 0.3
"""The same, at a stop of the server."""

_BREATH = 0.01
"""Between two looks at the store: something may be written all the time."""

_AFTER_ERROR = 1.0
_LONGEST_MESSAGE = 2000


@asynccontextmanager
async def training(service: Service, workers: int) -> AsyncIterator[None]:
    """Let the service's trainer train while the block runs, so many jobs at once."""
    if service.trainer is None:
        yield
        return
    workshop = Workshop(service, service.trainer, workers)
    task = asyncio.create_task(workshop.run(), name="fine-tuning-workshop")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        await workshop.close()


class _Work:
    """A job in the hands of the trainer."""

    def __init__(self, job_id: str, resets: int) -> None:
        self.job_id = job_id
        self.resets = resets
        self.thread: TrainingThread | None = None
        self.done = asyncio.Event()
        self.dropped = False
        self.last_step_taken = False

    def drop(self, patience: float) -> None:
        """Stop the trainer: cancel it, cancel it once more after a while, and let go of it after another."""
        assert self.thread is not None
        if self.dropped:
            return
        self.dropped = True
        loop = asyncio.get_running_loop()
        self.thread.cancel()
        loop.call_later(patience, self.thread.cancel)
        loop.call_later(2 * patience, self._let_go)

    def _let_go(self) -> None:
        if not self.done.is_set():
            _LOG.warning("the trainer of job %s does not end: its thread is left to itself", self.job_id)
            self.done.set()


class Workshop:
    """Has up to so many jobs trained at once; the others wait in the queue."""

    def __init__(self, service: Service, trainer: Trainer, workers: int) -> None:
        self._service = service
        self._trainer = trainer
        self._workers = workers
        self._works: list[_Work] = []
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        with self._service.heard(self._changed):
            while True:
                self._changed.clear()
                try:
                    pause = self._look()
                except sqlite3.Error:
                    _LOG.exception("trainings wait: the database cannot be used")
                    pause = _AFTER_ERROR
                await asyncio.sleep(_BREATH)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._changed.wait()

    async def close(self) -> None:
        """Stop every training; the jobs go on when the server does."""
        works = list(self._works)
        for work in works:
            work.dropped = False  # One that was being dropped in peace is now dropped in haste.
            work.drop(HASTE)
        await asyncio.gather(*(work.done.wait() for work in works))

    def _look(self) -> float | None:
        """Do what there is to do; return after how many seconds to look again if nothing changes."""
        self._works = [work for work in self._works if not work.done.is_set()]
        with self._service.session():
            for work in self._works:
                self._follow(work)
        while len(self._works) < self._workers and self._begin():
            pass
        with self._service.session():
            return self._service.until_next_job()

    def _follow(self, work: _Work) -> None:
        """Let a trainer know what has become of its job."""
        job = self._job(work)
        if job is None:
            work.drop(PATIENCE)
        elif job.status == "pausing" and work.thread is not None:
            work.thread.pause()

    def _next(self) -> Job | None:
        ready, jobs = self._service.ready, self._service.store.jobs
        while ready:
            job = jobs.find(ready.popleft())
            if job is None or job.due_at is not None or job.status not in {"queued", "running"}:
                continue
            if not any(work.job_id == job.id and self._job(work) for work in self._works):
                return job
        return None

    def _begin(self) -> bool:
        """Give the next job that waits to the trainer; tell whether there was one."""
        with self._service.session() as now:
            job = self._next()
            if job is None:
                return False
            checkpoint = last_checkpoint(self._service, job)
            self._progress.begin_training(job, now, checkpoint)
            try:
                task = task_of(self._service, job, checkpoint)
            except TrainingFailed as failure:
                self._progress.fail(job, now, _error_of(failure))
                return True
        work = _Work(job.id, self._service.resets)
        work.thread = TrainingThread(self._trainer, task, partial(self._accept, work), partial(self._end, work))
        self._works.append(work)
        work.thread.start()
        return True

    def _accept(self, work: _Work, report: Report) -> bool:
        """Put down a report; tell whether the training is to go on."""
        try:
            with self._service.session() as now:
                job = self._job(work)
                if job is None or work.dropped or (work.last_step_taken and isinstance(report, Step)):
                    return False
                # What a pause still takes is one step, with the checkpoint behind it.
                work.last_step_taken = job.status == "pausing" and isinstance(report, Step)
                self._progress.report(job, now, report)
        except Exception as error:  # noqa: BLE001 - whatever a report does to the store, it ends its job alone
            self._settle(work, error)
            return False
        return not isinstance(report, Finished)

    def _end(self, work: _Work, error: BaseException | None) -> None:
        """Note that a trainer has ended."""
        try:
            if not work.dropped:
                self._settle(work, error)
        finally:
            if work.thread is not None:
                work.thread.join()
            work.done.set()
            self._changed.set()

    def _settle(self, work: _Work, error: BaseException | None) -> None:
        with self._service.session() as now:
            job = self._job(work)
            if job is None:
                return
            if error is not None:
                if not isinstance(error, TrainingFailed | asyncio.CancelledError):
                    _LOG.error("the trainer of %s failed", job.id, exc_info=error)
                self._progress.fail(job, now, _error_of(error))
            elif job.status == "pausing":
                self._progress.halt(job, now)
            else:
                self._progress.succeed(job, now)

    def _job(self, work: _Work) -> Job | None:
        """Return the job that is worked on, or None if it is no longer to be."""
        if work.resets != self._service.resets:
            return None
        job = self._service.store.jobs.find(work.job_id)
        return job if job is not None and job.status in {"running", "pausing"} else None

    @property
    def _progress(self) -> TrainedProgress:
        progress = self._service.progress
        assert isinstance(progress, TrainedProgress)
        return progress


def _error_of(error: BaseException) -> dict[str, str | None]:
    if isinstance(error, TrainingFailed):
        return {"code": storable(error.code), "param": error.param, "message": _shown(error.message)}
    if isinstance(error, asyncio.CancelledError):
        return {"code": "trainer_error", "param": None, "message": "The trainer cancelled itself."}
    said = _shown(f"The trainer failed: {type(error).__name__}: {error}")
    return {"code": "trainer_error", "param": None, "message": said}


def _shown(message: str) -> str:
    return storable(message[:_LONGEST_MESSAGE])
