"""Events that are followed while polls fail, and while the server is killed and started again."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from fine_tuning_async import FineTuningClient, JobEvent

from ._processes import server_process
from ._stage import EXAMPLES, MODEL

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ._report import Report

__all__ = ["followed", "run"]

SPEED = "60"  # simulated seconds in a second: the job takes some five
POLL = 0.05
RATES = [{"kind": "status", "status": 503, "rate": 0.1}, {"kind": "reply_dropped", "rate": 0.1}]
EVENTS_BEFORE_THE_KILL = 12


class Outcome:
    """What was followed, what the server lists in the end, and how many polls failed."""

    def __init__(self) -> None:
        self.given: list[JobEvent] = []
        self.listed: list[JobEvent] = []
        self.polls = 0
        self.failed = 0


async def followed(folder: Path) -> Outcome:
    """Follow a job to its end; the server dies in the middle of it."""
    outcome, options = Outcome(), ["--db", str(folder / "jobs.db"), "--speed", SPEED]

    def count(record: object) -> None:
        outcome.polls += 1
        outcome.failed += getattr(record, "outcome", None) != 200

    with server_process(*options) as (process, url):
        port = str(urlsplit(url).port)
        async with FineTuningClient("k", base_url=url, on_attempt=count) as client:
            job = await client.create_job(MODEL, (await client.upload_file(EXAMPLES)).id)
            await asyncio.to_thread(_let_fail, url)
            events = client.follow_events(job.id, poll=POLL)
            await _take(outcome, events, EVENTS_BEFORE_THE_KILL)
            process.kill()
            process.wait()
            going_on = asyncio.ensure_future(_take(outcome, events, None))
            await asyncio.sleep(1)  # some polls meet nobody
            with server_process(*options, "--port", port):
                await asyncio.to_thread(_let_fail, url)
                await going_on
                await asyncio.to_thread(_let_fail, url, [])
                outcome.listed = (await client.list_events(job.id).collect())[::-1]
    return outcome


async def _take(outcome: Outcome, events: AsyncGenerator[JobEvent], most: int | None) -> None:
    async for event in events:
        outcome.given.append(event)
        if len(outcome.given) == most:
            return


def _let_fail(url: str, rates: list[dict[str, object]] = RATES) -> None:
    place = f"{url.removesuffix('/v1')}/_local/faults"
    body = json.dumps({"rates": rates, "seed": 1}).encode()
    request = Request(place, body, method="POST") if rates else Request(place, method="DELETE")  # noqa: S310 - ours
    urlopen(request).close()  # noqa: S310 - as above


def run(report: Report) -> None:
    """Follow, and tell."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(followed(Path(folder)))
    report.tell("attempts", outcome.polls)
    report.tell("attempts that failed", outcome.failed)
    report.tell("events on the server", len(outcome.listed))
    ids = [event.id for event in outcome.given]
    report.promise("each event was given once", kept=len({*ids}) == len(ids) == len(outcome.listed))
    report.promise("in their order", kept=outcome.given == outcome.listed)
