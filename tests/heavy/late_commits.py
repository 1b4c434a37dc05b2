"""Keyed creates whose commit takes a random time, which straddles the attempt's timeout."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from fine_tuning_async import FineTuningClient, RetryPolicy
from fine_tuning_async.server import Fault, LocalServer
from tests.heavy.creates import EXAMPLE, Outcome, count_jobs, create_until_it_returns, each_at_once

if TYPE_CHECKING:
    from tests.heavy._report import Report

CALLS = 500
ATTEMPT_TIMEOUT = 1.0
SEED = 11


async def straddling(server: LocalServer, url: str, calls: int, attempt_timeout: float) -> Outcome:
    """Create with keys; commits come after nought to twice the attempt's timeout."""
    outcome = Outcome()
    retry = RetryPolicy(attempt_timeout=attempt_timeout)
    async with FineTuningClient("k", base_url=url, retry=retry) as client:
        file = await client.upload_file(EXAMPLE * 12)
        server.faults.add(Fault.header_ignored("Idempotency-Key"))
        late = Fault.work_delayed(0, up_to=2 * attempt_timeout)
        server.faults.add(late, method="POST", path="/fine_tuning/jobs", seed=SEED)
        await each_at_once(calls, partial(create_until_it_returns, client, file.id, outcome))
        server.faults.clear()
        await asyncio.sleep(2 * attempt_timeout)  # whatever is still to be committed is, by now
    outcome.requests = sum(each.fault == "header_ignored+work_delayed" for each in server.requests)
    await count_jobs(url, outcome)
    return outcome


def run(report: Report) -> None:
    """Make the creates, and tell."""
    asyncio.run(_tell(report))


async def _tell(report: Report) -> None:
    async with LocalServer() as server:
        outcome = await straddling(server, server.url, CALLS, ATTEMPT_TIMEOUT)
    report.tell("calls with a key", CALLS)
    report.tell("calls that raised, and were made again", outcome.repeats)
    report.tell("creates sent", outcome.requests)
    report.tell("jobs on the server", outcome.jobs.total())
    report.promise("no call without its job", kept=len(outcome.jobs) == CALLS)
    report.promise("no call with two", kept=max(outcome.jobs.values()) == 1)
    report.promise("what was returned is what is there", kept=set(outcome.ids) == outcome.held)
