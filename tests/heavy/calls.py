"""A hundred thousand calls in a row: the memory does not grow, and no file stays open."""

from __future__ import annotations

import asyncio
import time

from fine_tuning_async import FineTuningClient

from .memory import MIB, open_files, resident
from .processes import server_process

__all__ = ["main"]

CALLS = 100_000
WARM = 10_000
MOST_GROWTH = MIB


async def _call(client: FineTuningClient, number: int) -> None:
    for _ in range(number):
        await client.list_files(limit=1)


async def _run(url: str) -> None:
    async with FineTuningClient("k", base_url=url) as client:
        await _call(client, WARM)
        memory, files, start = resident(), open_files(), time.perf_counter()
        await _call(client, CALLS)
        seconds = time.perf_counter() - start
        growth, opened = resident() - memory, open_files() - files
    print(f"{CALLS} calls in a row: {seconds:.0f} s, {growth / MIB:+.2f} MiB, {opened:+} open files")
    assert growth <= MOST_GROWTH, f"the memory grew by {growth / MIB:.2f} MiB"
    assert opened == 0, f"{opened} more files are open"


def main() -> None:
    """Make the calls, and print what they left."""
    with server_process("--speed", "0") as (_, url):
        asyncio.run(_run(url))
