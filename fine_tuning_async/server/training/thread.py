"""The thread in which one job is trained."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from .protocol import TrainingFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from .protocol import Report, Trainer, TrainingTask


class TrainingThread:
    """Iterates a trainer in a loop of its own; hands each report to the serving loop, and waits until it has it.

    Whatever the trainer does, the serving loop is not held up: it is called, and never waits.

    Args:
        trainer: What trains.
        task: What is to be trained.
        accept: Called in the serving loop with each report; tells whether the training is to go on.
        ended: Called in the serving loop at the end, with what the trainer raised, if anything.
    """

    def __init__(
        self,
        trainer: Trainer,
        task: TrainingTask,
        accept: Callable[[Report], bool],
        ended: Callable[[BaseException | None], None],
    ) -> None:
        self._trainer = trainer
        self._task = task
        self._accept = accept
        self._ended = ended
        self._serving = asyncio.get_running_loop()
        self._own = asyncio.new_event_loop()
        self._main: asyncio.Task[None] | None = None
        self._stopping = False
        name = f"fine-tuning-trainer-{task.job_id}"
        # A daemon: a trainer that cannot be stopped must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self) -> None:
        """Ask the trainer to pause."""
        self._call(self._task.pausing.set)

    def cancel(self) -> None:
        """Cancel the task that iterates the trainer; once more, and what it does to end is cancelled."""
        self._call(self._cancel)

    def join(self) -> None:
        """Return once the thread has ended; to be called after `ended` was."""
        self._thread.join()

    def _call(self, callback: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # Its loop is closed: it has ended.
            self._own.call_soon_threadsafe(callback)

    def _cancel(self) -> None:
        self._stopping = True
        if self._main is not None:
            self._main.cancel()

    def _run(self) -> None:
        outcome: BaseException | None = None
        try:
            with asyncio.Runner(loop_factory=lambda: self._own) as runner:
                runner.run(self._iterate())
        except BaseException as error:  # noqa: BLE001 - whatever a trainer raises is told, and ends its job alone
            outcome = error
        with suppress(RuntimeError):  # The serving loop is closed: it has stopped waiting for this.
            self._serving.call_soon_threadsafe(self._ended, outcome)

    async def _iterate(self) -> None:
        self._main = asyncio.current_task()
        if self._stopping:
            return
        reports = _iterator(self._trainer.train(self._task))
        try:
            async for report in reports:
                if not await self._hand_over(report):
                    break
        finally:
            close = getattr(reports, "aclose", None)
            if close is not None:
                await close()

    async def _hand_over(self, report: Report) -> bool:
        answer: Future[bool] = Future()
        self._serving.call_soon_threadsafe(self._take, report, answer)
        return await asyncio.wrap_future(answer)

    def _take(self, report: Report, answer: Future[bool]) -> None:
        if not answer.set_running_or_notify_cancel():
            return  # Nobody waits any more: the trainer was cancelled.
        try:
            answer.set_result(self._accept(report))
        except BaseException as error:
            answer.set_exception(error)
            raise


def _iterator(reports: object) -> AsyncIterator[Report]:
    """Return what a trainer gave back, if it can be iterated: a coroutine or a generator is easily written."""
    if isinstance(reports, AsyncIterable):
        return aiter(reports)
    if inspect.iscoroutine(reports):
        reports.close()  # else Python warns, at some other place, that nobody awaited it
    kind = type(reports).__name__
    raise TrainingFailed(
        f"train() returned a {kind} and no async iterator: let it be an async def that yields reports"
    )
