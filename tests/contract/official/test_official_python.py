"""The official Python SDK, as it comes, uses every operation of the local server; its strict validation is on."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.official.receiver import Receiver
from tests.specification import SPEC, Witness, operations

openai = pytest.importorskip("openai", reason="the official SDK is not installed; it is in the extra bench")
story = pytest.importorskip("tests.contract.official.story")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.official.story import Scene

pytestmark = pytest.mark.official


@pytest.fixture
def witness() -> Iterator[Witness]:
    """Look at every answer that the SDK gets, if the specification is there."""
    seen = Witness()
    yield seen
    if SPEC.exists():
        assert operations().keys() - seen.succeeded == set(), "the story leaves these out"


def look(witness: Witness, response: Any) -> None:
    if SPEC.exists():
        path = response.request.url.raw_path.decode().removeprefix("/v1")
        kind = response.headers.get("content-type", "")
        witness.see(response.request.method, path, response.status_code, kind, response.content)


@contextmanager
def scene(client: type[Any], http_client: Any) -> Iterator[Scene]:
    with LocalServer() as server, Receiver() as receiver:
        secret = server.add_webhook(receiver.url)
        options = {"api_key": "any-key", "base_url": server.url, "max_retries": 0, "http_client": http_client}
        strict = client(webhook_secret=secret, _strict_response_validation=True, **options)
        yield story.Scene(strict, client(**options), server, receiver)


def test_the_synchronous_client_tells_the_whole_story(witness: Witness) -> None:
    def hook(response: Any) -> None:
        response.read()
        look(witness, response)

    with (
        openai.DefaultHttpxClient(event_hooks={"response": [hook]}) as http_client,
        scene(openai.OpenAI, http_client) as told,
    ):
        story.tell(story.whole(told))


@pytest.mark.parametrize("transport", ["DefaultAsyncHttpxClient", "DefaultAioHttpClient"])
def test_the_asynchronous_client_tells_the_whole_story(witness: Witness, transport: str) -> None:
    async def hook(response: Any) -> None:
        await response.aread()
        look(witness, response)

    async def tell() -> None:
        make = getattr(openai, transport)
        async with make(event_hooks={"response": [hook]}) as http_client:
            with scene(openai.AsyncOpenAI, http_client) as told:
                await story.tell_async(story.whole(told))

    asyncio.run(tell())
