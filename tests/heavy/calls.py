"""A hundred thousand calls in a row: the memory does not grow, and no file stays open."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from fine_tuning_async import FineTuningClient

from ._memory import MIB, open_files, resident
from ._processes import server_process

if TYPE_CHECKING:
    from ._report import Report

__all__ = ["run"]

CALLS = 100_000
WARM = 10_000
MOST_GROWTH = MIB


async def _call(client: FineTuningClient, number: int) -> None:
    for _ in range(number):
        await client.list_files(limit=1)


async def _tell(report: Report, url: str) -> None:
    async with FineTuningClient("k", base_url=url) as client:
        await _call(client, WARM)
        memory, files, start = resident(), open_files(), time.perf_counter()
        await _call(client, CALLS)
        seconds = time.perf_counter() - start
        growth, opened = resident() - memory, open_files() - files
    report.tell("calls in a row", CALLS)
    report.tell("us for each, by the wall clock", seconds / CALLS * 1e6)
    report.tell("growth of the memory in MiB", growth / MIB)
    report.promise(f"{MOST_GROWTH / MIB:.0f} MiB of growth at most", kept=growth <= MOST_GROWTH)
    report.promise("no file or socket more is open", kept=opened <= 0)


def run(report: Report) -> None:
    """Make the calls, and tell what they left."""
    with server_process("--speed", "0") as (_, url):
        asyncio.run(_tell(report, url))
