"""The trainer that nothing is trained by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.server.plan import Plan

from .protocol import Checkpoint, Finished, Report, Step, Trainer, TrainingTask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_COUNTS = frozenset({"step", "total_steps"})


class Simulation:
    """The default: makes figures up, from the job's seed, method, hyperparameters and number of examples.

    With `T` steps in all, step `s` has the loss `(0.05 + 2.2 exp(-4 s / T)) (0.75 + 0.5 u)`, where `u` is a
    number from 0 to 1 that belongs to the seed and the step; a validation loss is 1.2 times that, with a `u` of
    its own. An accuracy is `exp(-loss / 2)`, a reward `0.2 + 0.6 s / T + 0.2 u`. The data count by their number.

    The server asks for no more than is due: a simulated training takes the server's time, not the machine's.
    Iterated by another trainer, it waits for nothing.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    async def train(self, task: TrainingTask, /) -> AsyncIterator[Report]:
        """Yield the figures that the server itself gives such a job, with a checkpoint after each epoch."""
        examples = sum(1 for _ in task.training_file.lines())
        per_epoch = -(-examples // task.batch_size)
        plan = Plan(task.seed, task.method, task.epochs, per_epoch, task.validation_file is not None)
        step = 0 if task.checkpoint is None else task.checkpoint.step
        while step < plan.total_steps:
            step = plan.next_reported(step)
            last = step == plan.total_steps
            figures = _figures(plan, step, full=last)
            yield Step(step, plan.total_steps, figures)
            if plan.ends_epoch(step) and not last:
                yield Checkpoint(step, _figures(plan, step, full=True))
        yield Finished()


def real(trainer: Trainer | None) -> Trainer | None:
    """Return a trainer that takes its own time, or None for the simulation.

    Raises:
        TypeError: It is no trainer.
    """
    if trainer is not None and (isinstance(trainer, type) or not callable(getattr(trainer, "train", None))):
        wanted = "an object of it, not the class" if isinstance(trainer, type) else "an object with a method train"
        raise TypeError(f"trainer is {trainer!r}; it must be {wanted}")
    return None if isinstance(trainer, Simulation) else trainer


def _figures(plan: Plan, step: int, *, full: bool) -> dict[str, float]:
    found = plan.metrics(step, full=full)
    return {name: value for name, value in found.items() if name not in _COUNTS}
