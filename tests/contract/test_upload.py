"""Uploads: what can be uploaded, what arrives, what it costs, and what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import socket
import threading
import tracemalloc
from contextlib import asynccontextmanager
from typing import IO, TYPE_CHECKING, Any, TypeVar

import aiohttp
import attrs
import pytest
from aiohttp import BodyPartReader, web

from fine_tuning_async import (
    BadRequestError,
    ConnectionFailed,
    File,
    FineTuningClient,
    FineTuningError,
    InvalidArgumentError,
    ServerError,
    SourceNotFoundError,
)
from tests.contract.personas import local
from tests.misbehaving import (
    answer,
    fin_after_reading,
    rst_after_reading,
    rst_before_reading,
    silence,
)
from tests.serving import KEY, mounted, scripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.contract.personas import Persona
    from tests.misbehaving import Behaviour, ReceivedRequest

FILE = b'{"id": "file-1", "created_at": 1, "filename": "f", "purpose": "fine-tune", "bytes": 1}'
MIB = 2**20
CONTENT = bytes(range(256)) * 2_500  # some chunks, the last of them short; every byte there is


@attrs.define
class Part:
    """One part of a form, as an independent reader sees it; of a file, the digest in place of the content."""

    name: str | None
    filename: str | None
    size: int
    digest: str


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Receiver:
    """Takes uploads in constant memory."""

    def __init__(self) -> None:
        self.forms: list[list[Part]] = []
        self.fields: list[dict[str, str]] = []

    async def upload(self, request: web.Request) -> web.Response:
        parts, fields = [], {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.filename is None:
                fields[part.name or ""] = await part.text()
            else:
                parts.append(await self._digested(part))
        self.forms.append(parts)
        self.fields.append(fields)
        return web.Response(body=FILE)

    async def _digested(self, part: BodyPartReader) -> Part:
        size, found = 0, hashlib.sha256()
        while chunk := await part.read_chunk(2**16):
            size += len(chunk)
            found.update(chunk)
        return Part(part.name, part.filename, size, found.hexdigest())


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[FineTuningClient, Receiver]]:
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/v1/files", receiver.upload)
    async with mounted(app) as url, FineTuningClient(KEY, base_url=url) as client:
        yield client, receiver


def part_of(request: ReceivedRequest) -> bytes:
    """The content of the form's last part, cut out by hand."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
    assert len(request.body) == int(request.headers["Content-Length"])
    last = request.body.split(b"--" + boundary + b"\r\n")[-1]
    head, _, rest = last.partition(b"\r\n\r\n")
    assert b'name="file"' in head
    tail = b"\r\n--" + boundary + b"--\r\n"
    assert rest.endswith(tail)
    return rest.removesuffix(tail)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_bytes(CONTENT)
    return path


# ------------------------------------------------------------------------------------------- sources


def at_an_offset(path: Path) -> IO[bytes]:
    file = path.open("rb")
    file.seek(1_000)
    return file


SOURCES: dict[str, tuple[Callable[[Path], Any], bytes, str]] = {
    "str": (str, CONTENT, "train.jsonl"),
    "Path": (lambda path: path, CONTENT, "train.jsonl"),
    "bytes": (lambda _: CONTENT, CONTENT, "data.jsonl"),
    "bytearray": (lambda _: bytearray(CONTENT), CONTENT, "data.jsonl"),
    "memoryview": (lambda _: memoryview(CONTENT)[5:-5], CONTENT[5:-5], "data.jsonl"),
    "strided memoryview": (lambda _: memoryview(CONTENT)[::2], CONTENT[::2], "data.jsonl"),
    "open file": (lambda path: path.open("rb"), CONTENT, "train.jsonl"),
    "open file at an offset": (at_an_offset, CONTENT[1_000:], "train.jsonl"),
    "BytesIO": (lambda _: io.BytesIO(CONTENT), CONTENT, "data.jsonl"),
    "unbuffered file": (lambda path: path.open("rb", buffering=0), CONTENT, "train.jsonl"),
    "empty bytes": (lambda _: b"", b"", "data.jsonl"),
    "one chunk exactly": (lambda _: bytes(2**18), bytes(2**18), "data.jsonl"),
}


