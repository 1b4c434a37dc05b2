"""Cancels a coroutine at a chosen one of the points at which it is suspended."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator


class CancellationSwallowedError(AssertionError):
    """A coroutine was cancelled, and ended otherwise."""


class Suspensions:
    """Awaits a coroutine, counts its suspension points, and cancels its task at one of them.

    The task is cancelled just before it is suspended, so that what it waits for is cancelled as by anybody else.

    Args:
        coroutine: What is awaited.
        cancel_at: The number of the point, from 1.
    """

    def __init__(self, coroutine: Coroutine[object, None, object], cancel_at: int) -> None:
        self._coroutine = coroutine
        self._cancel_at = cancel_at
        self.points = 0

    def __await__(self) -> Generator[object, None, object]:
        step: Callable[[], object] = partial(self._coroutine.send, None)
        while True:
            try:
                waited = step()
            except StopIteration as done:
                return done.value
            self.points += 1
            if self.points == self._cancel_at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield waited
            except BaseException as error:  # noqa: BLE001 - handed on to the coroutine
                step = partial(self._coroutine.throw, error)
            else:
                step = partial(self._coroutine.send, None)


async def cancelled_at(point: int, coroutine: Coroutine[object, None, object]) -> bool:
    """Cancel a coroutine at a point; return False if it ended before it came there.

    Raises:
        CancellationSwallowedError: It was cancelled, and returned or raised something else.
    """
    walk = Suspensions(coroutine, point)

    async def await_it() -> object:
        return await walk

    task = asyncio.ensure_future(await_it())
    await asyncio.wait([task])
    if task.cancelled():
        return True
    failure = task.exception()
    if walk.points < point:
        if failure is not None:
            raise failure
        return False
    ended = f"returned {task.result()!r}" if failure is None else f"raised {failure!r}"
    raise CancellationSwallowedError(f"cancelled at point {point}, the coroutine {ended}") from failure
