"""A download that is cancelled at any point leaves nothing."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import (
    FineTuningClient,
    RetryPolicy,
)
from fine_tuning_async.api._destination import Destination
from tests.contract.test_downloads import CONTENT, MIB, as_stream, names, to_file
from tests.misbehaving import Exchange, MisbehavingServer, answer, stall
from tests.serving import in_use, scripted
from tests.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Read = Callable[[FineTuningClient, Path], Awaitable[object]]


def open_files() -> list[Path]:
    found = []
    for each in Path("/proc/self/fd").iterdir() if sys.platform == "linux" else ():
        with suppress(FileNotFoundError):  # the one through which the folder is read
            found.append(each.readlink())
    return found


async def quiet(client: FineTuningClient, server: MisbehavingServer, folder: Path, when: object) -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    await asyncio.sleep(1)  # virtual: until the threads have ended too
    assert not asyncio.all_tasks() - server._tasks - {asyncio.current_task()}, when
    assert not in_use(client), when
    assert not [each for each in open_files() if folder in each.parents], when
    # Cancelled while the file got its name, it may have got it: then it is whole.
    assert [(folder / name).read_bytes() == CONTENT for name in names(folder)] in ([], [True]), when


@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.parametrize("read", [to_file, as_stream])
async def test_cancelled_at_any_turn(read: Read, breaks: bool, tmp_path: Path) -> None:
    for number in range(5_000):
        storage = Storage(CONTENT, cuts=[MIB + 5, None] if breaks else [None])
        # The turns do not move the clock: a wait before the next attempt must be none.
        async with scripted(storage, retry=RetryPolicy(base=1e-9)) as (client, server):
            task = asyncio.ensure_future(read(client, tmp_path))
            for _ in range(number):
                await asyncio.sleep(0)
            if not task.cancel():
                await task
                assert number > 20
                return
            with pytest.raises(asyncio.CancelledError):
                await task
            await quiet(client, server, tmp_path, number)
            (tmp_path / "file").unlink(missing_ok=True)
    raise AssertionError("the download never finished")


@pytest.mark.parametrize("read", [to_file, as_stream])
@pytest.mark.parametrize("phase", ["answer", "body", "wait"])
async def test_cancelled_while_it_waits_for_the_server(read: Read, phase: str, tmp_path: Path) -> None:
    async def silent(exchange: Exchange) -> None:
        await exchange.receive()
        await asyncio.get_running_loop().create_future()

    behaviour = {"answer": silent, "body": stall(CONTENT[:9]), "wait": answer(429, {"Retry-After": "15"})}[phase]
    async with scripted(behaviour) as (client, server):
        task = asyncio.ensure_future(read(client, tmp_path))
        await asyncio.sleep(5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await quiet(client, server, tmp_path, phase)
        assert len(server.requests) == 1
    assert names(tmp_path) == []


async def test_a_thread_that_comes_too_late_makes_no_file(tmp_path: Path) -> None:
    """A thread cannot be cancelled: whatever it was sent to do, it finds the download given up."""
    for opened_before in (True, False):
        destination = Destination(tmp_path / "file")
        if opened_before:
            await destination.open()
        await destination.discard()
        await destination.open()
        await destination.write(0, bytes(2 * MIB))
        await destination.finish(2 * MIB)
        assert names(tmp_path) == []


async def test_cancelled_twice_it_still_leaves_nothing(tmp_path: Path) -> None:
    async with scripted(stall(CONTENT[: 2 * MIB], len(CONTENT))) as (client, server):
        task = asyncio.ensure_future(to_file(client, tmp_path))
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await quiet(client, server, tmp_path, "twice")
    assert names(tmp_path) == []
