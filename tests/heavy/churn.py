"""Five hundred clients, with paginators and waits, opened and dropped: nothing stays."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import TYPE_CHECKING, Any

from fine_tuning_async import FineTuningClient

from ._memory import MIB, open_files, resident
from ._processes import server_process
from ._stage import EXAMPLES, MODEL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ._report import Report

__all__ = ["churn", "run"]

TIMES = 500
WARM = 100
MOST_GROWTH = 4 * MIB
TURNS_TO_BE_QUIET = 20


async def churn(url: str, job_id: str, times: int) -> int:
    """Open and drop clients in one loop, half of them without closing them; return how many warned."""
    warned = 0
    for number in range(times):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always", ResourceWarning)
            if number % 2:
                await _use(FineTuningClient("k", base_url=url), job_id)
            else:
                async with FineTuningClient("k", base_url=url) as client:
                    await _use(client, job_id)
            for _ in range(TURNS_TO_BE_QUIET):
                await asyncio.sleep(0)
            gc.collect()  # a client that somebody still holds in a cycle warns now
        warned += any(str(each.message).startswith("unclosed FineTuningClient") for each in seen)
    return warned


async def _use(client: FineTuningClient, job_id: str) -> None:
    async for _ in client.list_jobs(limit=1):
        break  # with the next page not yet asked for
    jobs = aiter(client.list_jobs(limit=1))
    await anext(jobs)
    await anext(jobs)  # now it is on its way
    dropped: AsyncIterator[object] = aiter(client.list_events(job_id))
    del dropped  # before its first item
    await anext(client.follow_events(job_id))
    await anext(client.watch_jobs())
    works = [client.list_jobs(limit=1).collect(), client.wait_for_job(job_id), client.wait_for_job(job_id)]
    waiting = [asyncio.ensure_future(work) for work in works]
    for turns, task in enumerate(waiting):
        for _ in range(10 * turns):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait(waiting)


async def _prepare(url: str) -> str:
    async with FineTuningClient("k", base_url=url) as client:
        file = await client.upload_file(EXAMPLES)
        jobs = [await client.create_job(MODEL, file.id) for _ in range(4)]
    return jobs[0].id


def _hear(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # aiohttp tells the loop of what it finds unclosed; that is what half of the clients are meant to be.
    assert str(context["message"]).startswith("Unclosed"), context


async def _tell(report: Report, url: str) -> None:
    asyncio.get_running_loop().set_exception_handler(_hear)
    job_id = await _prepare(url)
    await churn(url, job_id, WARM)
    memory, files, tasks = resident(), open_files(), len(asyncio.all_tasks())
    warned = await churn(url, job_id, TIMES)
    await asyncio.sleep(1)
    growth, opened, left = resident() - memory, open_files() - files, len(asyncio.all_tasks()) - tasks
    report.tell("clients opened and dropped", TIMES)
    report.tell("growth of the memory in MiB", growth / MIB)
    report.promise(f"{MOST_GROWTH / MIB:.0f} MiB of growth at most", kept=growth <= MOST_GROWTH)
    report.promise("no file or socket more is open", kept=opened <= 0)
    report.promise("no task is left", kept=left == 0)
    report.promise("each client that was not closed has warned", kept=warned == TIMES // 2)


def run(report: Report) -> None:
    """Open and drop, and tell what stayed."""
    with server_process("--speed", "0") as (_, url):
        asyncio.run(_tell(report, url))
