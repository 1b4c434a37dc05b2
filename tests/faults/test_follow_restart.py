"""Events that are followed while polls fail, and over a restart of the server."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import FineTuningClient
from fine_tuning_async.server import Fault, LocalServer
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fine_tuning_async import JobEvent

EXAMPLES = b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}\n' * 12
RATES = {Fault.status(503): 0.1, Fault.reply_dropped(): 0.1}


@asynccontextmanager
async def serving(file: Path, port: int, seed: int) -> AsyncIterator[str]:
    """A server on a database file, a fifth of whose requests fail."""
    server = LocalServer(db=file, speed=10)
    server.faults.rate(RATES, seed=seed, method="GET")
    async with mounted(server.app, listener=socket.create_server(("127.0.0.1", port))) as url:
        yield url


@pytest.mark.parametrize("seed", range(3))
async def test_every_event_comes_once_and_in_order(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "jobs.db"
    given: list[JobEvent] = []
    async with serving(file, 0, seed) as url:
        port = int(url.split(":")[2].removesuffix("/v1"))
        client = FineTuningClient("k", base_url=url)
        job = await client.create_job("gpt-4o-mini", (await client.upload_file(EXAMPLES)).id)
        events = client.follow_events(job.id)
        async for event in events:
            given.append(event)
            if len(given) == 20:
                break
    async with client, serving(file, port, seed + 10):
        given += [event async for event in events]
        listed = await client.list_events(job.id).collect()
    assert given == listed[::-1]
    assert len({event.id for event in given}) == len(given) > 40
