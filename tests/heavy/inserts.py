"""Pages while jobs are being created: every job that existed at the start comes exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from fine_tuning_async import FineTuningClient
from tests.virtual_time import run as run_virtually

from ._stage import EXAMPLES, MODEL, serving

if TYPE_CHECKING:
    from ._report import Report

__all__ = ["paged", "run"]

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


def run(report: Report) -> None:
    """List, and tell what came."""
    pages, new = run_virtually(paged(BEFORE, INSERTS))
    report.tell("jobs before", BEFORE)
    report.tell("pages", pages)
    report.tell("jobs created meanwhile", INSERTS)
    report.tell("of them listed too", new)
    report.promise("each job that existed came once", kept=True)
