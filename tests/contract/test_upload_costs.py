"""What uploads in parts and of async iterators cost: memory, threads, connections."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import tracemalloc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import BodyPartReader, web

from fine_tuning_async import FineTuningClient
from fine_tuning_async.api.uploads import Limits
from tests.faulty_uploads import KEY, FaultyUploads, SmallParts, content_of
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

MIB = 2**20
CONTENT = bytes(range(256)) * 5_000  # five parts, the last of them short


class Sink:
    """Takes parts in constant memory."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        return self._answer({**asked, "status": "pending"})

    async def part(self, request: web.Request) -> web.Response:
        field = await (await request.multipart()).next()
        assert isinstance(field, BodyPartReader)
        size = 0
        while chunk := await field.read_chunk(2**16):
            size += len(chunk)
        self.sizes.append(size)
        return self._answer({"id": f"part-{len(self.sizes)}"})

    async def complete(self, request: web.Request) -> web.Response:
        file = {"id": "file-1", "created_at": 1, "filename": "f", "purpose": "p"}
        return self._answer({"filename": "f", "purpose": "p", "status": "completed", "file": file})

    def _answer(self, document: dict[str, object]) -> web.Response:
        return web.Response(body=json.dumps({"id": "x", "created_at": 1, **document}))


@asynccontextmanager
async def sinking(kind: type[FineTuningClient]) -> AsyncIterator[tuple[FineTuningClient, Sink]]:
    sink, app = Sink(), web.Application()
    app.router.add_post("/v1/uploads", sink.create)
    app.router.add_post("/v1/uploads/x/parts", sink.part)
    app.router.add_post("/v1/uploads/x/complete", sink.complete)
    async with mounted(app) as url, kind(KEY, base_url=url) as client:
        yield client, sink


class InParts(FineTuningClient):
    """Sends everything in parts, four of which would not fit into what the tests allow."""

    _limits = Limits(plain=0, part=16_000_000)


async def peak(client: FineTuningClient, source: Any) -> int:
    """Bytes that this process allocates at once for an upload, the sink's included."""
    await client.upload_file(b"warm")
    tracemalloc.start()
    try:
        await client.upload_file(source)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_large_parts_are_streamed_from_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(70 * MIB)
    async with sinking(InParts) as (client, sink):
        assert await peak(client, path) < 16 * MIB
    assert sorted(sink.sizes[1:]) == [70 * MIB - 4 * 16_000_000, *[16_000_000] * 4]


async def test_a_long_iterator_is_kept_on_the_disk() -> None:
    async def zeros() -> AsyncGenerator[bytes]:
        for _ in range(64):
            yield bytes(MIB)

    async with sinking(InParts) as (client, sink):
        assert await peak(client, zeros()) < 16 * MIB
    assert sum(sink.sizes[1:]) == 64 * MIB


class Contended(io.BytesIO):
    """Lets others in while it reads, and notes how many came, and whether it was on a loop."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.readers = self.most = self.reads = self.on_a_loop = 0
        self._moved = threading.Event()

    def seek(self, offset: int, whence: int = 0) -> int:
        self._moved.set()
        return super().seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        self._moved.clear()
        self.reads += 1
        self.readers += 1
        self.most = max(self.most, self.readers)
        self.on_a_loop += _runs_a_loop()
        self._moved.wait(0.03)
        data = super().read(size)
        self.readers -= 1
        return data


async def test_an_open_file_is_read_off_the_loop_by_one_part_at_a_time() -> None:
    source = Contended(CONTENT)
    async with FaultyUploads().running() as client:
        file = await client.upload_file(source)
        assert await content_of(client, file.id) == CONTENT
    assert (source.most, source.on_a_loop) == (1, 0)
    assert source.reads >= 5


def _runs_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def test_a_borrowed_session_with_one_connection_is_enough() -> None:
    world = FaultyUploads()
    async with world.running() as owner, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        client = SmallParts(KEY, base_url=owner._pipeline.base_url, session=session)
        file = await client.upload_file(CONTENT)
        assert await content_of(client, file.id) == CONTENT
    assert world.busiest == 1
