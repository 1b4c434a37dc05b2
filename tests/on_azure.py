"""What tests of the Azure client share: a client on a raw server, and all that an error would show."""

from __future__ import annotations

import traceback
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fine_tuning_async import FineTuningClient, RetryPolicy
from tests.misbehaving import MisbehavingServer, answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.misbehaving import Behaviour, ReceivedRequest

KEY = "0123456789abcdef-very-secret"
TOKEN = "eyJ0-very-secret-too"
JOB = b'{"id": "ftjob-1", "created_at": 1, "model": "m", "status": "pending"}'


async def token() -> str:
    return TOKEN


@asynccontextmanager
async def azure(
    *script: Behaviour, path: str = "", **options: Any
) -> AsyncIterator[tuple[FineTuningClient, MisbehavingServer]]:
    options = {"retry": RetryPolicy(attempts=2), **options}
    if "token_provider" not in options:
        options.setdefault("api_key", KEY)
    async with MisbehavingServer(script or [answer(200, {}, JOB)]) as server:
        endpoint = f"{str(server.url).rstrip('/')}{path}"
        async with FineTuningClient.azure(endpoint, **options) as client:
            yield client, server


def keys(request: ReceivedRequest) -> dict[str, str]:
    """What authorises a request, in whatever header."""
    names = ("Authorization", "api-key", "OpenAI-Organization", "OpenAI-Project")
    return {name: request.headers[name] for name in names if name in request.headers}


def everything_about(error: BaseException) -> Iterator[str]:
    """All that a log, a crash reporter or a debugger would show of an error, but for the test's own frames."""
    yield "".join(traceback.format_exception(error))
    seen: BaseException | None = error
    while seen is not None:
        yield from (repr(seen), repr(vars(seen)), repr(seen.args))
        for frame, _ in traceback.walk_tb(seen.__traceback__):
            if "fine_tuning_async" in frame.f_code.co_filename or "aiohttp" in frame.f_code.co_filename:
                yield from (repr(value) for value in frame.f_locals.values())
        seen = seen.__cause__ or seen.__context__
