"""Calls whose server never answers, by the wall clock: how late each is given up."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import TYPE_CHECKING

from fine_tuning_async import FineTuningClient, FineTuningError, RetryPolicy
from tests.misbehaving import MisbehavingServer, answer, silence, stall, trickle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.misbehaving import Behaviour

    from ._report import Report

__all__ = ["run"]

TIMEOUTS = (0.5, 1.3, 5.2, 7.7)  # seconds; aiohttp's own total is rounded up above five
MOST = 0.05  # seconds

SERVERS: dict[str, Behaviour] = {
    "silence": silence(),
    "a body that stalls": stall(),
    "a byte a second": trickle(bytes(1_000)),
    "429 without end": answer(429),
}
CALLS: dict[str, Callable[[FineTuningClient], Awaitable[object]]] = {
    "retrieve_job": lambda client: client.retrieve_job("ftjob-1"),
    "list_jobs": lambda client: client.list_jobs().collect(),
    "create_job": lambda client: client.create_job("m", "file-1"),
    "create_job with a key": lambda client: client.create_job("m", "file-1", idempotency_key="k"),
    "cancel_job": lambda client: client.cancel_job("ftjob-1"),
}


async def _overshoot(server: str, call: str, timeout: float) -> float:  # noqa: ASYNC109 - the client's option
    policy = RetryPolicy(attempts=1_000, attempt_timeout=2.0, base=0.1, cap=0.2, budget=10**6)
    async with (
        MisbehavingServer(SERVERS[server]) as peer,
        FineTuningClient("k", base_url=str(peer.url), timeout=timeout, retry=policy) as client,
    ):
        clock = asyncio.get_running_loop().time
        start = clock()
        try:
            await CALLS[call](client)
        except FineTuningError:
            return clock() - start - timeout
    raise AssertionError(f"{call} against {server}: no error")


async def _tell(report: Report) -> None:
    cases = list(product(SERVERS, CALLS, TIMEOUTS))
    late = await asyncio.gather(*(_overshoot(*case) for case in cases))
    worst, case = max(zip(late, cases, strict=True))
    report.tell("calls that nobody answers", len(cases))
    report.tell(f"the latest, in ms after its deadline ({', '.join(map(str, case))})", worst * 1e3)
    report.promise(f"none later than {MOST * 1e3:.0f} ms", kept=worst <= MOST)


def run(report: Report) -> None:
    """Wait for them, and tell how late the latest was given up."""
    asyncio.run(_tell(report))
