"""Five hundred clients and paginators, opened and dropped: nothing stays."""

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


async def churn(url: str, times: int) -> int:
    """Open and drop clients in one loop, half of them without closing them; return how many warned."""
    warned = 0
    for number in range(times):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always", ResourceWarning)
            if number % 2:
                await _use(FineTuningClient("k", base_url=url))
            else:
                async with FineTuningClient("k", base_url=url) as client:
                    await _use(client)
            for _ in range(TURNS_TO_BE_QUIET):
                await asyncio.sleep(0)
            gc.collect()  # a client that somebody still holds in a cycle warns now
        warned += any(str(each.message).startswith("unclosed FineTuningClient") for each in seen)
    return warned


async def _use(client: FineTuningClient) -> None:
    async for _ in client.list_jobs(limit=1):
        break  # with the next page not yet asked for
    jobs = aiter(client.list_jobs(limit=1))
    await anext(jobs)
    await anext(jobs)  # now it is on its way
    dropped: AsyncIterator[object] = aiter(client.list_events("ftjob-none"))
    del dropped  # before its first item
    waiting = asyncio.ensure_future(client.list_jobs(limit=1).collect())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])


async def _prepare(url: str) -> None:
    async with FineTuningClient("k", base_url=url) as client:
        file = await client.upload_file(EXAMPLES)
        for _ in range(4):
            await client.create_job(MODEL, file.id)


def _hear(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # aiohttp tells the loop of what it finds unclosed; that is what half of the clients are meant to be.
    assert str(context["message"]).startswith("Unclosed"), context


async def _tell(report: Report, url: str) -> None:
    asyncio.get_running_loop().set_exception_handler(_hear)
    await _prepare(url)
    await churn(url, WARM)
    memory, files, tasks = resident(), open_files(), len(asyncio.all_tasks())
    warned = await churn(url, TIMES)
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
