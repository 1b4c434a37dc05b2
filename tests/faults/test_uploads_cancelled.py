"""Uploads in parts that are cancelled here: nothing is left on this side, and nothing on the server."""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.faulty_uploads import PART, FaultyUploads, in_use, open_files

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path

    from fine_tuning_async import FineTuningClient
    from tests.faulty_uploads import Fault

    Call = Callable[[FineTuningClient, Path], asyncio.Future[object]]

CONTENT = b"".join(bytes([number]) * PART for number in range(1, 6))
MOST_TURNS = 2_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for the source, and for temporary files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path))
        (tmp_path / "train.jsonl").write_bytes(CONTENT)
        yield tmp_path


async def pieces(ended: list[str] | None = None) -> AsyncGenerator[bytes]:
    try:
        for start in range(0, len(CONTENT), PART // 2):
            await asyncio.sleep(0)
            yield CONTENT[start : start + PART // 2]
    finally:
        if ended is not None:
            ended.append("ended")


async def from_path(client: FineTuningClient, folder: Path) -> object:
    return await client.upload_file(folder / "train.jsonl")


async def from_file(client: FineTuningClient, folder: Path) -> object:
    with (folder / "train.jsonl").open("rb") as file:
        return await client.upload_file(file)


async def from_iterator(client: FineTuningClient, folder: Path) -> object:
    return await client.upload_file(pieces())


each_call = pytest.mark.parametrize("call", [from_path, from_file, from_iterator])


def tasks() -> set[asyncio.Task[object]]:
    """All tasks but those of the server."""
    names = {task: getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
    own = {task for task, name in names.items() if not name.startswith(("RequestHandler", "Courier"))}
    return own - {asyncio.current_task()}


async def assert_quiet(client: FineTuningClient, world: FaultyUploads, folder: Path) -> None:
    """Nothing is left of the call, at once but for what a thread still holds."""
    await asyncio.sleep(1)
    assert not tasks()
    assert not in_use(client)
    assert not open_files(folder)
    assert os.listdir(folder) == ["train.jsonl"]  # noqa: PTH208 - nobody else waits here
    assert world.leftovers() == 0


async def cancelled_after(turns: int, call: Call, folder: Path) -> bool:
    """Cancel a call after so many turns of the loop, and tell whether it was still running."""
    world = FaultyUploads()
    async with world.running() as client:
        task = asyncio.ensure_future(call(client, folder))
        for _ in range(turns):
            await asyncio.sleep(0)
        if not task.cancel():
            await task
            return False
        with pytest.raises(asyncio.CancelledError):
            await task
        await assert_quiet(client, world, folder)
        # One whose creation was cut off holds nothing, and expires. One that was just completed stays.
        allowed = {"cancelled", "completed"} if "part" in world.seen else {"cancelled", "pending"}
        assert set(world.uploads()) <= allowed
        assert ("completed" in world.uploads()) == bool(await client.list_files().collect())
        return True


@each_call
async def test_cancelled_at_any_turn(call: Call, folder: Path) -> None:
    turns = 0
    while await cancelled_after(turns, call, folder):
        turns += 1 + turns // 20
        assert turns < MOST_TURNS
    assert turns > 20


POINTS: dict[str, Fault] = {
    "part on its way": lambda operation, number: "before silence" if (operation, number) == ("part", 2) else "",
    "part stored": lambda operation, number: "after silence" if (operation, number) == ("part", 4) else "",
    "part to be sent again": lambda operation, number: "before 503" if operation == "part" else "",
    "completion on its way": lambda operation, number: "before silence" if operation == "complete" else "",
}


@each_call
@pytest.mark.parametrize("point", POINTS)
async def test_cancelled_while_it_waits_the_upload_is_cancelled_on_the_server(
    call: Call, point: str, folder: Path
) -> None:
    world = FaultyUploads(POINTS[point])
    async with world.running() as client:
        task = asyncio.ensure_future(call(client, folder))
        await world.until("complete" if "completion" in point else "part", 1 if "completion" in point else 4)
        await asyncio.sleep(0.1)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert world.uploads() == ["cancelled"]
        await assert_quiet(client, world, folder)
        count = len(world.seen)
        await asyncio.sleep(600)
        assert len(world.seen) == count, "sent after it was cancelled"
        world.fault = lambda *_: ""
        await call(client, folder)


async def test_a_timeout_of_the_callers_stays_the_callers(folder: Path) -> None:
    world = FaultyUploads(POINTS["part on its way"])
    async with world.running() as client:
        with pytest.raises(TimeoutError) as raised:
            await asyncio.wait_for(from_path(client, folder), 3)
        assert type(raised.value) is TimeoutError
        assert world.uploads() == ["cancelled"]
        await assert_quiet(client, world, folder)


async def test_cancelled_again_and_again_it_still_cancels_on_the_server(folder: Path) -> None:
    faults = {"part": "before silence", "cancel": "wait 3"}
    world = FaultyUploads(lambda operation, _: faults.get(operation, ""))
    async with world.running() as client:
        task = asyncio.ensure_future(from_iterator(client, folder))
        await asyncio.sleep(5)
        for _ in range(5):
            task.cancel()
            await asyncio.sleep(0.2)
            assert not task.done()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert world.uploads() == ["cancelled"]
        await assert_quiet(client, world, folder)


async def test_cancelled_while_a_failed_upload_is_cleaned_up_it_is_cancelled(folder: Path) -> None:
    faults = {"part": "before 400", "cancel": "wait 3"}
    world = FaultyUploads(lambda operation, _: faults.get(operation, ""))
    async with world.running() as client:
        task = asyncio.ensure_future(from_path(client, folder))
        await world.until("cancel")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert world.uploads() == ["cancelled"]
        await assert_quiet(client, world, folder)


async def test_a_server_that_does_not_answer_holds_a_cancellation_up_for_a_bounded_time(folder: Path) -> None:
    world = FaultyUploads(lambda operation, _: "before silence" if operation in {"part", "cancel"} else "")
    async with world.running() as client:
        task = asyncio.ensure_future(from_path(client, folder))
        await asyncio.sleep(5)
        clock = asyncio.get_running_loop().time
        before = clock()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        assert clock() - before < 11
        assert "could not be cancelled" in "".join(raised.value.__notes__)
        await assert_quiet(client, world, folder)


async def test_one_that_is_cancelled_while_the_iterator_waits_sends_nothing_and_closes_it(folder: Path) -> None:
    ended: list[str] = []

    async def stuck() -> AsyncGenerator[bytes]:
        async for piece in pieces(ended):
            yield piece
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("stuck")

    world = FaultyUploads()
    async with world.running() as client:
        task = asyncio.ensure_future(client.upload_file(stuck()))
        await asyncio.sleep(5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["ended", "stuck"]
        assert world.seen == []
        await assert_quiet(client, world, folder)


async def test_one_of_two_uploads_is_cancelled_and_the_other_goes_on(folder: Path) -> None:
    world = FaultyUploads(lambda operation, _: "wait 1" if operation == "part" else "")
    async with world.running() as client:
        one, two = (asyncio.ensure_future(from_path(client, folder)) for _ in range(2))
        await asyncio.sleep(1.5)
        one.cancel()
        file = await two
        with pytest.raises(asyncio.CancelledError):
            await one
        assert sorted(world.uploads()) == ["cancelled", "completed"]
        assert [each.id for each in await client.list_files().collect()] == [file.id]  # type: ignore[attr-defined]
        await assert_quiet(client, world, folder)
