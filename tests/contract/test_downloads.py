"""Downloads to files and as streams: what arrives, what it costs, what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import stat
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import (
    ClientStateError,
    DestinationError,
    FineTuningClient,
    InvalidArgumentError,
    NotFoundError,
    RetryPolicy,
)
from tests.contract.personas import local
from tests.misbehaving import answer, endless
from tests.serving import in_use, scripted
from tests.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.contract.personas import Persona

    Read = Callable[[FineTuningClient, Path], Awaitable[object]]

MIB = 2**20
CONTENT = random.Random(3).randbytes(3 * MIB + 17)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def to_file(client: FineTuningClient, folder: Path) -> object:
    return await client.download_file("file-1", folder / "file")


async def as_stream(client: FineTuningClient, _: Path) -> object:
    async with client.stream_file("file-1") as chunks:
        return [chunk async for chunk in chunks]


# ----------------------------------------------------------------------------------------- what arrives


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 17])
async def test_the_content_comes_back_byte_for_byte(size: int, tmp_path: Path, persona: Persona) -> None:
    async with local(persona) as (client, server):
        file = await client.upload_file(CONTENT[:size])
        told: list[tuple[int, int | None]] = []
        path = await client.download_file(
            file.id, str(tmp_path / "a.jsonl"), progress=lambda *each: told.append(each)
        )
        assert path == tmp_path / "a.jsonl"
        assert path.read_bytes() == CONTENT[:size]
        assert names(tmp_path) == ["a.jsonl"]
        assert told == sorted(told)
        assert told[-1:] == ([(size, size)] if size else [])

        async with client.stream_file(file.id) as chunks:
            got = [chunk async for chunk in chunks]
        assert b"".join(got) == CONTENT[:size]
        assert all(got)
        assert not in_use(client)
        assert server.requests[-1].headers["accept-encoding"] == "identity"


async def test_a_size_that_is_not_told_is_none(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    async with scripted(Storage(b"12345", chunked=True)) as (client, _):
        await client.download_file("file-1", tmp_path / "file", progress=lambda *each: told.append(each))
    assert told == [(5, None)]


async def test_progress_falls_back_when_the_download_begins_again(tmp_path: Path) -> None:
    told: list[int] = []
    async with scripted(Storage(CONTENT[:9], tag=None, cuts=[5, None])) as (client, _):
        await client.download_file("file-1", tmp_path / "file", progress=lambda now, _: told.append(now))
    assert told == [5, 9]


async def test_what_progress_raises_ends_the_download(tmp_path: Path) -> None:
    def enough(received: int, total: int | None) -> None:
        raise KeyError(received, total)

    async with scripted(Storage(CONTENT)) as (client, server):
        with pytest.raises(KeyError):
            await client.download_file("file-1", tmp_path / "file", progress=enough)
        assert names(tmp_path) == []
        assert len(server.requests) == 1
        assert not in_use(client)


async def test_the_memory_stays_flat(tmp_path: Path) -> None:
    """What is held at once does not depend on the size."""

    async def peak(size: int, *, file: bool) -> int:
        async with scripted(endless(size)) as (client, _):
            tracemalloc.start()
            try:
                if file:
                    path = await client.download_file("file-1", tmp_path / "large")
                    assert path.stat().st_size == size
                else:
                    async with client.stream_file("file-1") as chunks:
                        assert sum([len(chunk) async for chunk in chunks]) == size
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    for file in (True, False):
        assert await peak(80 * MIB, file=file) < 6 * MIB
    (tmp_path / "large").unlink()


async def test_nothing_touches_the_disk_on_the_loop(tmp_path: Path) -> None:
    """Threads are told from the loop by an audit hook, which sees every opening and renaming."""
    seen: list[tuple[str, bool]] = []
    here = threading.get_ident()
    watching = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in {"open", "os.rename", "os.remove"} and str(tmp_path) in str(arguments):
            seen.append((event, threading.get_ident() == here))

    sys.addaudithook(hook)
    async with scripted(Storage(CONTENT), answer(404)) as (client, _):
        await client.download_file("file-1", tmp_path / "file")
        with pytest.raises(NotFoundError):
            await client.download_file("file-1", tmp_path / "file")
    watching = False
    assert [event for event, _ in seen] == ["open", "os.rename", "open", "os.remove"]
    assert not any(on_the_loop for _, on_the_loop in seen)


# ------------------------------------------------------------------------------------------- destinations


async def test_what_was_there_is_replaced_only_by_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    async with scripted(Storage(CONTENT, cuts=[MIB * 2]), Storage(CONTENT)) as (client, _):
        once = client.with_options(retry=RetryPolicy(attempts=1))
        seen: list[tuple[bytes, list[str]]] = []

        def look(received: int, total: int | None) -> None:
            seen.append((path.read_bytes(), [name for name in names(tmp_path) if name != "file"]))

        with pytest.raises(Exception, match="broke off"):
            await once.download_file("file-1", path, progress=look)
        assert path.read_bytes() == b"old"
        assert names(tmp_path) == ["file"]
        assert {content for content, _ in seen} == {b"old"}
        assert all(len(beside) == 1 and beside[0].endswith(".part") for _, beside in seen)

        await client.download_file("file-1", path)
        assert path.read_bytes() == CONTENT


async def test_a_link_stays_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "real").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(folder / "real")
    async with scripted(Storage(b"new")) as (client, _):
        assert await client.download_file("file-1", link) == link
    assert link.is_symlink()
    assert (folder / "real").read_bytes() == b"new"


async def test_the_file_may_be_read_by_whom_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        async with scripted(Storage(b"new")) as (client, _):
            path = await client.download_file("file-1", tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_two_downloads_to_one_destination_do_not_mix(tmp_path: Path) -> None:
    async with scripted(Storage(CONTENT)) as (client, _):
        await asyncio.gather(*(client.download_file("file-1", tmp_path / "file") for _ in range(5)))
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == CONTENT


class BytesPath:
    """A path that is no text, as the entries of a directory named in bytes are."""

    def __fspath__(self) -> bytes:
        return b"file"


@pytest.mark.parametrize(
    ("destination", "match"),
    [
        ("", "directory"),
        (".", "directory"),
        ("missing/file", "there is no directory '.*missing'"),
        ("link", "there is no directory '.*nowhere'"),
        ("taken/file", "Not a directory"),
        ("x" * 300, "too long"),
        ("a\0b", "null"),
        ("pipe", "no regular file"),  # as is a device, which is safer not to name here
        pytest.param(
            "/sys/file", "denied|permitted", marks=pytest.mark.skipif(sys.platform != "linux", reason="")
        ),
        (5, "give the path"),
        (b"file", "give the path"),
        (BytesPath(), "give the path"),
        (None, "give the path"),
    ],
)
async def test_a_destination_that_cannot_be_is_told_before_any_request(
    destination: Any, match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").touch()
    (tmp_path / "link").symlink_to("nowhere/file")
    os.mkfifo(tmp_path / "pipe")
    async with scripted(Storage(CONTENT)) as (client, server):
        with pytest.raises(InvalidArgumentError, match=match):
            await client.download_file("file-1", destination)
        assert server.requests == []
    assert names(tmp_path) == ["link", "pipe", "taken"]
    assert (tmp_path / "pipe").is_fifo()


@pytest.fixture
def read_only(tmp_path: Path) -> Path:
    tmp_path.chmod(0o500)
    return tmp_path


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_directory_that_is_read_only_is_told_before_any_request(read_only: Path) -> None:
    async with scripted(Storage(CONTENT)) as (client, server):
        with pytest.raises(InvalidArgumentError, match="denied"):
            await client.download_file("file-1", read_only / "file")
        assert server.requests == []


@pytest.fixture
def small_disk() -> Iterator[int]:
    """Let no file of this process grow beyond 2 MiB: the system refuses the rest as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MIB, limits[1]))
    yield 2 * MIB
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


