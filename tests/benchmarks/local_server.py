"""Measures what the local server takes for its part, in a fresh process, and prints it as a line of JSON.

python -m tests.benchmarks.local_server WORK
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING

from .works import WORKS, LocalServer

if TYPE_CHECKING:
    import aiohttp

STORED = 10_000
EXAMPLE = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n'
BODY = {"model": "gpt-4o-mini", "training_file": ""}


async def creates(session: aiohttp.ClientSession, count: int) -> int:
    """Create so many jobs; return how many came back."""
    left = iter(range(count))

    async def worker() -> int:
        return sum([await create(session) for _ in left])

    return sum(await asyncio.gather(*(worker() for _ in range(20))))


async def create(session: aiohttp.ClientSession) -> int:
    """Create a job."""
    async with session.post("fine_tuning/jobs", json=BODY) as answer:
        return int((await answer.json())["object"] == "fine_tuning.job")


async def pages(session: aiohttp.ClientSession, count: int) -> int:
    """Ask for so many pages, one after another; return how many were full."""
    full, query = 0, {"limit": "100"}
    for _ in range(count):
        async with session.get("fine_tuning/jobs", params=query) as answer:
            page = await answer.json()
        full += len(page["data"]) == 100
        query["after"] = page["data"][-1]["id"]
    return full


async def measure(url: str, work: LocalServer) -> dict[str, float]:
    """Return the seconds of CPU of all threads but this one, and those by the wall."""
    import aiohttp  # noqa: PLC0415 - after the start was measured

    headers = {"Authorization": "Bearer k"}
    async with aiohttp.ClientSession(f"{url}/", headers=headers) as session:
        form = aiohttp.FormData({"purpose": "fine-tune"})
        form.add_field("file", EXAMPLE * 12, filename="train.jsonl")
        async with session.post("files", data=form) as answer:
            BODY["training_file"] = (await answer.json())["id"]
        await creates(session, STORED if work.kind == "page" else 100)
        done = pages if work.kind == "page" else creates
        wall, cpu = time.perf_counter(), time.process_time() - time.thread_time()
        items = await done(session, work.share)
        cpu, wall = time.process_time() - time.thread_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall, "items": items}


def main(work: LocalServer) -> dict[str, float]:
    """Start a server, and measure what is asked for."""
    from fine_tuning_async.server import LocalServer as Server  # noqa: PLC0415 - imports are not in the timed part

    wall, cpu = time.perf_counter(), time.process_time()
    with Server() as server:
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if work.kind == "start":
            return {"cpu": cpu, "wall": wall, "items": 1}
        return asyncio.run(measure(server.url, work))


if __name__ == "__main__":
    wanted = WORKS[sys.argv[1]]
    assert isinstance(wanted, LocalServer)
    print(json.dumps(main(wanted)))
