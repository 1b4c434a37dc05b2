"""A server that is down altogether, and is not stormed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from fine_tuning_async import FineTuningClient, FineTuningError, RetryPolicy
from tests.heavy.creates import each_at_once
from tests.misbehaving import MisbehavingServer, answer, fin_after_reading, rst_after_reading, silence

if TYPE_CHECKING:
    from tests.heavy._report import Report
    from tests.misbehaving import Behaviour

CALLS = 1_000
ATTEMPTS = 3
MOST = 1_150
OUTAGES: dict[str, Behaviour] = {
    "503": answer(503),
    "connections closed": fin_after_reading(),
    "connections reset": rst_after_reading(),
    "silence": silence(),
}


async def reached(outage: Behaviour, calls: int, attempt_timeout: float) -> int:
    """Call a server that is down; return how many requests have reached it."""
    retry = RetryPolicy(attempts=ATTEMPTS, attempt_timeout=attempt_timeout)
    async with (
        MisbehavingServer(outage) as server,
        FineTuningClient("k", base_url=server.url, retry=retry) as client,
    ):

        async def call(number: int) -> None:
            with suppress(FineTuningError):
                await client.retrieve_job(f"ftjob-{number}")
                raise AssertionError("the server is down")

        await each_at_once(calls, call)
        return len(server.requests)


def run(report: Report) -> None:
    """Make the calls, and tell."""
    asyncio.run(_tell(report))


async def _tell(report: Report) -> None:
    for name, outage in OUTAGES.items():
        requests = await reached(outage, CALLS, 1.0)
        report.tell(f"{name}: requests of {CALLS:,} calls, up to {ATTEMPTS} each", requests)
        report.promise(f"{name}: at least one a call, {MOST:,} at most", kept=CALLS <= requests <= MOST)
