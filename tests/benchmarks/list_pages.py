"""How long the local server takes for a page of jobs, with few jobs stored and with many.

Run it as `python -m tests.benchmarks.list_pages`.
"""

from __future__ import annotations

import asyncio
import time
from statistics import median

from fine_tuning_async import FineTuningClient
from fine_tuning_async.server import LocalServer

FEW, MANY = 100, 10_000
ROUNDS = 60
IN_FLIGHT = 50
EXAMPLE = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n'


async def fill(client: FineTuningClient, file_id: str, count: int) -> None:
    """Create that many jobs."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def create() -> None:
        async with gate:
            await client.create_job("gpt-4o-mini", file_id)

    await asyncio.gather(*(create() for _ in range(count)))


async def pages(client: FineTuningClient) -> list[float]:
    """Return the seconds of some requests for a page of a hundred jobs."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await client.list_jobs(limit=100)
        taken.append(time.perf_counter() - start)
    return taken


async def main() -> None:
    """Print the medians, with their ratio."""
    async with (
        LocalServer() as few,
        LocalServer() as many,
        FineTuningClient("k", base_url=few.url) as to_few,
        FineTuningClient("k", base_url=many.url) as to_many,
    ):
        for client, count in ((to_few, FEW), (to_many, MANY)):
            file = await client.upload_file(EXAMPLE * 12)
            await fill(client, file.id, count)
        rounds = [(median(await pages(to_few)), median(await pages(to_many))) for _ in range(7)]
    ratios = sorted(large / small for small, large in rounds)
    small, large = (median(column) * 1_000 for column in zip(*rounds, strict=True))
    print(f"a page of 100 jobs: {small:.2f} ms with {FEW} stored, {large:.2f} ms with {MANY:,}")
    print(f"ratio: {median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f}, interleaved)")


if __name__ == "__main__":
    asyncio.run(main())
