"""Every public coroutine and iterator, cancelled at every single point at which it is suspended."""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from fine_tuning_async.server import Fault
from tests.suspension import cancelled_at
from tests.virtual_time import run as run_virtually

from ._operations import OPERATIONS
from ._stage import staged

if TYPE_CHECKING:
    from collections.abc import Callable

    from fine_tuning_async.server import Faults

    from ._operations import Operation
    from ._report import Report
    from ._stage import Stage

__all__ = ["WEATHERS", "points_of", "run"]

# Long enough for a page that was fetched ahead and for a connection that closes; then for threads that still read.
TURNS_TO_BE_QUIET = 20
THREADS_TO_END = 1.0


WEATHERS: dict[str, Callable[[Faults], object]] = {
    "fair": lambda faults: None,
    # What is still on its way when all should be quiet is seen, as it cannot have ended by then.
    "slow": lambda faults: faults.add(Fault.reply_delayed(2 * THREADS_TO_END)),
    # The waits between attempts are points too.
    "stormy": lambda faults: faults.add(Fault.rate_limited(), times=2),
}


async def points_of(operation: Operation, weather: str = "fair") -> int:
    """Cancel an operation at every point, each time on a stage of its own; return how many there are.

    Raises:
        AssertionError: The cancellation was swallowed, or left something behind.
    """
    for point in count(1):
        async with staged() as stage:
            WEATHERS[weather](stage.server.faults)
            before = _open_files()
            theirs = asyncio.all_tasks()
            reached = await cancelled_at(point, operation(stage))
            await _assert_quiet(stage, theirs, f"{operation.__name__}, cancelled at point {point}, {weather}")
            stage.server.faults.clear()
            if operation.__name__ != "close":
                await stage.client.retrieve_job(stage.done.id)  # it can still be used
            await stage.client.close()
            await _turns()
            left = _open_files() - before
            # What the server still holds of the connections goes when it hears that they are gone.
            assert not {each for each in left if not each.startswith("socket:")}, f"{operation.__name__}: {left}"
        if not reached:
            return point - 1
    raise AssertionError


async def _assert_quiet(stage: Stage, theirs: set[asyncio.Task[object]], when: str) -> None:
    await _turns()
    await asyncio.sleep(THREADS_TO_END)
    # The tasks that were there before are the server's; a request that it still answers is one more.
    server = {task for task in asyncio.all_tasks() - theirs if "RequestHandler" in repr(task.get_coro())}
    left = asyncio.all_tasks() - theirs - server
    assert not left, f"{when}: tasks are left: {left}"
    for session in stage.client._sessions._sessions.values():  # type: ignore[attr-defined]
        assert not session.connector._acquired, f"{when}: a connection is in use"
    written = sorted(each.name for each in stage.folder.iterdir())
    assert written in ([], ["train.jsonl"]), f"{when}: {written} are left"


async def _turns() -> None:
    for _ in range(TURNS_TO_BE_QUIET):
        await asyncio.sleep(0)


def _open_files() -> set[str]:
    """What is open in this process, where the system tells."""
    if not sys.platform.startswith("linux"):
        return set()
    names = set()
    for entry in os.scandir("/proc/self/fd"):
        try:
            names.add(str(Path(entry.path).readlink()))
        except FileNotFoundError:
            continue  # the one through which the folder is read
    return names


def run(report: Report) -> None:
    """Cancel every operation, and tell at how many points."""
    total = 0
    for operation in OPERATIONS:
        points = [run_virtually(points_of(operation, weather)) for weather in WEATHERS]
        report.tell(f"{operation.__name__}: points ({', '.join(WEATHERS)})", ", ".join(map(str, points)))
        total += sum(points)
    report.tell(f"{len(OPERATIONS)} operations in {len(WEATHERS)} weathers: points", total)
    report.promise("nothing was left, no cancellation swallowed", kept=True)
