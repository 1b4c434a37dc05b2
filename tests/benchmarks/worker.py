"""Does one piece of work with one contender, in a fresh process, and prints what it took as a line of JSON.

python -m tests.benchmarks.worker WORK CONTENDER PORT
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time

from .contenders import Contender, many, opened
from .memory import peak
from .works import CALLS, WORKS, Calls

WARM_UP = 50
LARGE = 2**22
"""Bytes that each contender lets go of first. glibc keeps what is smaller from then on; without, chance would say
for whom each receive maps its memory anew."""


async def run(contender: Contender, work: Calls) -> int:
    """Do the work; return the number of jobs that were got."""
    if work.kind == "iterate":
        return await contender.iterate(work.limit, work.pause)
    call = contender.create if work.kind == "create" else contender.retrieve
    return await many(call, work.count, work.in_flight)


async def warmed_up(contender: Contender, work: Calls) -> int:
    """Do a little of each call, so that what is made once is made before the clock runs."""
    for _ in range(WARM_UP):
        await contender.create()
        await contender.retrieve()
    return await contender.iterate(work.limit)


async def main(work: Calls, name: str, port: int) -> dict[str, float]:
    """Measure; return seconds of CPU and by the wall, the peak of memory in bytes, how much it grew, the items."""
    bytes(LARGE)
    async with opened(name, f"http://127.0.0.1:{port}/{work.warm_up}/0/v1") as contender:
        assert await warmed_up(contender, work) == work.warm_up
    async with opened(name, f"http://127.0.0.1:{port}/{work.count}/{work.delay}/v1") as contender:
        await contender.retrieve()
        gc.collect()
        before = peak()
        wall, cpu = time.perf_counter(), time.process_time()
        items = await run(contender, work)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "peak": peak(), "growth": peak() - before, "items": items}


if __name__ == "__main__":
    wanted = WORKS[sys.argv[1]]
    assert isinstance(wanted, CALLS)
    print(json.dumps(asyncio.run(main(wanted, sys.argv[2], int(sys.argv[3])))))
