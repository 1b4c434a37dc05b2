"""What a server may send is bounded: in size, unpacked size and time."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc

import pytest

from fine_tuning_async import (
    ConnectionFailed,
    FineTuningClient,
    NotFoundError,
    ResponseFormatError,
    RetryPolicy,
    ServerError,
)
from tests.misbehaving import (
    MisbehavingServer,
    answer,
    endless,
    endless_chunked,
    gzip_bomb,
    trickle,
)

JOB = b'{"id": "ftjob-1", "created_at": 1, "model": "m", "status": "queued"}'
MIB = 2**20


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(endless(), id="5 GB announced"),
        pytest.param(endless_chunked(), id="chunks without end"),
        pytest.param(gzip_bomb(), id="gzip that unpacks to 4 GiB"),
    ],
)
async def test_a_giant_success_raises_instead_of_filling_memory(behaviour: object) -> None:
    async with (
        MisbehavingServer([behaviour, answer(body=JOB)]) as server,  # type: ignore[list-item]
        FineTuningClient("k", base_url=server.url) as client,
    ):
        tracemalloc.start()
        try:
            with pytest.raises(ResponseFormatError, match="larger than 64 MiB"):
                await client.retrieve_job("ftjob-1")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 64 * MIB * 2.5
        assert (await client.retrieve_job("ftjob-1")).id == "ftjob-1", "the client stays usable"


@pytest.mark.parametrize("status", [404, 500])
async def test_a_giant_error_is_cut(status: int) -> None:
    body = b"x" * (3 * MIB)
    async with (
        MisbehavingServer(answer(status, body=body)) as server,
        FineTuningClient("k", base_url=server.url, retry=RetryPolicy(attempts=1)) as client,
    ):
        with pytest.raises(NotFoundError if status == 404 else ServerError) as caught:
            await client.retrieve_job("ftjob-1")
    assert len(caught.value.body) <= 64 * 1024
    assert len(str(caught.value)) < 1_000


async def test_a_trickle_ends_at_the_timeout_of_the_attempt() -> None:
    policy = RetryPolicy(attempts=1, attempt_timeout=20)
    async with (
        MisbehavingServer(trickle(JOB, interval=1.0)) as server,
        FineTuningClient("k", base_url=server.url, retry=policy) as client,
    ):
        start = asyncio.get_running_loop().time()
        with pytest.raises(ConnectionFailed, match="in time"):
            await client.retrieve_job("ftjob-1")
        assert asyncio.get_running_loop().time() - start == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"}),
        (b'{"id": "ftjob-1", "created', {"Content-Type": "application/json"}),
        (b"", {}),
        (b"null", {}),
        (b'"ftjob-1"', {}),
        (b"\xff\xfe\x00", {}),
        (b"[" * 100_000, {}),
        (JOB.replace(b": 1", b": 1e400"), {}),
        (JOB.replace(b": 1", b": 1.5"), {}),
        (JOB.replace(b'"queued"', b"null"), {}),
    ],
)
async def test_a_success_that_is_no_job_names_the_request(body: bytes, headers: dict[str, str]) -> None:
    headers = {**headers, "x-request-id": "req_7"}
    async with (
        MisbehavingServer(answer(200, headers, body)) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        with pytest.raises(ResponseFormatError) as caught:
            await client.retrieve_job("ftjob-1")
        assert len(server.requests) == 1
    assert caught.value.request_id == "req_7"
    assert caught.value.path.startswith("$")
    assert len(str(caught.value)) < 1_000


async def test_a_compressed_answer_is_unpacked() -> None:
    body = gzip.compress(JOB)
    async with (
        MisbehavingServer(answer(200, {"Content-Encoding": "gzip"}, body)) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        assert (await client.retrieve_job("ftjob-1")).status == "queued"
