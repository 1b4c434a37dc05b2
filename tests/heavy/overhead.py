"""What the loop of attempts costs a call that succeeds at once, beside the sending alone, without a network."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

from fine_tuning_async import RetryPolicy
from fine_tuning_async._pipeline import Pipeline
from fine_tuning_async._secret import Secret
from fine_tuning_async._wire import Request, Response
from fine_tuning_async.retry import RetryBudget

if TYPE_CHECKING:
    from fine_tuning_async._arriving import Arriving
    from fine_tuning_async.transport import Parcel

    from ._report import Report

__all__ = ["run"]

CALLS = 20_000
ROUNDS = 7
MOST = 15.0  # microseconds of CPU
ANSWER = Response(200, {"x-request-id": "req_1"}, b"{}")


class Instant:
    """A transport that has the answer already."""

    async def send(self, parcel: Parcel) -> Response:
        """Answer at once."""
        return ANSWER

    async def open(self, parcel: Parcel) -> Arriving:
        """Refuse: nothing is streamed here."""
        raise AssertionError


async def _measure() -> tuple[float, float]:
    """Return the microseconds of CPU that one call takes, and that one sending alone takes."""
    policy = RetryPolicy()
    pipeline = Pipeline(
        transport=Instant(),
        base_url="https://api.openai.com/v1",
        key=Secret("sk-of-the-client"),
        headers={"Accept": "application/json"},
        timeout=60.0,
        retry=policy,
        budget=RetryBudget(policy.budget),
    )
    request = Request(method="GET", path="/fine_tuning/jobs/ftjob-1")
    parcel, _ = await pipeline.prepare(request, asyncio.get_running_loop().time() + 3_600)
    send = pipeline.transport.send

    start = time.process_time()
    for _ in range(CALLS):
        await pipeline.call(request, lambda response: response)
    whole = time.process_time() - start
    start = time.process_time()
    for _ in range(CALLS):
        await send(parcel)
    alone = time.process_time() - start
    return whole / CALLS * 1e6, alone / CALLS * 1e6


def run(report: Report) -> None:
    """Measure, and tell the medians."""
    figures = [asyncio.run(_measure()) for _ in range(ROUNDS)]
    whole, alone = (statistics.median(column) for column in zip(*figures, strict=True))
    report.tell("us of CPU for a call", whole)
    report.tell("us of CPU for the sending alone", alone)
    report.promise(f"the loop takes {MOST:.0f} us at most", kept=whole - alone <= MOST)
