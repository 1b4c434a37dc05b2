"""An account of two thousand jobs is copied: how fast, with how much memory, and through thirty kills.

    python -m tests.heavy.archive URL DIRECTORY

copies an account, and is what is killed.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from fine_tuning_async import Archive, FineTuningClient, archive_account
from tests.heavy._account import CHECKPOINTS, EVENTS, account, count_requests
from tests.heavy._memory import MIB, resident

if TYPE_CHECKING:
    from collections.abc import Callable

    from fine_tuning_async import ArchiveProgress, ArchiveReport
    from tests.heavy._report import Report

JOBS = 2_000
MILLISECONDS = 20
AT_ONCE = 16
KILLS = 30
AFTER_THE_START = 0.8
"""How many of the kills wait until something is fetched; the others may come while the archive is opened."""
PAGE = 100
PROMISED = 1.3


class Memory:
    """What the process holds at each tenth of the jobs."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, progress: ArchiveProgress) -> None:
        if progress.jobs >= (len(self.seen) + 1) * JOBS // 10:
            self.seen.append(resident())


async def copied(
    url: str, directory: Path, progress: Callable[[ArchiveProgress], object] | None = None
) -> ArchiveReport:
    """Copy the account."""
    async with FineTuningClient("k", base_url=url) as client:
        return await archive_account(client, directory, concurrency=AT_ONCE, progress=progress)


async def barely(url: str, requests: int) -> float:
    """Return the seconds that aiohttp alone takes for as many requests, of one kind, as many at once."""
    left = iter(range(requests))

    async def work(session: aiohttp.ClientSession) -> None:
        for number in left:
            async with session.get(f"{url}/fine_tuning/jobs/ftjob-{number % JOBS + 1:08d}/checkpoints") as answer:
                await answer.read()

    start = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(work(session) for _ in range(AT_ONCE)))
    return time.perf_counter() - start


def lines(directory: Path) -> bytes:
    """Return the export, once all checksums are right."""
    with Archive(directory) as archive:
        assert archive.verify().is_sound, "each content has its checksum"
        archive.export(directory.with_suffix(".jsonl"))
    return directory.with_suffix(".jsonl").read_bytes()


def killed(url: str, directory: Path, dice: random.Random) -> int:
    """Copy in a process that is killed at random moments, and return how often it was."""
    words = [sys.executable, "-m", "tests.heavy.archive", url, str(directory)]
    for kills in range(KILLS):
        with subprocess.Popen(words, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own command
            assert process.stdout is not None
            if dice.random() < AFTER_THE_START:
                process.stdout.readline()
            try:
                process.wait(dice.uniform(0.1, 1.2))
            except subprocess.TimeoutExpired:
                process.kill()
            else:
                return kills
    return KILLS


def begun(progress: ArchiveProgress) -> None:
    """Tell who waits to kill this process that it has begun to fetch."""
    if progress.listed <= PAGE and not progress.jobs:
        print("begun", flush=True)


def tell_speed(report: Report, url: str, done: ArchiveReport, requests: int) -> None:
    """Tell how fast it was, beside what could be at best and what aiohttp needs here and now."""
    ideal = requests * MILLISECONDS / 1_000 / AT_ONCE
    bare = asyncio.run(barely(url, requests // 4)) * 4
    report.tell("jobs", done.fetched)
    report.tell("requests", requests)
    report.tell("seconds that the run took", done.seconds)
    report.tell("seconds at best: requests x latency / 16", ideal)
    report.tell("seconds that aiohttp alone takes for as many", bare)
    report.tell("ratio to the best", done.seconds / ideal)
    report.tell("ratio to aiohttp alone", done.seconds / bare)
    report.promise(
        f"within {PROMISED} of the best, or of aiohttp alone", kept=done.seconds <= PROMISED * max(ideal, bare)
    )


def run(report: Report) -> None:
    """Copy in quiet, then through kills, and compare."""
    with tempfile.TemporaryDirectory() as folder, account(JOBS, MILLISECONDS) as url:
        memory = Memory()
        done = asyncio.run(copied(url, Path(folder, "quiet"), memory))
        requests = count_requests(url)
        tell_speed(report, url, done, requests)
        report.tell("MiB at the first tenth", memory.seen[0] / MIB)
        report.tell("MiB at the last", memory.seen[-1] / MIB)
        report.promise("flat memory", kept=memory.seen[-1] - memory.seen[1] < 8 * MIB)
        with Archive(Path(folder, "quiet")) as archive:
            found = archive.summary()
        whole = (found.events, found.checkpoints, found.permissions, found.files, found.unfinished)
        expected = (JOBS * EVENTS, JOBS * CHECKPOINTS, JOBS * CHECKPOINTS, JOBS + 1, 0)
        report.promise("all of it is there", kept=whole == expected)
        report.tell("kills", killed(url, Path(folder, "killed"), random.Random(1)))
        with Archive(Path(folder, "killed")) as archive:
            report.tell("events that had come through by then", archive.summary().events)
        asyncio.run(copied(url, Path(folder, "killed")))
        same = lines(Path(folder, "killed")) == lines(Path(folder, "quiet"))
        report.promise("its export is that of the quiet run, byte for byte", kept=same)


if __name__ == "__main__":
    asyncio.run(copied(sys.argv[1], Path(sys.argv[2]), begun))
