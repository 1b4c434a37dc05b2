"""Answers that contradict what was asked, or themselves, are not taken for results."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from fine_tuning_async import FineTuningClient, InvalidArgumentError, ResponseFormatError
from fine_tuning_async.api.uploads import Limits
from tests.misbehaving import MisbehavingServer, answer
from tests.scripted_jobs import ScriptedAPI, event, job, mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONTENT = b"0123456789" * 10
UPLOAD = {"id": "upload_1", "created_at": 1, "filename": "a", "purpose": "fine-tune", "status": "pending"}
FILE = {"id": "file-1", "created_at": 1, "filename": "a", "purpose": "fine-tune", "bytes": len(CONTENT)}


def completed(size: int | None) -> dict[str, object]:
    return {**UPLOAD, "status": "completed", "file": {**FILE, "bytes": size}}


class Uploads:
    """Takes uploads in parts, and answers with what a test says.

    Attributes:
        seen: The last words of the paths that were asked for.
    """

    def __init__(self, **answers: dict[str, Any]) -> None:
        self.seen: list[str] = []
        self._answers = answers

    async def upload(self) -> str:
        """Upload the content; return the id of the file."""
        app = web.Application()
        app.router.add_post("/{tail:.*}", self._answer)
        async with mounted(app) as client:
            client._limits = Limits(plain=10, part=30)
            return (await client.upload_file(CONTENT)).id

    async def _answer(self, request: web.Request) -> web.Response:
        await request.read()
        what = request.path.rpartition("/")[2]
        self.seen.append(what)
        usual: dict[str, dict[str, Any]] = {
            "uploads": UPLOAD,
            "parts": {"id": f"part_{len(self.seen)}"},
            "complete": completed(len(CONTENT)),
            "cancel": {**UPLOAD, "status": "cancelled"},
        }
        return web.json_response(self._answers.get(what, usual[what]))


async def test_an_upload_whose_answers_fit_is_taken() -> None:
    assert await Uploads().upload() == "file-1"
    assert await Uploads(complete=completed(None)).upload() == "file-1"


async def test_parts_that_bear_one_id_are_not_put_together() -> None:
    uploads = Uploads(parts={"id": "part_1"})
    with pytest.raises(ResponseFormatError, match="several parts one id"):
        await uploads.upload()
    assert uploads.seen == ["uploads", *["parts"] * 4, "cancel"]


async def test_a_file_of_another_size_than_was_sent_is_no_success() -> None:
    with pytest.raises(ResponseFormatError, match="100 bytes were sent, but the file file-1 has 99: delete it"):
        await Uploads(complete=completed(99)).upload()


@pytest.mark.parametrize("given", ["", "..", "../files", "a/b", "a\nb"])
async def test_an_id_that_the_server_gives_and_that_can_be_none_is_the_servers_fault(given: str) -> None:
    with pytest.raises(ResponseFormatError, match="upload_id"):
        await Uploads(uploads={**UPLOAD, "id": given}).upload()
    api = ScriptedAPI(job("a", "succeeded", result_files=[given]))
    async with api.client() as client:
        with pytest.raises(ResponseFormatError, match="result file"):
            await client.training_metrics("a")


async def test_a_success_before_the_content_was_sent_is_none() -> None:
    async def answer_at_once(exchange: Any) -> None:
        body = json.dumps(FILE).encode()
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await exchange.receive()

    async with MisbehavingServer(answer_at_once) as server, FineTuningClient("k", base_url=server.url) as client:
        with pytest.raises(ResponseFormatError, match=r"a success when \d+ of 33554\d+ bytes had been sent"):
            await client.upload_file(bytes(32 * 2**20))


class TooMuch(io.BytesIO):
    """Gives more than it is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size) + b"more"


async def test_a_file_that_gives_more_than_it_is_asked_for_is_not_sent_as_another() -> None:
    async with MisbehavingServer(answer()) as server, FineTuningClient("k", base_url=server.url) as client:
        with pytest.raises(InvalidArgumentError, match="gave 14 bytes where 10 were asked for"):
            await client.upload_file(TooMuch(b"0123456789"))


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([each async for each in chunks])


async def test_a_stream_that_goes_on_beyond_the_size_that_was_announced_is_no_file() -> None:
    tag = {"ETag": '"1"'}

    async def begin(exchange: Any) -> None:
        await exchange.send_head(200, {"Content-Length": "100", **tag})
        await exchange.send(CONTENT[:50])
        await exchange.fin()

    async def begin_again(exchange: Any) -> None:
        await exchange.send_head(200, {"Transfer-Encoding": "chunked", **tag})
        await exchange.send_chunk(CONTENT + b"more")
        await exchange.send_chunk(b"")

    async with (
        MisbehavingServer([begin, begin_again]) as server,
        FineTuningClient("k", base_url=server.url) as client,
        client.stream_file("file-1") as chunks,
    ):
        with pytest.raises(ResponseFormatError, match="more came than the 100 bytes"):
            await all_of(chunks)


async def test_a_job_under_another_id_is_not_watched_for_ever() -> None:
    api = ScriptedAPI()
    api.fault = lambda number, what: b'{"id": "b", "created_at": 1, "model": "m", "status": "failed"}'
    async with api.client() as client:
        with pytest.raises(ResponseFormatError, match="job a was asked for, and b was the answer"):
            await anext(client.watch_jobs(["a"]))


async def test_unreadable_answers_are_not_in_a_row_where_others_can_be_read_between_them() -> None:
    """A round over many jobs is many requests: of some hundred, a few fail for good at any time."""
    ids = [f"a{number}" for number in range(40)]
    api = ScriptedAPI(*(job(each, "succeeded") for each in ids))
    api.hidden = set(ids)
    api.fault = lambda number, what: b"<html>" if number % 2 else None
    async with api.client() as client:
        assert sorted([each.id async for each in client.watch_jobs(ids)]) == sorted(ids)
    api = ScriptedAPI(job("a", "succeeded"))
    api.events = [event(f"e{number}") for number in range(40)]
    api.most = 2
    api.fault = lambda number, what: b"<html>" if number % 2 else None
    async with api.client() as client:
        assert len([each async for each in client.follow_events("a")]) == 40


@pytest.mark.parametrize("asked", ["31536000", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_wait_is_not_put_to_sleep_for_good_by_what_a_server_asks(asked: str) -> None:
    api = ScriptedAPI(job("a"))
    api.fault = lambda number, what: f"wait {asked}" if number == 0 else None
    async with api.client() as client:
        start = asyncio.get_running_loop().time()
        asyncio.get_running_loop().call_later(9, api.set_status, "a", "succeeded")
        assert (await client.wait_for_job("a")).status == "succeeded"
        assert 600 <= asyncio.get_running_loop().time() - start <= 3_601


async def test_an_error_of_aiohttp_is_told_in_one_line() -> None:
    async with (
        MisbehavingServer(answer(200, {"Content-Encoding": "gzip"}, b"none of that")) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        with pytest.raises(ConnectionError, match="Can not decode") as caught:
            await client.retrieve_job("a")
        assert "\n" not in str(caught.value)
