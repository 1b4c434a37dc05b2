"""Creates under a key, against every kind of server: what the key can do where metadata is kept, and where not."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from fine_tuning_async import CreateUncertainError, FineTuningClient, FineTuningJob, ServerError
from tests.contract.personas import local

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from tests.contract.personas import Persona

MODEL = "gpt-4o-mini"
EXAMPLES = b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}\n' * 10


async def create(client: FineTuningClient, file_id: str) -> FineTuningJob:
    return await client.create_job(MODEL, file_id, idempotency_key="key-1")


async def test_a_key_makes_one_job_or_says_that_it_cannot(persona: Persona) -> None:
    async with local(persona) as (client, _):
        file = await client.upload_file(EXAMPLES)
        told = nullcontext() if persona.keeps_metadata else pytest.warns(UserWarning, match="dropped the metadata")
        with told:
            first = await create(client, file.id)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = await create(client, file.id)
        assert (again.id == first.id) is persona.keeps_metadata
        assert len(await client.list_jobs().collect()) == (1 if persona.keeps_metadata else 2)


async def test_after_an_answer_that_was_lost_the_job_is_found_or_nobody_knows(persona: Persona) -> None:
    """In neither case is there a second job."""
    lost: list[web.Request] = []

    @web.middleware
    async def lose(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if request.method == "POST" and request.path.endswith("/jobs") and not lost:
            lost.append(request)
            raise web.HTTPInternalServerError(reason="Server disconnected")
        return answer

    async with local(persona, lose) as (client, server):
        file = await client.upload_file(EXAMPLES)
        ending = nullcontext() if persona.keeps_metadata else pytest.raises(CreateUncertainError)
        with ending:
            job = await create(client, file.id)
            assert [each.id for each in await client.list_jobs().collect()] == [job.id]
        assert len(lost) == 1
        assert len(await client.list_jobs().collect()) == 1
        assert [each.path for each in server.requests if each.method == "POST"] == [
            f"{persona.base}/files",
            f"{persona.base}/fine_tuning/jobs",
        ]


async def test_a_failure_of_the_servers_is_an_error_whatever_its_body_is(persona: Persona) -> None:
    @web.middleware
    async def fail(request: web.Request, handler: Handler) -> web.StreamResponse:
        raise ZeroDivisionError

    async with local(persona, fail) as (client, _):
        with pytest.raises(ServerError) as caught:
            await client.retrieve_job("ftjob-1")
    assert caught.value.message in {
        "The server had an error while processing your request. Sorry about that!",
        "Internal Server Error",
    }
    assert caught.value.code in {None, "internalFailure"}