async def test_a_full_disk_leaves_nothing(small_disk: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    async with scripted(Storage(CONTENT)) as (client, server):
        with pytest.raises(DestinationError, match="given up") as caught:
            await client.download_file("file-1", path)
        assert caught.value.errno
        assert caught.value.filename == str(path)
        assert len(server.requests) == 1
        assert not in_use(client)
    assert names(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"


async def test_a_name_that_is_taken_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    async with scripted(Storage(b"12345")) as (client, _):
        with pytest.raises(DestinationError):
            await client.download_file("file-1", path, progress=lambda *_: path.mkdir())
    assert names(tmp_path) == ["file"]
    assert path.is_dir()


@pytest.mark.parametrize("file_id", ["", "..", "a/b", "a\nb", None])
async def test_an_id_that_cannot_be_one_is_not_sent(file_id: Any, tmp_path: Path) -> None:
    async with scripted(Storage(CONTENT)) as (client, server):
        with pytest.raises(InvalidArgumentError, match="file_id"):
            await client.download_file(file_id, tmp_path / "file")
        with pytest.raises(InvalidArgumentError, match="file_id"):
            client.stream_file(file_id)
        assert server.requests == []


# ------------------------------------------------------------------------------------------------ streams


async def test_a_stream_that_is_left_early_leaves_no_connection() -> None:
    async with scripted(endless()) as (client, server):
        async with client.stream_file("file-1") as chunks:
            async for _ in chunks:
                break
            assert len(in_use(client)) == 1
        assert not in_use(client)
        assert asyncio.all_tasks() - server._tasks == {asyncio.current_task()}


async def test_a_stream_read_to_its_end_gives_its_connection_back() -> None:
    async with scripted(Storage(b"12345")) as (client, server):
        for _ in range(3):
            assert await as_stream(client, Path()) == [b"12345"]
        assert server.connections == 1


async def test_a_stream_is_used_once_and_within_its_block() -> None:
    async with scripted(Storage(b"12345")) as (client, server):
        stream = client.stream_file("file-1")
        async with stream as chunks:
            assert [chunk async for chunk in chunks] == [b"12345"]
            assert [chunk async for chunk in chunks] == []
        with pytest.raises(ClientStateError, match="closed"):
            await anext(chunks)
        with pytest.raises(ClientStateError, match="used"):
            await stream.__aenter__()
        assert len(server.requests) == 1


async def test_an_error_of_the_readers_comes_out_as_it_is() -> None:
    async with scripted(endless()) as (client, _):
        with pytest.raises(KeyError):
            async with client.stream_file("file-1"):
                raise KeyError
        assert not in_use(client)


async def test_a_closed_client_downloads_nothing(tmp_path: Path) -> None:
    async with scripted(Storage(CONTENT)) as (client, _):
        await client.close()
        for read in (to_file, as_stream):
            with pytest.raises(ClientStateError):
                await read(client, tmp_path)
    assert names(tmp_path) == []
