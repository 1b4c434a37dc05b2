"""The walk of a job along its states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import views
from .datafile import Verdict
from .errors import JobStateError
from .inspection import inspect
from .lifecycle import TERMINAL, move
from .outcome import Outcome
from .plan import STEP_SECONDS, batch_for, epochs_for
from .records import Job
from .webhooks import announce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .ids import Minter
    from .plan import Metrics
    from .store import Store
    from .ways import Ways
    from .wishes import Wish

VALIDATING_SECONDS = 10.0
QUEUED_SECONDS = 10.0
PAUSING_SECONDS = 5.0
WRAP_UP_SECONDS = 5.0
"""How long a job stays in each state; with `STEP_SECONDS` a small one takes some minutes."""


class Progress:
    """Applies to jobs what has become due, or what somebody asked for.

    Every method takes the time at which the thing happens, and saves what changed.
    """

    def __init__(self, store: Store, mint: Minter, organization: str, ways: Ways) -> None:
        self._store = store
        self._mint = mint
        self._organization = organization
        self._words = ways.wording
        self._outcome = Outcome(store, mint, ways)

    def begin(self, wish: Wish, at: float, extra: dict[str, object] | None = None) -> Job:
        """Create the job that a request asks for; it shows what is `extra` as it is."""
        seq = self._store.jobs.next_seq()
        job = Job(
            id=self._mint.make("ftjob-", seq),
            created_at=int(at),
            model=wish.model,
            training_file=wish.training_file,
            validation_file=wish.validation_file,
            suffix=wish.suffix,
            seed=self._mint.number("job", seq) if wish.seed is None else wish.seed,
            method=wish.method,
            settings=wish.settings,
            integrations=wish.integrations,
            metadata=wish.metadata,
            seq=seq,
            due_at=at + VALIDATING_SECONDS,
            extra=extra or {},
        )
        for said in self._words.created(job):
            self._tell(job, at, said)
        self._store.jobs.add(job, self.view(job))
        return job

    def view(self, job: Job) -> bytes:
        """Return the job's JSON."""
        return views.job_view(job, self._organization)

    def run(self, job: Job, until: float) -> None:
        """Apply everything that is due by `until`, each thing at its own time."""
        while job.due_at is not None and job.due_at <= until:
            self._apply(job, job.due_at)
        self._save(job)

    def finish(self, job: Job, at: float) -> None:
        """Walk to the end, all at one moment."""
        if job.status == "pausing":
            self._apply(job, at)
        if job.status == "paused":
            self.resume(job, at)
        while job.due_at is not None:
            self._apply(job, at)
        self._save(job)

    def fail(self, job: Job, at: float, error: Mapping[str, str | None]) -> None:
        """Let the job fail with an error object."""
        self._end(job, "failed", at)
        job.error = dict(error)
        self._tell(job, at, error["message"] or self._words.failed, level="error")
        self._save(job)

    def cancel(self, job: Job, at: float) -> None:
        """Cancel the job."""
        self._end(job, "cancelled", at)
        self._tell(job, at, self._words.cancelled)
        self._save(job)

    def pause(self, job: Job, at: float) -> None:
        """Begin to pause the job: it remembers where it was and how long it still had there."""
        held, due = job.status, job.due_at or at
        job.status = move(job.status, "pausing")
        job.held_in, job.held_for, job.due_at = held, due - at, at + PAUSING_SECONDS
        job.estimated_finish = None
        self._tell(job, at, self._words.pausing)
        self._save(job)

    def resume(self, job: Job, at: float) -> None:
        """Let a paused job go on where it was held."""
        if job.status != "paused" or job.held_in is None:
            raise JobStateError(f"a job that is {job.status} cannot go on")
        job.status = move(job.status, job.held_in)
        job.due_at, job.held_in, job.held_for = at + job.held_for, None, 0.0
        if job.status == "running":
            job.estimated_finish = self._estimate(job)
        self._tell(job, at, self._words.resumed)
        self._save(job)

    def take_up(self, job: Job, at: float) -> None:
        """Let a job go on that was in the hands of a trainer when the server ended."""
        job.due_at = at
        self._save(job)

    def shift(self, job: Job, seconds: float) -> None:
        """Move what lies ahead: the server was down for so long, and its jobs stood still."""
        if job.due_at is not None:
            job.due_at += seconds
        if job.estimated_finish is not None:
            job.estimated_finish += int(seconds)
        self._save(job)

    def _apply(self, job: Job, at: float) -> None:
        if job.status == "validating_files":
            self._validate(job, at)
        elif job.status == "queued":
            self._start(job, at)
        elif job.status == "pausing":
            job.status, job.due_at = move(job.status, "paused"), None
            self._tell(job, at, self._words.paused)
        elif job.step < job.plan.total_steps:
            self._train(job, at)
        else:
            self._succeed(job, at)

    def _validate(self, job: Job, at: float) -> None:
        found = inspect(self._store.files, job)
        if not isinstance(found, Verdict):
            self.fail(job, at, found)
            return
        job.examples, job.tokens = found.examples, found.tokens
        job.status, job.due_at = move(job.status, "queued"), at + QUEUED_SECONDS
        self._tell(job, at, self._words.validated())

    def _start(self, job: Job, at: float) -> None:
        job.status = move(job.status, "running")
        job.settings["hyperparameters"] = resolved(job)
        job.total = job.plan.total_steps
        job.due_at = at + job.plan.next_reported(0) * STEP_SECONDS
        job.estimated_finish = self._estimate(job)
        self._tell(job, at, self._words.started(), data=None)
        self._outcome.report(job, at)

    def _train(self, job: Job, at: float) -> None:
        plan = job.plan
        job.step = step = plan.next_reported(job.step)
        last = step == plan.total_steps
        figures = plan.metrics(step, full=last)
        self._tell(job, at, self._words.step(figures), data=figures, kind="metrics")
        if not last and plan.ends_epoch(step):
            snapshot = self._outcome.checkpoint(job, at, _figures_of(job))
            self._tell(job, at, self._words.checkpoint(step, snapshot))
        self._outcome.report(job, at)
        wait = WRAP_UP_SECONDS if last else (plan.next_reported(step) - step) * STEP_SECONDS
        job.due_at = at + wait

    def _succeed(self, job: Job, at: float) -> None:
        self._outcome.deliver(job, at, _figures_of(job))
        self._close(job, at)

    def _close(self, job: Job, at: float, trained_tokens: int | None = None) -> None:
        self._end(job, "succeeded", at)
        job.finished_at = int(at)
        job.trained_tokens = job.tokens * job.plan.epochs if trained_tokens is None else trained_tokens
        for said in self._words.succeeded(job):
            self._tell(job, at, said)

    def _end(self, job: Job, status: str, at: float) -> None:
        job.status = move(job.status, status)
        assert status in TERMINAL
        job.due_at = job.estimated_finish = job.held_in = None
        announce(self._store, self._mint, job, at)

    def _estimate(self, job: Job) -> int | None:
        plan = job.plan
        if job.step >= plan.total_steps:
            return int(job.due_at or 0)
        left = plan.total_steps - plan.next_reported(job.step)
        return int((job.due_at or 0) + left * STEP_SECONDS + WRAP_UP_SECONDS)

    def _tell(
        self,
        job: Job,
        at: float,
        message: str,
        *,
        level: str = "info",
        kind: str = "message",
        data: Mapping[str, object] | None = views.NOTHING,
    ) -> None:
        job.events += 1
        event_id = self._mint.make("ftevent-", job.seq, job.events)
        view = views.event_view(event_id, at, message, level=level, kind=kind, data=data)
        self._store.jobs.add_event(job, event_id, view)

    def _save(self, job: Job) -> None:
        self._store.jobs.save(job, self.view(job))


def _figures_of(job: Job) -> Metrics:
    """Return the figures of the job's step, with the pass over the whole validation file."""
    figures = job.plan.metrics(job.step, full=True)
    del figures["total_steps"]
    return figures


_AUTOMATIC: dict[str, object] = {
    "learning_rate_multiplier": 2.0,
    "beta": 0.1,
    "compute_multiplier": 1.0,
    "eval_interval": 5,
    "eval_samples": 5,
}


def resolved(job: Job) -> dict[str, object]:
    """Return the job's hyperparameters with a number for each `auto`."""
    chosen = _AUTOMATIC | {
        "n_epochs": epochs_for(job.examples),
        "batch_size": batch_for(job.examples),
    }
    return {name: chosen[name] if value == "auto" else value for name, value in job.hyperparameters.items()}
