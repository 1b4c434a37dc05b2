"""A server that takes uploads apart, and remembers what it got."""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs
from aiohttp import BodyPartReader, web

from fine_tuning_async import (
    FineTuningClient,
)
from tests.serving import KEY, mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.misbehaving import ReceivedRequest


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
