"""Thousands of generated answers that are wrong in some way: only errors of our tree, none after the deadline."""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from fine_tuning_async import FineTuningClient, FineTuningError, RetryPolicy
from tests.misbehaving import Exchange, MisbehavingServer
from tests.properties.broken_answers import BROKEN_ANSWERS
from tests.virtual_time import run as run_virtually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._report import Report

__all__ = ["answered", "cases", "run"]

EXAMPLES = 20_000
DEADLINE = 6.0  # seconds of one call, with all its attempts and waits
SLACK = 0.05
TRANSFER_ROUNDS = 8  # a transfer has no deadline, but so many times the time without progress are enough
POLICY = RetryPolicy(attempts=2, attempt_timeout=2.0, base=0.1, cap=0.2)


async def _iterate(client: FineTuningClient) -> object:
    return [job async for job in client.list_jobs()]


async def _stream(client: FineTuningClient) -> object:
    async with client.stream_file("file-1") as chunks:
        return [chunk async for chunk in chunks]


CALLS: dict[str, Callable[[FineTuningClient], Awaitable[object]]] = {
    "retrieve_job": lambda client: client.retrieve_job("ftjob-1"),
    "create_job": lambda client: client.create_job("m", "file-1"),
    "create_job with a key": lambda client: client.create_job("m", "file-1", idempotency_key="k"),
    "cancel_job": lambda client: client.cancel_job("ftjob-1"),
    "iterate": _iterate,
    "collect": lambda client: client.list_events("ftjob-1").collect(),
    "delete_file": lambda client: client.delete_file("file-1"),
    "upload_file": lambda client: client.upload_file(b"{}"),
    "stream_file": _stream,
    "training_metrics": lambda client: client.training_metrics("ftjob-1"),
    "request": lambda client: client.request("GET", "/anything"),
}
TRANSFERS = frozenset({"upload_file", "stream_file", "training_metrics"})
PAGES = frozenset({"iterate", "collect"})


def cases() -> st.SearchStrategy[tuple[str, bytes, bool]]:
    """A call, what is answered to it, and whether the server falls silent afterwards instead of hanging up."""
    return st.tuples(st.sampled_from(sorted(CALLS)), BROKEN_ANSWERS, st.integers(0, 9).map(lambda n: n == 0))


def answered(name: str, data: bytes, silent: bool) -> str:
    """Make a call that gets this answer; return the name of what came out.

    Raises:
        AssertionError: It took too long.
        BaseException: What came out is no error of ours.
    """
    return run_virtually(_answered(name, data, silent=silent))


async def _answered(name: str, data: bytes, *, silent: bool) -> str:
    async def behave(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.send(data)
        if silent:
            await asyncio.get_running_loop().create_future()
        await exchange.fin()

    loop = asyncio.get_running_loop()
    async with (
        MisbehavingServer(behave) as server,
        FineTuningClient("sk-of-the-client", base_url=str(server.url), timeout=DEADLINE, retry=POLICY) as client,
    ):
        start, outcome = loop.time(), "a result"
        try:
            with warnings.catch_warnings():
                # A job that came back without its key: the caller is told by a warning that none can protect.
                warnings.filterwarnings("ignore", "the server dropped the metadata", UserWarning)
                await CALLS[name](client)
        except FineTuningError as error:
            outcome = type(error).__name__
        taken = loop.time() - start
        allowed = DEADLINE * (TRANSFER_ROUNDS if name in TRANSFERS else 2 if name in PAGES else 1) + SLACK
        assert taken <= allowed, f"{name} took {taken:g} s"
    return outcome


def run(report: Report) -> None:
    """Make the calls, and tell what came out of them."""
    outcomes: Counter[str] = Counter()

    @seed(1)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases())
    def examine(case: tuple[str, bytes, bool]) -> None:
        outcomes[answered(*case)] += 1

    examine()
    for name, number in outcomes.most_common():
        report.tell(name, number)
    report.tell("answers in all", outcomes.total())
    report.promise("nothing but results and errors of ours, none late", kept=outcomes.total() >= EXAMPLES)
