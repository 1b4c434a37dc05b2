"""Keyed creates while almost every second answer is lost, and the official SDK beside them."""

from __future__ import annotations

import asyncio
import importlib.util
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import attrs

from fine_tuning_async import (
    AttemptRecord,
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    FineTuningClient,
    RateLimitError,
    ServerError,
)
from fine_tuning_async.server import Fault, LocalServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.heavy._report import Report

CALLS = 2_000
AT_ONCE = 50
SEED = 7
MODEL = "gpt-4o-mini"
EXAMPLE = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n'
STORM = {
    Fault.reply_dropped(): 0.20,
    Fault.status(500, after_work=True): 0.10,
    Fault.rate_limited(): 0.10,
    Fault.reset(): 0.05,
}
UNSETTLED = (CreateUncertainError, ServerError, RateLimitError, ConnectionFailed, DeadlineExceeded)


@attrs.define
class Outcome:
    """What came of some creates.

    Attributes:
        jobs: How many jobs the server holds for each call that made some.
        ids: What the calls have returned.
        held: The ids of all jobs that the server holds.
        repeats: How many calls raised and were made again.
        raised: How many calls raised and were not made again.
        requests: How many attempts were made.
    """

    jobs: Counter[str] = attrs.field(factory=Counter)
    ids: list[str] = attrs.field(factory=list)
    held: set[str] = attrs.field(factory=set)
    repeats: int = 0
    raised: int = 0
    requests: int = 0


def begin_storm(server: LocalServer) -> None:
    """Let the faults hit every request, lists too; no header protects, as with most servers."""
    server.faults.rate(STORM, seed=SEED)
    server.faults.add(Fault.header_ignored("Idempotency-Key"))


async def each_at_once(calls: int, call: Callable[[int], Awaitable[None]]) -> None:
    """Make so many calls, of which some are under way at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with gate:
            await call(number)

    await asyncio.gather(*(one(number) for number in range(calls)))


async def create_until_it_returns(client: FineTuningClient, file_id: str, outcome: Outcome, number: int) -> None:
    """Create a job with a key, and call again with that key for as long as nobody knows whether it is there."""
    while True:
        try:
            job = await client.create_job(MODEL, file_id, seed=number, idempotency_key=f"call-{number}")
        except UNSETTLED:
            outcome.repeats += 1
        else:
            outcome.ids.append(job.id)
            return


async def keyed(server: LocalServer, url: str, calls: int) -> Outcome:
    """Create with keys through the storm; a create that raised is called again until it returns."""
    outcome = Outcome()

    def count(_: AttemptRecord) -> None:
        outcome.requests += 1

    async with FineTuningClient("k", base_url=url, on_attempt=count) as client:
        file = await client.upload_file(EXAMPLE * 12)
        begin_storm(server)
        await each_at_once(calls, partial(create_until_it_returns, client, file.id, outcome))
        server.faults.clear()
    await count_jobs(url, outcome)
    return outcome


async def count_jobs(url: str, outcome: Outcome) -> None:
    """Count what the server holds, by the seed that each call gave its job."""
    async with FineTuningClient("k", base_url=url) as client:
        async for job in client.list_jobs(limit=100):
            outcome.jobs[str(job.seed)] += 1
            outcome.held.add(job.id)


def run(report: Report) -> None:
    """Make the creates, and tell."""
    asyncio.run(_tell(report))


async def _tell(report: Report) -> None:
    async with LocalServer() as server:
        outcome = await keyed(server, server.url, CALLS)
    report.tell("calls with a key", CALLS)
    report.tell("calls that raised, and were made again", outcome.repeats)
    report.tell("attempts sent, lists included", outcome.requests)
    report.tell("jobs on the server", outcome.jobs.total())
    report.promise("no call without its job", kept=len(outcome.jobs) == CALLS)
    report.promise("no call with two", kept=max(outcome.jobs.values()) == 1)
    report.promise("what was returned is what is there", kept=set(outcome.ids) == outcome.held)
    if importlib.util.find_spec("openai") is None:
        report.tell("the official SDK is not installed (extra bench)", "skipped")
        return
    from tests.heavy import _official  # noqa: PLC0415 - the SDK may be missing, and takes long to import

    async with LocalServer() as server:
        theirs = await _official.create(server, CALLS)
    report.tell("the official SDK: calls", CALLS)
    report.tell("its calls that raised", theirs.raised)
    report.tell("its jobs on the server", theirs.jobs.total())
    report.tell("its jobs for one call", theirs.jobs.total() / CALLS)
    report.tell("its calls with more than one job", sum(each > 1 for each in theirs.jobs.values()))
