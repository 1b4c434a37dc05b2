"""Serves an application in the loop of the test."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from fine_tuning_async import FineTuningClient
from tests.misbehaving import MisbehavingServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.misbehaving import Behaviour

__all__ = ["KEY", "in_use", "mounted", "scripted"]

KEY = "sk-of-the-client"


@asynccontextmanager
async def mounted(
    app: web.Application, path: str = "/v1", *, listener: socket.socket | None = None, patience: float = 1
) -> AsyncIterator[str]:
    """Serve an application, on a port of its own or on a socket; give the URL of a path.

    When it ends, it waits for requests, for so many seconds.
    """
    listener = listener or socket.create_server(("127.0.0.1", 0))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=patience)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{path}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def scripted(
    *script: Behaviour, path: str = "", **options: Any
) -> AsyncIterator[tuple[FineTuningClient, MisbehavingServer]]:
    """A client, and the server that answers it as it is told."""
    async with (
        MisbehavingServer(script) as server,
        FineTuningClient(KEY, base_url=f"{server.url}{path}", **options) as client,
    ):
        yield client, server


def in_use(client: FineTuningClient) -> set[Any]:
    """Return the connections of a client that wait for an answer, or for somebody to read it."""
    connector = client._sessions.current().connector
    assert connector is not None
    return connector._acquired
