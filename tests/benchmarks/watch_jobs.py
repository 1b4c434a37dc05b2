"""What it costs to watch ten thousand jobs: requests, time, memory.

Run it as `python -m tests.benchmarks.watch_jobs`.
"""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc

from fine_tuning_async import FineTuningClient
from fine_tuning_async.server import LocalServer

from .list_pages import EXAMPLE, fill

JOBS = 10_000
POLL = 3.0


async def main() -> None:
    """Print the requests of a round, its seconds, what is held at most, and between two rounds."""
    async with LocalServer() as server, FineTuningClient("k", base_url=server.url) as client:
        file = await client.upload_file(EXAMPLE * 12)
        await fill(client, file.id, JOBS)
        ids = [job.id async for job in client.list_jobs(limit=100)]
        sent = len(server.requests)
        gc.collect()
        tracemalloc.start()
        watching = client.watch_jobs(ids, poll=POLL)
        for _ in range(JOBS):
            await anext(watching)
        first, peak = len(server.requests) - sent, tracemalloc.get_traced_memory()[1]
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        print(f"first round: {first} requests, {peak / 2**20:.1f} MiB at most, {held / 2**20:.1f} MiB after it")
        await asyncio.sleep(POLL)
        server.advance(10)  # each job has another status
        sent, start = len(server.requests), time.perf_counter()
        await anext(watching)
        taken = time.perf_counter() - start
        print(f"a later round: {len(server.requests) - sent} requests, {taken:.2f} s, the server's included")
        await watching.aclose()


if __name__ == "__main__":
    asyncio.run(main())
