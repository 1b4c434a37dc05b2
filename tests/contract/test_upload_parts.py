"""Uploads in parts and of async iterators: what arrives, and what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import IO, TYPE_CHECKING, Any

import pytest

from fine_tuning_async import FineTuningClient, InvalidArgumentError
from fine_tuning_async.api.uploads import Limits
from tests.faulty_uploads import PART, FaultyUploads, content_of, open_files

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
    from pathlib import Path

# Sockets, tasks and threads come together here: in debug mode asyncio sees a call from the wrong thread.
pytestmark = pytest.mark.debug_mode

CONTENT = bytes(range(256)) * 5_000  # five parts, the last of them short


@asynccontextmanager
async def local() -> AsyncIterator[tuple[FineTuningClient, FaultyUploads]]:
    world = FaultyUploads()
    async with world.running() as client:
        yield client, world


def created(world: FaultyUploads) -> Any:
    """What the last creation asked for."""
    return next(each.json for each in reversed(world.server.requests) if each.path == "/v1/uploads")


async def pieces(size: int, content: bytes = CONTENT) -> AsyncGenerator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


class Plain:
    """An async iterator that is no generator."""

    def __init__(self, items: list[Any]) -> None:
        self._items = iter(items)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._items)
        except StopIteration:
            raise StopAsyncIteration from None


class Iterable:
    """Something to iterate over that is no iterator, and gives one with a name of its own."""

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        yield CONTENT


async def reused() -> AsyncGenerator[bytearray]:
    buffer = bytearray(1_000)
    for start in range(0, len(CONTENT), 1_000):
        buffer[:] = CONTENT[start : start + 1_000]
        yield buffer


def at_an_offset(path: Path) -> IO[bytes]:
    file = path.open("rb")
    file.seek(1_000)
    return file


SOURCES: dict[str, tuple[Callable[[Path], Any], bytes, str]] = {
    "Path": (lambda path: path, CONTENT, "train.jsonl"),
    "bytes": (lambda _: CONTENT, CONTENT, "data.jsonl"),
    "memoryview": (lambda _: memoryview(CONTENT)[::2], CONTENT[::2], "data.jsonl"),
    "BytesIO": (lambda _: io.BytesIO(CONTENT), CONTENT, "data.jsonl"),
    "open file at an offset": (at_an_offset, CONTENT[1_000:], "train.jsonl"),
    "unbuffered file": (lambda path: path.open("rb", buffering=0), CONTENT, "train.jsonl"),
    "whole parts": (lambda _: bytes(3 * PART), bytes(3 * PART), "data.jsonl"),
    "lines": (lambda _: pieces(77), CONTENT, "data.jsonl"),
    "large pieces": (lambda _: pieces(700_000), CONTENT, "data.jsonl"),
    "a small iterator": (lambda _: pieces(5, CONTENT[:99]), CONTENT[:99], "data.jsonl"),
    "no generator": (lambda _: Plain([CONTENT, b"", bytearray(5)]), CONTENT + bytes(5), "data.jsonl"),
    "strided memoryviews": (lambda _: Plain([memoryview(CONTENT)[::2]] * 2), CONTENT[::2] * 2, "data.jsonl"),
    "an iterable": (lambda _: Iterable(), CONTENT, "data.jsonl"),
    "a buffer used again": (lambda _: reused(), CONTENT, "data.jsonl"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """The folder of temporary files."""
    (tmp_path / "tmp").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
        yield tmp_path / "tmp"


# ------------------------------------------------------------------------------------------- what arrives


@pytest.mark.parametrize("kind", SOURCES)
async def test_what_arrives_is_the_source_byte_for_byte(kind: str, path: Path, temporary: Path) -> None:
    make, content, name = SOURCES[kind]
    source, seen = make(path), []
    async with local() as (client, world):
        file = await client.upload_file(source, progress=lambda sent, size: seen.append((sent, size)))
        assert await content_of(client, file.id) == content
        assert (file.filename, file.bytes, file.purpose) == (name, len(content), "fine-tune")
        assert world.seen.count("part") == -(-len(content) // PART)
        assert world.seen.count("plain") == 0
        assert world.uploads() == ["completed"]
    assert seen[-1] == (len(content), len(content))
    assert [sent for sent, _ in seen] == sorted({sent for sent, _ in seen})
    assert {size for _, size in seen} == {len(content)}
    assert not open_files(temporary)
    if isinstance(source, io.IOBase):
        assert not source.closed
        source.close()


async def test_up_to_the_limit_a_file_goes_up_in_one_piece() -> None:
    async with local() as (client, world):
        await client.upload_file(bytes(PART))
        assert world.seen == ["plain"]
        await client.upload_file(bytes(PART + 1))
        assert world.seen[1:] == ["create", "part", "part", "complete"]


def test_the_limits_are_the_apis_in_millions_of_bytes() -> None:
    assert FineTuningClient._limits == Limits(plain=512 * 10**6, part=64 * 10**6, whole=8 * 2**30, in_flight=4)


async def test_four_parts_are_on_their_way_at_most_and_their_order_is_kept() -> None:
    content = b"".join(bytes([number]) * PART for number in range(13))
    # The later a part is sent, the sooner it arrives.
    world = FaultyUploads(lambda operation, number: f"wait {20 - number}" if operation == "part" else "")
    async with world.running() as client:
        file = await client.upload_file(content)
        assert world.busiest == 4
        assert await content_of(client, file.id) == content


async def test_a_file_in_parts_can_be_trained_on() -> None:
    lines = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n' * 5_000
    async with local() as (client, world):
        file = await client.upload_file(pieces(100_000, lines))
        job = await client.create_job("gpt-4o-mini", file.id)
        world.server.finish(job.id)
        assert (await client.retrieve_job(job.id)).status == "succeeded"
        assert (await client.delete_file(file.id)).deleted


async def test_what_the_api_wants_to_know_is_sent() -> None:
    async with local() as (client, world):
        await client.upload_file(CONTENT, purpose="batch", filename="a.jsonl", expires_after=7_200)
        expiry = {"anchor": "created_at", "seconds": 7_200}
        assert created(world) == {
            "purpose": "batch",
            "filename": "a.jsonl",
            "bytes": len(CONTENT),
            "mime_type": "text/jsonl",
            "expires_after": expiry,
        }
        (file,) = await client.list_files().collect()
        assert file.expires_at == file.created_at + 7_200
        await client.upload_file(CONTENT)
        assert "expires_after" not in created(world)
        completions = [each.json for each in world.server.requests if each.path.endswith("/complete")]
        assert all(list(each) == ["part_ids"] for each in completions)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("name", "purpose", "kind"),
    [
        ("a.jsonl", "user_data", "text/jsonl"),
        ("A.PDF", "user_data", "application/pdf"),
        ("rows", "fine-tune", "text/jsonl"),
        ("rows", "vision", "application/octet-stream"),
        ("b.png", "vision", "image/png"),
    ],
)
async def test_the_type_follows_from_the_name_or_else_the_purpose(name: str, purpose: str, kind: str) -> None:
    async with local() as (client, world):
        await client.upload_file(CONTENT, filename=name, purpose=purpose)
        assert created(world)["mime_type"] == kind


@pytest.mark.parametrize("name", ["学習.jsonl", 'a"b.jsonl', "a\r\nX-Injected: 1\r\n\r\nb", "caf\udce9.jsonl"])
async def test_a_file_name_arrives_as_it_is_or_with_question_marks(name: str) -> None:
    async with local() as (client, _):
        file = await client.upload_file(CONTENT, filename=name)
        assert file.filename == name.encode("utf-8", "replace").decode()
        assert await content_of(client, file.id) == CONTENT


# ------------------------------------------------------------------------------------------- refused iterators


async def raising() -> AsyncGenerator[bytes]:
    yield CONTENT
    raise ZeroDivisionError("of the iterator")


async def endless() -> AsyncGenerator[bytes]:
    while True:
        yield CONTENT


async def never() -> AsyncGenerator[bytes]:
    for nothing in tuple[bytes, ...]():
        yield nothing


def sync_generator() -> Iterator[bytes]:
    yield CONTENT


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "text": (lambda: Plain([b"abc", "text"]), InvalidArgumentError, "a str after 3 bytes; it must give bytes"),
    "numbers": (lambda: Plain([5]), InvalidArgumentError, "a int after 0 bytes"),
    "None": (lambda: Plain([None]), InvalidArgumentError, "a NoneType after 0 bytes"),
    "nothing": (never, InvalidArgumentError, "gave no bytes; was it used before"),
    "empty pieces": (lambda: Plain([b"", b""]), InvalidArgumentError, "gave no bytes"),
    "without end": (endless, InvalidArgumentError, f"more than {20 * PART} bytes"),
    "its own error": (raising, ZeroDivisionError, "of the iterator"),
    "a generator": (sync_generator, InvalidArgumentError, "is a generator; .* async iterator of bytes"),
    "a list": (lambda: [CONTENT], InvalidArgumentError, "is a list; .* async iterator of bytes"),
    "a function": (lambda: endless, InvalidArgumentError, "is a function; .* async iterator of bytes"),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(kind: str, temporary: Path) -> None:
    make, error, words = REFUSED[kind]
    async with local() as (client, world):
        with pytest.raises(error, match=words):
            await client.upload_file(make())
        assert world.seen == []
        assert not open_files(temporary)
        await client.upload_file(pieces(1_000))


async def test_a_generator_that_was_not_used_up_is_closed() -> None:
    ended = []

    async def watched() -> AsyncGenerator[Any]:
        try:
            yield "text"
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    async with local() as (client, _):
        with pytest.raises(InvalidArgumentError, match="gave a str"):
            await client.upload_file(watched())
        assert ended


async def test_values_out_of_range_are_refused_before_the_iterator_is_touched() -> None:
    source = pieces(1_000)
    async with local() as (client, _):
        with pytest.raises(InvalidArgumentError, match="expires_after"):
            await client.upload_file(source, expires_after=5)
        file = await client.upload_file(source)
        assert await content_of(client, file.id) == CONTENT


async def test_an_iterator_can_be_used_once() -> None:
    source = pieces(1_000)
    async with local() as (client, world):
        await client.upload_file(source)
        with pytest.raises(InvalidArgumentError, match="only once"):
            await client.upload_file(source)
        assert world.uploads() == ["completed"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("where", ["no folder", "a full disk"])
async def test_a_disk_that_takes_nothing_is_an_error_of_ours(where: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, largest_file(PART) if where == "a full disk" else nullcontext():
        if where == "no folder":
            patch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
        async with local() as (client, world):
            with pytest.raises(InvalidArgumentError, match=r"No such file|File too large"):
                await client.upload_file(pieces(1_000))
            assert world.seen == []
