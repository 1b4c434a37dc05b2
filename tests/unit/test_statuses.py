"""Statuses and headers of answers, against a mocked connector: which error, with what in it, after which tries."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from aiohttp import ClientResponse
from aioresponses import aioresponses

from fine_tuning_async import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    FineTuningClient,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

BASE = "https://api.example/v1"
URL = f"{BASE}/fine_tuning/jobs/ftjob-1"
JOB = {"id": "ftjob-1", "created_at": 1, "model": "m", "status": "queued"}


class MockedResponse(ClientResponse):
    """What aiohttp 3.14 asks of a response beyond what the mock supplies."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # whatever the mock gives


@pytest.fixture
def server() -> Iterator[aioresponses]:
    with aioresponses() as mocked:
        yield mocked


@pytest.fixture
async def client() -> AsyncIterator[FineTuningClient]:
    async with FineTuningClient("k", base_url=BASE) as opened:
        yield opened


STATUSES: list[tuple[int, type[APIError], int]] = [
    (400, BadRequestError, 1),
    (401, AuthenticationError, 1),
    (402, APIError, 1),
    (403, PermissionDeniedError, 1),
    (404, NotFoundError, 1),
    (405, APIError, 1),
    (408, APIError, 4),
    (409, ConflictError, 1),
    (410, APIError, 1),
    (413, APIError, 1),
    (418, APIError, 1),
    (422, UnprocessableEntityError, 1),
    (429, RateLimitError, 4),
    (500, ServerError, 4),
    (501, ServerError, 1),
    (502, ServerError, 4),
    (503, ServerError, 4),
    (504, ServerError, 4),
    (529, ServerError, 4),
    (304, APIError, 1),
]


@pytest.mark.parametrize(("status", "error", "tries"), STATUSES)
async def test_each_status_has_its_error_and_its_number_of_tries(
    server: aioresponses, client: FineTuningClient, status: int, error: type[APIError], tries: int
) -> None:
    envelope = {"error": {"message": "words", "type": "kind", "param": "field", "code": "token"}}
    server.get(
        URL, status=status, payload=envelope, headers={"x-request-id": "req_9"}, repeat=True,
        response_class=MockedResponse,
    )  # fmt: skip
    with pytest.raises(APIError) as caught:
        await client.retrieve_job("ftjob-1")
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.message, caught.value.type) == (status, "words", "kind")
    assert (caught.value.param, caught.value.code, caught.value.request_id) == ("field", "token", "req_9")
    assert caught.value.headers["X-Request-ID"] == "req_9", "as headers are, whatever their case"
    assert "req_9" in str(caught.value)
    assert sum(map(len, server.requests.values())) == tries


@pytest.mark.parametrize(
    ("header", "value", "seconds"),
    [
        ("Retry-After", "1000", 1000),
        ("retry-after-ms", "1000500", 1000.5),
        ("Retry-After", "soon", None),
        ("Retry-After", "-5", None),
    ],
)
async def test_what_the_server_asks_to_wait_is_in_the_error(
    server: aioresponses, client: FineTuningClient, header: str, value: str, seconds: float | None
) -> None:
    server.get(URL, status=429, headers={header: value}, repeat=True, response_class=MockedResponse)
    with pytest.raises(RateLimitError) as caught:
        await client.retrieve_job("ftjob-1")
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_any_success_is_read(server: aioresponses, client: FineTuningClient, status: int) -> None:
    server.get(URL, status=status, payload=JOB, response_class=MockedResponse)
    assert (await client.retrieve_job("ftjob-1")).id == "ftjob-1"


async def test_azure_names_its_requests_in_a_header_of_its_own(
    server: aioresponses, client: FineTuningClient
) -> None:
    body = {"error": {"code": "429", "message": "slow down"}}
    headers = {"apim-request-id": "azure-1", "retry-after": "999"}
    server.get(URL, status=429, payload=body, headers=headers, response_class=MockedResponse)
    with pytest.raises(RateLimitError) as caught:
        await client.retrieve_job("ftjob-1")
    assert caught.value.request_id == "azure-1"
    assert caught.value.code == "429"
    assert caught.value.type is None
