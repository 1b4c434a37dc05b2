"""The client of a test, and what becomes of it when the test is over."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.client import FineTuningClient
from fine_tuning_async.retry import RetryPolicy

from ._environment import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["client_of", "closed_in_the_end", "refuse_trio"]

_HASTY = RetryPolicy(base=0.001, cap=0.01)
"""A server on the same machine needs no rest."""


def client_of(url: str, like: str) -> FineTuningClient:
    """Return a client of a local server."""
    if like == "azure":
        return FineTuningClient.azure(url, KEY, retry=_HASTY)
    return FineTuningClient(KEY, base_url=url, organization="", project="", retry=_HASTY)


@contextmanager
def closed_in_the_end(client: FineTuningClient) -> Iterator[FineTuningClient]:
    """Close the client after the block in each loop in which it is still open, as a loop that has ended cannot."""
    try:
        yield client
    finally:
        for loop in client._sessions.loops:  # noqa: SLF001 - a client in more than one loop is for tests alone
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(client.close(), loop).result()
            else:
                loop.run_until_complete(client.close())


def refuse_trio(request: pytest.FixtureRequest) -> None:
    """Skip a test that AnyIO runs on trio, and say why."""
    if "anyio_backend" not in request.fixturenames:
        return
    backend: object = request.getfixturevalue("anyio_backend")
    if (backend[0] if isinstance(backend, tuple) else backend) == "trio":
        pytest.skip(
            "FineTuningClient is built on aiohttp, which runs on asyncio only: let the fixture anyio_backend "
            "return 'asyncio'. fine_tuning_server can be used with trio, by another client"
        )
