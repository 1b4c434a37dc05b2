"""Pages while jobs are being created: every job that existed at the start comes exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter

from fine_tuning_async import FineTuningClient
from tests.virtual_time import run

from .stage import EXAMPLES, MODEL, serving

__all__ = ["main", "paged"]

BEFORE = 500
INSERTS = 200
PAGE = 10


async def paged(before: int, inserts: int) -> tuple[int, int]:
    """List jobs while others are created; return how many pages it took, and how many of the new jobs came.

    Raises:
        AssertionError: A job that existed before is missing, or any job came twice.
    """
    async with serving() as (_, url), FineTuningClient("k", base_url=url) as client:
        file = await client.upload_file(EXAMPLES)
        old = [(await client.create_job(MODEL, file.id)).id for _ in range(before)]
        seen: Counter[str] = Counter()
        pages = 0

        async def insert() -> None:
            for _ in range(inserts):
                await client.create_job(MODEL, file.id)

        async with asyncio.TaskGroup() as group:
            group.create_task(insert())
            async for page in client.list_jobs(limit=PAGE).pages():
                pages += 1
                seen.update(job.id for job in page.data)
        missing = [each for each in old if each not in seen]
        assert not missing, f"{len(missing)} jobs are missing"
        assert set(seen.values()) == {1}, "a job came twice"
    return pages, len(seen) - before


def main() -> None:
    """List, and print what came."""
    pages, new = run(paged(BEFORE, INSERTS))
    print(
        f"{BEFORE} jobs on {pages} pages while {INSERTS} were created: each once; {new} of the new ones came too"
    )
