"""The walk of a job that a trainer trains, in the time that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.server.errors import JobStateError
from fine_tuning_async.server.lifecycle import move
from fine_tuning_async.server.progress import Progress, resolved

from .protocol import Checkpoint, Finished, Note, Report, Step, TrainingFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fine_tuning_async.server.ids import Minter
    from fine_tuning_async.server.records import Job
    from fine_tuning_async.server.store import Store
    from fine_tuning_async.server.ways import Ways


class TrainedProgress(Progress):
    """Differs from the simulation between the queue and the end: there, nothing is due by the clock.

    Args:
        ready: Told of the id of a job that waits for the trainer.
    """

    def __init__(
        self, store: Store, mint: Minter, organization: str, ways: Ways, ready: Callable[[str], object]
    ) -> None:
        super().__init__(store, mint, organization, ways)
        self._ready = ready

    def begin_training(self, job: Job, at: float, checkpoint: Checkpoint | None) -> None:
        """Let a job that waits for the trainer be trained, from a checkpoint on."""
        if job.status == "queued":
            job.status = move(job.status, "running")
            job.settings["hyperparameters"] = resolved(job)
            self._tell(job, at, self._words.started(), data=None)
        job.step = 0 if checkpoint is None else checkpoint.step
        job.began_at, job.began_step = at, job.step
        self._save(job)

    def report(self, job: Job, at: float, said: Report) -> None:
        """Put down what the trainer reports.

        Raises:
            TrainingFailed: It is no report.
        """
        if not _is_report(said):
            raise TrainingFailed(f"the trainer reported what is no report: {said!r}")
        if isinstance(said, Step):
            self._step(job, at, said)
        elif isinstance(said, Checkpoint):
            self._checkpoint(job, at, said)
        elif isinstance(said, Note):
            self._tell(job, at, said.message, level=said.level)
        else:
            self._deliver(job, at, said)
        self._save(job)

    def halt(self, job: Job, at: float) -> None:
        """Note that the trainer has let go of a job that is to pause."""
        super()._apply(job, at)
        self._save(job)

    def succeed(self, job: Job, at: float) -> None:
        """Note that the trainer has ended well, without a word about it."""
        self._deliver(job, at, Finished())
        self._save(job)

    def finish(self, job: Job, at: float) -> None:
        """Walk as far as the trainer."""
        if job.due_at is None and job.status in {"running", "pausing"}:
            raise JobStateError(f"job {job.id} is being trained: it ends when its trainer has done")
        super().finish(job, at)

    def pause(self, job: Job, at: float) -> None:
        """Begin to pause the job; one that is being trained is paused once the trainer lets go of it.

        One that goes on, but waits for the trainer to take it up again, has nobody to wait for.
        """
        super().pause(job, at)
        if job.held_in == "running":
            job.due_at = None if job.began_at else at
            self._save(job)

    def _apply(self, job: Job, at: float) -> None:
        if job.status in {"queued", "running"}:
            job.due_at, job.began_at = None, 0.0
            self._ready(job.id)
        else:
            super()._apply(job, at)

    def _estimate(self, job: Job) -> int | None:
        return job.estimated_finish

    def _step(self, job: Job, at: float, step: Step) -> None:
        job.step, job.total, job.figures = int(step.number), int(step.total), _plain(step.metrics)
        figures = {"step": job.step, "total_steps": job.total, **job.figures}
        job.estimated_finish = _at_this_pace(job, at)
        self._tell(job, at, self._words.step(figures), data=figures, kind="metrics")
        self._outcome.report(job, at)

    def _checkpoint(self, job: Job, at: float, checkpoint: Checkpoint) -> None:
        job.step = int(checkpoint.step)
        figures = {"step": job.step, **(_plain(checkpoint.metrics) or job.figures)}
        self._outcome.replace(job)
        snapshot = self._outcome.checkpoint(job, at, figures, checkpoint.artefact)
        self._tell(job, at, self._words.checkpoint(job.step, snapshot))

    def _deliver(self, job: Job, at: float, finished: Finished) -> None:
        figures = {"step": job.step, **(_plain(finished.metrics) or job.figures)}
        self._outcome.replace(job)
        self._outcome.deliver(job, at, figures, finished.artefact, finished.result_file)
        self._close(job, at, finished.trained_tokens)


def _is_report(said: object) -> bool:
    """Tell whether a trainer of somebody else's has kept to the types; figures are seen to where they are read."""
    match said:
        case Step():
            return True
        case Checkpoint(artefact=str() | None):
            return True
        case Note(message=str(), level="info" | "warn" | "error"):
            return True
        case Finished(artefact=str() | None, trained_tokens=int() | None, result_file=bytes() | None):
            return True
    return False


def _plain(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return figures as JSON has them, whatever number types a trainer reckons with."""
    told = {name: value if isinstance(value, int) else float(value) for name, value in metrics.items()}
    return {name: value for name, value in told.items() if name not in {"step", "total_steps"}}


def _at_this_pace(job: Job, at: float) -> int | None:
    """Return when a job will have ended, or None while the clock stands still."""
    done, took = job.step - job.began_step, at - job.began_at
    return int(at + (job.total - job.step) * took / done) if done > 0 and took > 0 else None
