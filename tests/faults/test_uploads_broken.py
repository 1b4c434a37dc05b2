"""Uploads in parts that break: what is sent again, what is found out, what is cleaned up on the server."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import (
    APIError,
    BadRequestError,
    ConnectionFailed,
    FineTuningError,
    InvalidArgumentError,
    ResponseFormatError,
    RetryPolicy,
    ServerError,
)
from tests.faulty_uploads import KEY, PART, FaultyUploads, content_of, in_use

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from fine_tuning_async import FineTuningClient
    from tests.faulty_uploads import Fault

CONTENT = b"".join(bytes([number]) * PART for number in range(1, 7)) + b"the end"
PARTS = 7


def on(wanted: str, fault: str, *numbers: int) -> Fault:
    """Let a fault happen to one operation: to those of its kind with these numbers, or to all."""
    return lambda operation, number: fault if operation == wanted and (not numbers or number in numbers) else ""


async def assert_whole(client: FineTuningClient, world: FaultyUploads, file_id: str) -> None:
    """There is one file, which holds the content."""
    assert [each.id for each in await client.list_files().collect()] == [file_id]
    assert await content_of(client, file_id) == CONTENT
    assert world.leftovers() == 0
    assert not in_use(client)


async def assert_undone(client: FineTuningClient, world: FaultyUploads) -> None:
    """Nothing is left on the server, and the client goes on."""
    assert world.uploads() == ["cancelled"]
    assert world.leftovers() == 0
    assert not in_use(client)
    world.fault = lambda *_: ""
    assert await client.list_files().collect() == []
    await assert_whole(client, world, (await client.upload_file(CONTENT)).id)


def notes(error: BaseException) -> str:
    return "\n".join(getattr(error, "__notes__", []))


# ------------------------------------------------------------------------------------------- parts

PASSING = ["before 503", "after 503", "before 429", "before drop", "after drop", "after silence"]


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("number", [0, 3, 6])
async def test_a_part_that_failed_is_sent_again_alone(fault: str, number: int) -> None:
    world, seen = FaultyUploads(on("part", fault, number)), []
    async with world.running() as client:
        file = await client.upload_file(CONTENT, progress=lambda sent, size: seen.append((sent, size)))
        await assert_whole(client, world, file.id)
    assert world.seen.count("part") == PARTS + 1
    assert (world.seen.count("create"), world.seen.count("complete"), world.seen.count("cancel")) == (1, 1, 0)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [sent for sent, _ in seen] == sorted({sent for sent, _ in seen})


async def test_every_part_that_failed_is_sent_again() -> None:
    world = FaultyUploads(lambda operation, number: "after drop" if operation == "part" and number % 2 else "")
    async with world.running(RetryPolicy(attempts=20)) as client:
        await assert_whole(client, world, (await client.upload_file(io.BytesIO(CONTENT))).id)


@pytest.mark.parametrize(("fault", "error"), [("before 503", ServerError), ("after drop", ConnectionFailed)])
async def test_parts_that_always_fail_end_the_upload_on_both_sides(fault: str, error: type[Exception]) -> None:
    world = FaultyUploads(on("part", fault))
    async with world.running() as client:
        with pytest.raises(error) as raised:
            await client.upload_file(CONTENT)
        assert "complete" not in world.seen
        assert world.seen[-1] == "cancel"
        assert world.seen.count("part") <= 4 * 4
        assert notes(raised.value) == "The request was tried 4 times."
        await assert_undone(client, world)


async def test_a_part_that_is_refused_ends_the_upload_at_once() -> None:
    world = FaultyUploads(on("part", "before 400", 2))
    async with world.running() as client:
        with pytest.raises(BadRequestError, match="of the test") as raised:
            await client.upload_file(CONTENT)
        assert "complete" not in world.seen
        assert world.seen.count("part") <= PARTS
        assert raised.value.__context__ is None
        await assert_undone(client, world)


async def test_a_source_that_breaks_ends_the_upload_on_both_sides(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(CONTENT)
    world = FaultyUploads()

    def shrink(sent: int, _: int) -> None:
        if sent > 2 * PART:
            with path.open("r+b") as file:
                file.truncate(3 * PART)

    async with world.running() as client:
        with pytest.raises(InvalidArgumentError, match="shorter"):
            await client.upload_file(path, progress=shrink)
        await assert_undone(client, world)


@pytest.mark.parametrize("error", [RuntimeError, TimeoutError, OSError, KeyError])
async def test_what_progress_raises_comes_out_as_it_is_and_ends_the_upload(error: type[Exception]) -> None:
    def broken(sent: int, _: int) -> None:
        if sent > PART:
            raise error("of the callable")

    world = FaultyUploads()
    async with world.running() as client:
        with pytest.raises(error, match="of the callable") as raised:
            await client.upload_file(CONTENT, progress=broken)
        assert type(raised.value) is error
        await assert_undone(client, world)


# ------------------------------------------------------------------------------------------- the creation


async def test_a_creation_whose_answer_was_lost_leaves_an_upload_that_expires() -> None:
    world = FaultyUploads(on("create", "after drop", 0))
    async with world.running() as client:
        await assert_whole(client, world, (await client.upload_file(CONTENT)).id)
        assert world.uploads() == ["pending", "completed"]
        world.server.advance(3600)
        assert world.uploads() == ["expired", "completed"]


async def test_a_creation_that_is_refused_is_all_that_is_sent() -> None:
    world = FaultyUploads(on("create", "before 400"))
    async with world.running() as client:
        with pytest.raises(BadRequestError):
            await client.upload_file(CONTENT)
        assert world.seen == ["create"]


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_server_without_uploads_in_parts_gets_a_plain_one(status: int) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        yield CONTENT

    world = FaultyUploads(on("create", f"before {status}"))
    async with world.running() as client:
        for source in (CONTENT, pieces()):
            file = await client.upload_file(source)
            await assert_whole(client, world, file.id)
            await client.delete_file(file.id)
    assert world.seen.count("plain") == 2
    assert "part" not in world.seen


# ------------------------------------------------------------------------------------------- the completion

LOST = ["503", "504", "drop", "silence", "{not json"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fault", LOST)
async def test_a_completion_whose_answer_was_lost_is_found_out_about(when: str, fault: str) -> None:
    world = FaultyUploads(on("complete", f"{when} {fault}", 0))
    async with world.running() as client:
        file = await client.upload_file(CONTENT)
        await assert_whole(client, world, file.id)
        assert (file.bytes, file.filename) == (len(CONTENT), "data.jsonl")
        assert world.uploads() == ["completed"]
    assert world.seen.count("complete") == 2
    assert world.seen.count("cancel") == (when == "after")  # refused, as it is completed


@pytest.mark.parametrize("fault", LOST)
async def test_a_completion_that_was_done_is_found_though_no_answer_ever_comes(fault: str) -> None:
    world = FaultyUploads(on("complete", f"after {fault}"))
    async with world.running() as client:
        await assert_whole(client, world, (await client.upload_file(CONTENT)).id)


@pytest.mark.parametrize("fault", LOST)
async def test_a_completion_that_was_never_done_is_undone(fault: str) -> None:
    world = FaultyUploads(on("complete", f"before {fault}"))
    async with world.running() as client:
        with pytest.raises(FineTuningError) as raised:
            await client.upload_file(CONTENT)
        assert "may have been completed" not in notes(raised.value)
        assert "list" not in world.seen
        await assert_undone(client, world)


async def test_a_completion_that_is_refused_is_not_looked_for() -> None:
    world = FaultyUploads(on("complete", "before 400"))
    async with world.running() as client:
        with pytest.raises(BadRequestError):
            await client.upload_file(CONTENT)
        assert world.seen.count("complete") == 1
        assert "list" not in world.seen
        await assert_undone(client, world)


async def test_a_client_that_tries_once_completes_once_and_looks() -> None:
    world = FaultyUploads(on("complete", "after drop"))
    async with world.running(RetryPolicy(attempts=1)) as client:
        await assert_whole(client, world, (await client.upload_file(CONTENT)).id)
    assert world.seen.count("complete") == 1


async def test_an_older_file_of_the_same_name_and_size_is_not_taken_for_the_new_one() -> None:
    world = FaultyUploads()
    async with world.running() as client:
        older = await client.upload_file(CONTENT)
        world.server.advance(1)
        world.fault = on("complete", "after drop")
        assert (await client.upload_file(CONTENT[::-1])).id != older.id


async def test_what_cannot_be_told_apart_is_not_guessed() -> None:
    world = FaultyUploads()
    async with world.running() as client:
        twin = await client.upload_file(CONTENT)
        world.fault = on("complete", "after drop")
        with pytest.raises(FineTuningError) as raised:
            await client.upload_file(CONTENT[::-1])
        files = [each.id for each in await client.list_files().collect()]
        assert (twin.id in files, len(files)) == (True, 2)
        assert all(each in notes(raised.value) for each in files)
        assert "may have been completed" in notes(raised.value)


async def test_a_file_that_shows_late_is_waited_for() -> None:
    empty = 'before {"object": "list", "data": [], "has_more": false}'
    faults = {"complete": on("complete", "after drop"), "list": on("list", empty, 0, 1)}
    world = FaultyUploads(lambda operation, number: faults.get(operation, on("", ""))(operation, number))
    async with world.running() as client:
        await assert_whole(client, world, (await client.upload_file(CONTENT)).id)


async def test_a_list_that_fails_leaves_the_first_failure_and_says_so() -> None:
    world = FaultyUploads(lambda operation, _: {"complete": "after drop", "list": "before 403"}.get(operation, ""))
    async with world.running() as client:
        with pytest.raises(ConnectionFailed) as raised:
            await client.upload_file(CONTENT)
        assert "A look at the files failed too" in notes(raised.value)
        assert "may have been completed" in notes(raised.value)


async def test_an_answer_without_the_file_is_found_out_about() -> None:
    answer = '{"id": "upload_1", "created_at": 1, "filename": "f", "purpose": "fine-tune", "status": "completed"}'
    world = FaultyUploads(on("complete", f"after {answer}"))
    async with world.running() as client:
        await assert_whole(client, world, (await client.upload_file(CONTENT)).id)
        world.fault = on("complete", f"before {answer}")
        with pytest.raises(ResponseFormatError, match="names no file"):
            await client.upload_file(CONTENT, filename="other")
        assert world.uploads() == ["completed", "cancelled"]


# ------------------------------------------------------------------------------------------- the cancellation


@pytest.mark.parametrize("fault", ["before 503", "before 403", "before drop", "before silence"])
async def test_a_cancel_that_fails_is_noted_in_bounded_time(fault: str) -> None:
    world = FaultyUploads(lambda operation, _: {"part": "before 400", "cancel": fault}.get(operation, ""))
    async with world.running() as client:
        clock = asyncio.get_running_loop().time
        before = clock()
        with pytest.raises(APIError, match="of the test") as raised:
            await client.upload_file(CONTENT)
        assert clock() - before < 11
        assert "could not be cancelled" in notes(raised.value)
        assert KEY not in notes(raised.value)
        assert not in_use(client)
        world.server.advance(3600)
        assert world.uploads() == ["expired"]
        assert world.leftovers() == 0


async def test_an_upload_that_expired_meanwhile_fails_as_the_server_says() -> None:
    world = FaultyUploads()

    def expire(sent: int, _: int) -> None:
        if sent == len(CONTENT):
            world.server.advance(3600)

    async with world.running() as client:
        with pytest.raises(BadRequestError, match="is expired"):
            await client.upload_file(CONTENT, progress=expire)
        assert world.uploads() == ["expired"]
        assert world.leftovers() == 0
