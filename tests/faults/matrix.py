"""Each operation of the client under each fault of the server, and what must be right about what comes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fine_tuning_async import CreateUncertainError, FineTuningClient, FineTuningError
from fine_tuning_async.server import Fault
from tests.faults.operations import World, serving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.faults.operations import Operation, Things

Case = tuple[Fault, ...]
"""Faults that are there together."""

ONCE: list[Case] = [
    (Fault.reply_delayed(30),),
    (Fault.reply_delayed(5, up_to=50),),
    (Fault.work_delayed(30),),
    (Fault.work_delayed(5, up_to=50),),
    (Fault.status(500),),
    (Fault.status(502),),
    (Fault.status(500, after_work=True),),
    (Fault.status(504, after_work=True),),
    (Fault.status(403),),
    (Fault.rate_limited(),),
    (Fault.rate_limited(5),),
    (Fault.rate_limited(milliseconds=200),),
    (Fault.rate_limited(code="insufficient_quota"),),
    (Fault.reply_dropped(),),
    (Fault.reply_dropped(after_work=False),),
    (Fault.reset(),),
    (Fault.reset(after_work=True),),
    (Fault.cut(),),
    (Fault.cut(0),),
    (Fault.stalled(),),
    (Fault.stalled(0),),
    (Fault.trickled(0.01, size=500),),
    (Fault.trickled(25),),
    (Fault.malformed(),),
    (Fault.malformed("<html>Bad gateway</html>", content_type="text/html"),),
    (Fault.malformed("[]"),),
    (Fault.malformed(""),),
    (Fault.malformed('{"object": "list", "data": [{"id": 5}], "has_more": "no"}'),),
    (Fault.has_more(True),),
    (Fault.has_more(None),),
    (Fault.has_more(True), Fault.query_ignored("after")),
    (Fault.query_ignored("metadata"),),
    (Fault.header_ignored("Idempotency-Key"), Fault.reply_dropped()),
    (Fault.work_delayed(3), Fault.reply_delayed(3), Fault.status(503, after_work=True)),
]

LASTING: list[Case] = [
    (Fault.reply_delayed(30),),
    (Fault.work_delayed(30),),
    (Fault.status(502),),
    (Fault.status(500, after_work=True),),
    (Fault.rate_limited(),),
    (Fault.reply_dropped(),),
    (Fault.reset(),),
    (Fault.cut(),),
    (Fault.stalled(),),
    (Fault.malformed(),),
    (Fault.has_more(True), Fault.query_ignored("after")),
    (Fault.header_ignored("Idempotency-Key"), Fault.reply_dropped()),
]


async def meet(
    operation: Operation, things: Things, folder: Path, cases: Sequence[Case], *, times: int | None
) -> None:
    """Let each case meet the operation, in a world of its own if the operation changes it."""
    for part in [[case] for case in cases] if operation.changes else [cases]:
        async with serving(folder, things) as (server, url):
            for faults in part:
                async with FineTuningClient("k", base_url=url) as client:
                    for fault in faults:
                        server.faults.add(fault, times=times)
                    await met(operation, World(server, client, folder, things), faults)


async def met(operation: Operation, here: World, faults: Case) -> None:
    """Make the call, and look whether what came of it is right in every respect."""
    start = asyncio.get_running_loop().time()
    error = None
    try:
        result = await operation.call(here)
    except FineTuningError as caught:
        error = caught
    else:
        unknowable = operation.takes_any_bytes and any(each.kind == "malformed" for each in faults)
        assert unknowable or operation.is_right(here, result), (faults, result)
    assert operation.is_long or asyncio.get_running_loop().time() - start < 60.1, faults
    connector = here.client._sessions.current().connector
    assert connector is not None
    assert not connector._acquired, faults
    here.server.faults.clear()
    await asyncio.sleep(120)  # what is late happens
    await assert_the_jobs(operation, here, error, faults)
    assert not here.target.exists() or error is None, faults
    here.target.unlink(missing_ok=True)


async def assert_the_jobs(operation: Operation, here: World, error: FineTuningError | None, faults: Case) -> None:
    made = len(await here.jobs()) - 3
    if error is None:
        assert made == operation.made, faults
    elif isinstance(error, CreateUncertainError):
        assert made <= operation.made, faults
    else:
        assert made == 0, (faults, error)
    if operation.name == "create_job with a key":
        assert operation.is_right(here, await operation.call(here)), faults
        assert len(await here.jobs()) == 4, faults
