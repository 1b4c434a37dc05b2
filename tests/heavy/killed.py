"""A pipeline that is killed at random moments, and started again with the same keys: each job is there once."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from fine_tuning_async import FineTuningClient

from ._processes import server_process
from ._stage import EXAMPLES, MODEL

if TYPE_CHECKING:
    from ._report import Report

__all__ = ["kill_until_done", "pipeline", "run"]

JOBS = 1_000
KILLS = 30
AT_ONCE = 10
LONGEST_LIFE = 1.0  # seconds until a kill; starting Python takes a third of it


async def pipeline(url: str, file_id: str, jobs: int) -> None:
    """Create the jobs, some at once, each with the key that says which one it is."""
    places = asyncio.Semaphore(AT_ONCE)

    async def create(client: FineTuningClient, number: int) -> None:
        async with places:
            await client.create_job(MODEL, file_id, suffix=f"job-{number}", idempotency_key=f"job {number}")

    async with FineTuningClient("k", base_url=url) as client, asyncio.TaskGroup() as group:
        for number in range(jobs):
            group.create_task(create(client, number))


def kill_until_done(jobs: int, kills: int, seed: int) -> int:
    """Kill the pipeline so many times, let it end then; return how many jobs the kills had left to do in all.

    Raises:
        AssertionError: A job is missing, or there twice.
    """
    draw = random.Random(seed)
    with server_process("--speed", "0") as (_, url):
        file_id = asyncio.run(_upload(url))
        words = [sys.executable, "-m", __name__, url, file_id, str(jobs)]
        interrupted = 0
        for _ in range(kills):
            with subprocess.Popen(words, cwd=Path(__file__).parents[2]) as process:  # noqa: S603 - our own program
                try:
                    process.wait(draw.uniform(0, LONGEST_LIFE))
                except subprocess.TimeoutExpired:
                    interrupted += 1
                    process.kill()
        subprocess.run(words, cwd=Path(__file__).parents[2], check=True)  # noqa: S603 - as above
        made = asyncio.run(_suffixes(url))
    assert made == Counter({f"job-{number}": 1 for number in range(jobs)}), f"jobs: {made}"
    return interrupted


async def _upload(url: str) -> str:
    async with FineTuningClient("k", base_url=url) as client:
        return (await client.upload_file(EXAMPLES)).id


async def _suffixes(url: str) -> Counter[str]:
    async with FineTuningClient("k", base_url=url) as client:
        return Counter([job.user_provided_suffix or "" async for job in client.list_jobs(limit=100)])


def run(report: Report) -> None:
    """Kill it, and tell."""
    report.tell("jobs with keys", JOBS)
    report.tell(f"starts of {KILLS} that were killed before their end", kill_until_done(JOBS, KILLS, seed=1))
    report.promise("each job is there once", kept=True)


if __name__ == "__main__":
    asyncio.run(pipeline(sys.argv[1], sys.argv[2], int(sys.argv[3])))