@pytest.mark.parametrize("kind", SOURCES)
async def test_what_arrives_is_the_source_byte_for_byte(kind: str, path: Path) -> None:
    make, content, name = SOURCES[kind]
    source = make(path)
    async with receiving() as (client, receiver):
        uploaded = await client.upload_file(source)
        assert isinstance(uploaded, File)
        assert receiver.forms == [[Part("file", name, len(content), digest(content))]]
        assert receiver.fields == [{"purpose": "fine-tune"}]
    if isinstance(source, io.IOBase):
        assert not source.closed
        source.close()


async def test_an_empty_file_is_uploaded_as_one(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    async with receiving() as (client, receiver):
        await client.upload_file(tmp_path / "empty")
        assert receiver.forms == [[Part("file", "empty", 0, digest(b""))]]


async def test_the_local_server_stores_what_was_uploaded(path: Path, persona: Persona) -> None:
    async with local(persona) as (client, _):
        uploaded = await client.upload_file(path, purpose="user_data")
        assert (uploaded.filename, uploaded.bytes, uploaded.purpose) == ("train.jsonl", len(CONTENT), "user_data")
        answer = await client.request("GET", f"/files/{uploaded.id}/content")
        assert answer.body == CONTENT


async def test_the_purpose_and_the_expiry_are_sent_as_the_api_wants_them() -> None:
    async with receiving() as (client, receiver):
        await client.upload_file(b"x", purpose="evals", expires_after=3_600, filename="my.jsonl")
    expected = {"purpose": "evals", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    assert receiver.fields == [expected]
    assert receiver.forms[0][0].filename == "my.jsonl"


async def test_the_local_server_gives_the_file_the_expiry(persona: Persona) -> None:
    async with local(persona) as (client, _):
        uploaded = await client.upload_file(b"x", expires_after=7_200)
        assert uploaded.expires_at == uploaded.created_at + 7_200
        with pytest.raises(BadRequestError):
            await client.upload_file(b"x", purpose="unheard-of")


@pytest.mark.parametrize(
    "name", ["trainingsdaten-äöü.jsonl", "学習.jsonl", "with space;and=signs.jsonl", "it's.jsonl"]
)
async def test_a_file_name_arrives_as_it_is(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    async with receiving() as (client, receiver):
        await client.upload_file(tmp_path / name)
        assert [part.filename for part in receiver.forms[0]] == [name]


@pytest.mark.parametrize("name", ['a"b.jsonl', "a\r\nX-Injected: 1\r\n\r\nb", 'x"; filename="y', "a\nb"])
async def test_a_file_name_cannot_break_out_of_its_place(name: str) -> None:
    async with scripted(answer(200, {}, FILE)) as (client, server):
        await client.upload_file(b"the content", filename=name)
        request = server.requests[0]
        assert part_of(request) == b"the content"
        head = request.body.rpartition(b"\r\n\r\nthe content")[0].rpartition(b'name="purpose"')[2]
        disposition = next(line for line in head.split(b"\r\n") if b"filename" in line)
        assert disposition.count(b'"') == 4
        assert b"\nX-Injected" not in request.body


async def test_a_boundary_does_not_depend_on_the_content() -> None:
    async with scripted(answer(200, {}, FILE)) as (client, server):
        for _ in range(2):
            await client.upload_file(b"x")
        types = {each.headers["Content-Type"] for each in server.requests}
        assert len(types) == 2


# ------------------------------------------------------------------------------------------- refused sources


class Unseekable(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        return 0


def closed_file(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        return file


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: path.with_name("nowhere"), "there is no file"),
    "directory": (lambda path: path.parent, "no regular file"),
    "device": (lambda _: os.devnull, "no regular file"),
    "text file": (lambda path: io.TextIOWrapper(io.BytesIO(path.read_bytes())), "mode 'rb'"),
    "StringIO": (lambda _: io.StringIO("x"), "mode 'rb'"),
    "closed file": (closed_file, "is closed or cannot be read twice"),
    "unseekable": (lambda _: Unseekable(), "is closed or cannot be read twice"),
    "a number": (lambda _: 5, "give a path"),
    "None": (lambda _: None, "give a path"),
    "a list": (lambda _: [b"x"], "give a path"),
    "a path with a NUL": (lambda _: "a\0b", "cannot be read|no file"),
    "a path too long": (lambda path: path.with_name("x" * 5_000), "cannot be read"),
    "a path below a file": (lambda path: path / "more", "cannot be read"),
    "an empty path": (lambda _: "", "no regular file"),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(kind: str, path: Path) -> None:
    make, words = REFUSED[kind]
    source = make(path)
    async with scripted(answer(200, {}, FILE)) as (client, server):
        with pytest.raises(InvalidArgumentError, match=words):
            await client.upload_file(source)
        assert server.connections == 0
        await client.upload_file(b"x")


async def test_a_missing_file_is_a_file_not_found_error_too(tmp_path: Path) -> None:
    async with scripted(answer(200, {}, FILE)) as (client, _):
        with pytest.raises(FileNotFoundError, match="nowhere") as raised:
            await client.upload_file(tmp_path.joinpath(*["deep"] * 60, "nowhere"))
        assert isinstance(raised.value, SourceNotFoundError)
        assert isinstance(raised.value, FineTuningError)


async def test_a_text_that_is_given_for_a_path_is_shown_in_part() -> None:
    async with scripted(answer(200, {}, FILE)) as (client, _):
        with pytest.raises(InvalidArgumentError, match=r"\(26000 characters\)") as raised:
            await client.upload_file('{"messages": "a sentence"}' * 1_000)
        assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize(
    "options",
    [
        {"expires_after": 3_599},
        {"expires_after": 2_592_001},
        {"expires_after": True},
        {"expires_after": "3600"},
        {"purpose": ""},
        {"purpose": 5},
        {"purpose": "x" * 65},
    ],
)
async def test_values_out_of_range_are_refused_before_anything_is_sent(options: dict[str, Any]) -> None:
    async with scripted(answer(200, {}, FILE)) as (client, server):
        with pytest.raises(InvalidArgumentError, match=next(iter(options))):
            await client.upload_file(b"x", **options)
        assert server.connections == 0
        await client.upload_file(b"x")


# ------------------------------------------------------------------------------------------- progress


async def test_progress_grows_to_the_size_of_the_file(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    async with receiving() as (client, _):
        await client.upload_file(path, progress=lambda sent, size: seen.append((sent, size)))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert {size for _, size in seen} == {len(CONTENT)}
    assert [sent for sent, _ in seen] == sorted({sent for sent, _ in seen})
    assert len(seen) == 3


async def test_progress_begins_anew_when_it_is_sent_again(path: Path) -> None:
    seen: list[int] = []
    async with scripted(fin_after_reading(), answer(200, {}, FILE)) as (client, _):
        await client.upload_file(path, progress=lambda sent, _: seen.append(sent))
    assert seen[:3] == seen[3:]


# ------------------------------------------------------------------------------------------- sending again

FAILURES: dict[str, Behaviour] = {
    "closed after reading": fin_after_reading(),
    "reset after reading": rst_after_reading(),
    "reset before reading": rst_before_reading(),
    "503": answer(503),
    "429": answer(429, {"Retry-After": "1"}),
    "silence": silence(),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("kind", ["Path", "open file at an offset", "bytes", "BytesIO"])
async def test_an_upload_that_failed_is_sent_again_whole(failure: str, kind: str, path: Path) -> None:
    make, content, _ = SOURCES[kind]
    source = make(path)
    async with scripted(FAILURES[failure], answer(200, {}, FILE)) as (client, server):
        await client.upload_file(source)
        assert part_of(server.requests[-1]) == content
        assert len({each.body for each in server.requests}) == 1
    if isinstance(source, io.IOBase):
        source.close()


async def test_an_upload_that_always_fails_ends_with_the_servers_answer(path: Path) -> None:
    async with scripted(answer(503)) as (client, server):
        with pytest.raises(ServerError):
            await client.upload_file(path)
        assert [part_of(each) for each in server.requests] == [CONTENT] * 4


def small_buffered(address: Any) -> socket.socket:
    """Make a socket that takes little at once, as the kernel would otherwise take megabytes."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**15)
    return made


async def test_an_upload_goes_on_for_as_long_as_there_is_progress() -> None:
    """The client's timeout bounds the silence, not the whole: a slow server is no reason to give up."""

    async def slow(request: web.Request) -> web.Response:
        async for _ in request.content.iter_chunked(MIB // 16):
            await asyncio.sleep(1)
        return web.Response(body=FILE)

    app = web.Application()
    app.router.add_post("/v1/files", slow)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**15)  # or the kernel takes all of it at once
    connector = aiohttp.TCPConnector(socket_factory=small_buffered)
    async with mounted(app, listener=listener) as url, aiohttp.ClientSession(connector=connector) as session:
        client = FineTuningClient(KEY, base_url=url, timeout=9, session=session)
        clock = asyncio.get_running_loop().time
        before = clock()
        await client.upload_file(bytes(MIB))
        assert clock() - before > 12


# ------------------------------------------------------------------------------------------- changing files


async def test_a_file_that_shrinks_meanwhile_is_an_error_that_says_so(path: Path) -> None:
    async with receiving() as (client, receiver):
        with pytest.raises(FineTuningError, match="shorter") as raised:
            await client.upload_file(path, progress=lambda *_: os.truncate(path, 2**18))
        assert isinstance(raised.value, InvalidArgumentError)
        assert receiver.forms == []
        await client.upload_file(b"x")


async def test_a_file_that_grows_meanwhile_is_sent_as_it_was(path: Path) -> None:
    def grow(*_: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    async with receiving() as (client, receiver):
        await client.upload_file(path, progress=grow)
        assert receiver.forms[0][0].digest == digest(CONTENT)


async def test_bytes_that_change_meanwhile_are_sent_as_they_were() -> None:
    content = bytearray(CONTENT)

    def change(*_: int) -> None:
        content[:] = b"z" * len(content)

    async with receiving() as (client, receiver):
        await client.upload_file(content, progress=change)
        assert receiver.forms[0][0].digest == digest(CONTENT)


async def test_a_file_that_disappears_between_attempts_is_an_error_of_ours(path: Path) -> None:
    def remove(sent: int, size: int) -> None:
        if sent == size:
            path.unlink(missing_ok=True)

    async with scripted(fin_after_reading(), answer(200, {}, FILE)) as (client, _):
        with pytest.raises((InvalidArgumentError, ConnectionFailed)) as raised:
            await client.upload_file(path, progress=remove)
        assert KEY not in str(raised.value)


# ------------------------------------------------------------------------------------------- what it costs


async def test_a_large_file_is_uploaded_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    async with receiving() as (client, receiver):
        await client.upload_file(b"warm")
        tracemalloc.start()
        try:
            await client.upload_file(path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert receiver.forms[-1][0].size == 64 * MIB
    assert peak < 6 * MIB


T = TypeVar("T")


class Watched(io.BytesIO):
    """Notes the thread of each access; a read waits until the loop has gone on meanwhile."""

    def __init__(self, content: bytes, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(content)
        self.threads: set[int] = set()
        self.reads = 0
        self.blocked = 0
        self._loop = loop

    def read(self, size: int | None = -1) -> bytes:
        went_on = threading.Event()
        self._loop.call_soon_threadsafe(went_on.set)
        self.blocked += not went_on.wait(2)
        self.reads += 1
        return self._noted(super().read(size))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._noted(super().seek(offset, whence))

    def tell(self) -> int:
        return self._noted(super().tell())

    def _noted(self, value: T) -> T:
        self.threads.add(threading.get_ident())
        return value


async def test_the_file_is_read_off_the_loop_while_the_loop_goes_on() -> None:
    source = Watched(CONTENT, asyncio.get_running_loop())
    async with receiving() as (client, receiver):
        await client.upload_file(source)
        assert receiver.forms[0][0].digest == digest(CONTENT)
    assert (source.reads, source.blocked) == (3, 0)
    assert threading.get_ident() not in source.threads


async def test_an_error_of_the_source_is_not_taken_for_one_of_the_wire() -> None:
    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    async with scripted(answer(200, {}, FILE)) as (client, _):
        with pytest.raises(FineTuningError, match="Input/output error"):
            await client.upload_file(Broken(CONTENT))


@pytest.mark.parametrize("error", [ValueError, OSError, RuntimeError, TimeoutError, ZeroDivisionError])
async def test_an_error_of_the_progress_callable_comes_out_as_it_is_and_nothing_is_sent_again(
    error: type[Exception],
) -> None:
    def broken(_sent: int, _size: int) -> None:
        raise error("of the callable")

    async with scripted(answer(200, {}, FILE)) as (client, server):
        with pytest.raises(error, match="of the callable"):
            await client.upload_file(CONTENT, progress=broken)
        assert len(server.requests) <= 1
        assert server.connections <= 1
        assert (await client.upload_file(CONTENT)).id == "file-1"
