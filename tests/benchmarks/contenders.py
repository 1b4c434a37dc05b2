"""The clients that are compared: each does the same work, and says how many jobs it has got."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    import aiohttp
    from openai import AsyncOpenAI

    from fine_tuning_async import FineTuningClient

__all__ = ["CONTENDERS", "Contender", "opened"]

MODEL, FILE, JOB = "gpt-4o-mini-2024-07-18", "file-abc123", "ftjob-abc123"


class Contender(Protocol):
    """A client at work."""

    async def iterate(self, limit: int, pause: float = 0.0) -> int:
        """Go through all jobs, so many a page; pause after each page's worth of them."""
        ...

    async def create(self) -> int:
        """Create a job."""
        ...

    async def retrieve(self) -> int:
        """Retrieve a job."""
        ...


class Bare:
    """aiohttp and orjson by hand, without checks: what no client can beat by much."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        import orjson  # noqa: PLC0415 - each contender's process imports its own

        self._session, self._jobs, self._loads = session, f"{url}/fine_tuning/jobs", orjson.loads

    async def iterate(self, limit: int, pause: float = 0.0) -> int:
        count, query = 0, {"limit": str(limit)}
        while True:
            async with self._session.get(self._jobs, params=query) as answer:
                page = self._loads(await answer.read())
            for job in page["data"]:
                count += job["status"] == "succeeded"
            if pause:
                await asyncio.sleep(pause)
            if not page["has_more"]:
                return count
            query["after"] = page["data"][-1]["id"]

    async def create(self) -> int:
        body = {"model": MODEL, "training_file": FILE, "suffix": "s", "metadata": {"team": "support"}}
        async with self._session.post(self._jobs, json=body) as answer:
            return int(self._loads(await answer.read())["status"] == "succeeded")

    async def retrieve(self) -> int:
        async with self._session.get(f"{self._jobs}/{JOB}") as answer:
            return int(self._loads(await answer.read())["status"] == "succeeded")


class Ours:
    """This client."""

    def __init__(self, client: FineTuningClient) -> None:
        self._client = client

    async def iterate(self, limit: int, pause: float = 0.0) -> int:
        count = 0
        async for job in self._client.list_jobs(limit=limit):
            count += job.status == "succeeded"
            if pause and count % limit == 0:
                await asyncio.sleep(pause)
        return count

    async def create(self) -> int:
        job = await self._client.create_job(MODEL, FILE, suffix="s", metadata={"team": "support"})
        return int(job.status == "succeeded")

    async def retrieve(self) -> int:
        return int((await self._client.retrieve_job(JOB)).status == "succeeded")


class Official:
    """AsyncOpenAI."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._jobs = client.fine_tuning.jobs

    async def iterate(self, limit: int, pause: float = 0.0) -> int:
        count = 0
        async for job in self._jobs.list(limit=limit):
            count += job.status == "succeeded"
            if pause and count % limit == 0:
                await asyncio.sleep(pause)
        return count

    async def create(self) -> int:
        job = await self._jobs.create(model=MODEL, training_file=FILE, suffix="s", metadata={"team": "support"})
        return int(job.status == "succeeded")

    async def retrieve(self) -> int:
        return int((await self._jobs.retrieve(JOB)).status == "succeeded")


@asynccontextmanager
async def _bare(url: str) -> AsyncIterator[Contender]:
    import aiohttp  # noqa: PLC0415 - as above

    async with aiohttp.ClientSession(headers={"Authorization": "Bearer k"}) as session:
        yield Bare(session, url)


@asynccontextmanager
async def _ours(url: str) -> AsyncIterator[Contender]:
    from fine_tuning_async import FineTuningClient  # noqa: PLC0415 - as above

    async with FineTuningClient("k", base_url=url) as client:
        yield Ours(client)


@asynccontextmanager
async def _official(url: str) -> AsyncIterator[Contender]:
    from openai import AsyncOpenAI  # noqa: PLC0415 - as above

    async with AsyncOpenAI(api_key="k", base_url=url) as client:
        yield Official(client)


@asynccontextmanager
async def _official_aiohttp(url: str) -> AsyncIterator[Contender]:
    from openai import AsyncOpenAI, DefaultAioHttpClient  # noqa: PLC0415 - as above

    async with AsyncOpenAI(api_key="k", base_url=url, http_client=DefaultAioHttpClient()) as client:
        yield Official(client)


CONTENDERS: dict[str, Callable[[str], AbstractAsyncContextManager[Contender]]] = {
    "bare": _bare,
    "ours": _ours,
    "openai": _official,
    "openai-aiohttp": _official_aiohttp,
}
"""By name: opens a client of the API at a base URL."""


def opened(name: str, url: str) -> AbstractAsyncContextManager[Contender]:
    """Open a contender."""
    return CONTENDERS[name](url)


async def many(call: Callable[[], Awaitable[int]], count: int, in_flight: int) -> int:
    """Make so many calls, so many of them at once; return the sum of what they return."""
    left = iter(range(count))

    async def worker() -> int:
        return sum([await call() for _ in left])

    return sum(await asyncio.gather(*(worker() for _ in range(in_flight))))
