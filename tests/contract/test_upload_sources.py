"""What can be uploaded arrives byte for byte; what cannot is refused before anything is sent."""

from __future__ import annotations

import io
import os
from typing import IO, TYPE_CHECKING, Any

import pytest

from fine_tuning_async import (
    BadRequestError,
    File,
    FineTuningError,
    InvalidArgumentError,
    SourceNotFoundError,
)
from tests.contract.personas import local
from tests.misbehaving import (
    answer,
)
from tests.receiving import CONTENT, FILE, Part, digest, part_of, receiving
from tests.serving import scripted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.contract.personas import Persona


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
