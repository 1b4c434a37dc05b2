"""A delete whose answer was lost: done when the thing is found to be gone, and never taken for done too early."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest

from fine_tuning_async import (
    AttemptRecord,
    ConnectionFailed,
    DeadlineExceeded,
    Deletion,
    FineTuningClient,
    NotFoundError,
    ResponseFormatError,
    RetryPolicy,
    ServerError,
)
from tests.misbehaving import (
    MisbehavingServer,
    answer,
    cut_body,
    fin_after_reading,
    rst_after_reading,
    silence,
)
from tests.serving import scripted

if TYPE_CHECKING:
    from tests.misbehaving import Behaviour

DELETES: list[tuple[str, tuple[str, ...], str]] = [
    ("delete_file", ("file-1",), "/files/file-1"),
    ("delete_model", ("ft:m:org::1",), "/models/ft:m:org::1"),
    (
        "delete_checkpoint_permission",
        ("ft:m:org::1:ckpt-step-5", "cp_1"),
        "/fine_tuning/checkpoints/ft:m:org::1:ckpt-step-5/permissions/cp_1",
    ),
]
each_delete = pytest.mark.parametrize(("name", "ids", "path"), DELETES)

NOT_FOUND = answer(404, {}, b'{"error": {"message": "No such thing", "type": "invalid_request_error"}}')
GONE = answer(200, {}, b'{"id": "file-1", "object": "file", "deleted": true, "at": 5}')

LOST: dict[str, Behaviour] = {
    "FIN": fin_after_reading(),
    "RST": rst_after_reading(),
    "cut": cut_body(),
    "silence": silence(),
    **{str(status): answer(status) for status in (408, 500, 502, 503, 504, 524)},
}


@each_delete
async def test_a_thing_that_is_not_there_is_not_found(name: str, ids: tuple[str, ...], path: str) -> None:
    async with scripted(NOT_FOUND) as (client, server):
        with pytest.raises(NotFoundError):
            await getattr(client, name)(*ids)
        assert [(each.method, each.target) for each in server.requests] == [("DELETE", path)]


@each_delete
async def test_not_to_be_found_after_a_lost_answer_is_a_success(
    name: str, ids: tuple[str, ...], path: str
) -> None:
    async with scripted(answer(503), NOT_FOUND) as (client, server):
        assert await getattr(client, name)(*ids) == Deletion(ids[-1], deleted=True)
        assert [each.target for each in server.requests] == [path, path]


@pytest.mark.parametrize("how", LOST)
async def test_however_the_answer_was_lost(how: str) -> None:
    outcomes: list[AttemptRecord] = []
    async with scripted(LOST[how], NOT_FOUND, on_attempt=outcomes.append) as (client, server):
        gone = await client.delete_file("file-1")
        assert (gone.id, gone.deleted, gone.object) == ("file-1", True, None)
        assert len(server.requests) == len(outcomes) == 2
        assert outcomes[-1].outcome == 404


@pytest.mark.parametrize("how", ["FIN", "RST"])
async def test_nor_does_aiohttp_send_it_again_by_itself_on_a_borrowed_session(how: str) -> None:
    policy = RetryPolicy(attempts=1)
    async with MisbehavingServer([LOST[how], NOT_FOUND]) as server, aiohttp.ClientSession() as session:
        client = FineTuningClient("k", base_url=server.url, session=session, retry=policy)
        with pytest.raises(ConnectionFailed) as caught:
            await client.delete_file("file-1")
        assert caught.value.sent is None
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 425])
async def test_after_an_attempt_that_did_nothing_not_found_is_still_an_error(status: int) -> None:
    async with scripted(answer(status), NOT_FOUND) as (client, server):
        with pytest.raises(NotFoundError):
            await client.delete_file("file-1")
        assert len(server.requests) == 2


async def test_a_lost_answer_before_a_refused_attempt_is_not_forgotten() -> None:
    async with scripted(answer(503), answer(429), NOT_FOUND) as (client, _):
        assert (await client.delete_file("file-1")).deleted


async def test_a_second_attempt_that_still_finds_it_answers_as_the_first() -> None:
    async with scripted(answer(503), GONE) as (client, _):
        gone = await client.delete_file("file-1")
        assert (gone.object, gone.extra) == ("file", {"at": 5})


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_an_answer_without_a_body_is_a_success(status: int) -> None:
    async with scripted(answer(status)) as (client, _):
        assert await client.delete_file("file-1") == Deletion("file-1", deleted=True)


async def test_what_the_server_says_is_not_overruled() -> None:
    async with scripted(answer(200, {}, b'{"id": "file-1", "deleted": false}')) as (client, _):
        assert not (await client.delete_file("file-1")).deleted


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"[]", b"{}", b'{"id": "file-1", "deleted": "yes"}'])
async def test_an_answer_that_cannot_be_read_is_no_success(body: bytes) -> None:
    async with scripted(answer(200, {}, body)) as (client, _):
        with pytest.raises(ResponseFormatError):
            await client.delete_file("file-1")


async def test_a_server_that_stays_down_is_said_to_be_down() -> None:
    async with scripted(answer(503)) as (client, server):
        with pytest.raises(ServerError):
            await client.delete_file("file-1")
        assert len(server.requests) == 4


async def test_the_deadline_holds() -> None:
    async with scripted(silence(), timeout=30) as (client, _):
        start = asyncio.get_running_loop().time()
        with pytest.raises(DeadlineExceeded):
            await client.delete_file("file-1")
        assert asyncio.get_running_loop().time() - start == pytest.approx(30, abs=0.1)


async def test_request_takes_a_404_as_it_comes() -> None:
    async with scripted(answer(503), NOT_FOUND) as (client, _):
        with pytest.raises(NotFoundError):
            await client.request("DELETE", "/files/file-1")


# ------------------------------------------------------------------------------------------- permissions

CHECKPOINT = "ft:m:org::1"


def page(*projects: str, **fields: object) -> Behaviour:
    listed = [{"id": f"cp_{each}", "created_at": 1, "project_id": each} for each in projects]
    return answer(200, {}, json.dumps({"data": listed, "has_more": False, **fields}).encode())


@pytest.mark.parametrize("how", LOST)
async def test_a_grant_whose_answer_was_lost_is_looked_up_and_not_sent_again(how: str) -> None:
    async with scripted(LOST[how], page("c", "b", "a")) as (client, server):
        granted = await client.create_checkpoint_permissions(CHECKPOINT, ["a", "b"])
        assert [each.id for each in granted] == ["cp_a", "cp_b"]
        assert [each.method for each in server.requests] == ["POST", "GET"]


async def test_a_grant_that_was_not_made_raises_and_says_who_has_none() -> None:
    async with scripted(answer(502), page("a")) as (client, server):
        with pytest.raises(ServerError) as caught:
            await client.create_checkpoint_permissions(CHECKPOINT, ["a", "b", "c"])
        assert [each.method for each in server.requests] == ["POST", "GET"]
    assert caught.value.__notes__ == ["The permissions were listed afterwards; there was none for b, c."]


async def test_a_grant_is_looked_up_on_every_page() -> None:
    async with scripted(fin_after_reading(), page("b", has_more=True), page("a")) as (client, server):
        assert len(await client.create_checkpoint_permissions(CHECKPOINT, ["a"])) == 1
        assert server.requests[-1].target.endswith("/permissions?after=cp_b")


async def test_where_the_look_fails_too_the_first_failure_is_told() -> None:
    script = fin_after_reading(), answer(403, {}, b'{"error": {"message": "no admin"}}')
    async with scripted(*script) as (client, _):
        with pytest.raises(ConnectionFailed) as caught:
            await client.create_checkpoint_permissions(CHECKPOINT, ["a"])
    assert isinstance(caught.value.__cause__, aiohttp.ServerDisconnectedError)
    assert "no admin" in caught.value.__notes__[0]


async def test_a_grant_that_certainly_was_not_made_is_sent_again() -> None:
    async with scripted(answer(429), page("a")) as (client, server):
        assert len(await client.create_checkpoint_permissions(CHECKPOINT, ["a"])) == 1
        assert [each.method for each in server.requests] == ["POST", "POST"]


async def test_a_grant_that_is_refused_is_not_looked_up() -> None:
    async with scripted(NOT_FOUND) as (client, server):
        with pytest.raises(NotFoundError):
            await client.create_checkpoint_permissions(CHECKPOINT, ["a"])
        assert len(server.requests) == 1
