"""A raw server that holds one file, answers ranges as RFC 9110 has it, and breaks off where it is told to."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.misbehaving import Exchange, ReceivedRequest

    Headers = dict[str, str]


@attrs.define
class Storage:
    """One file, and the ways in which it is not given.

    Attributes:
        cuts: How many bytes of its body each answer sends before it breaks; None sends all. The last one holds
            for all that follow.
        change: Alters the headers of an answer, given its status.
        stalls: Whether a broken answer stays silent, instead of closing.
        chunked: Whether the length is kept back.
    """

    content: bytes
    tag: str | None = '"v1"'
    cuts: list[int | None] = attrs.field(factory=lambda: [None])
    ranges: bool = True
    stalls: bool = False
    chunked: bool = False
    change: Callable[[int, Headers], Headers] = lambda _, headers: headers
    before: Callable[[Storage, int], None] = lambda *_: None
    asked: list[str | None] = attrs.field(factory=list)

    async def __call__(self, exchange: Exchange) -> None:
        request = await exchange.receive()
        self.before(self, len(self.asked))
        cut = self.cuts[min(len(self.asked), len(self.cuts) - 1)]
        self.asked.append(request.headers.get("Range"))
        status, headers, body = self._answer(request)
        if self.chunked and status == 200:
            headers["Transfer-Encoding"] = "chunked"
            del headers["Content-Length"]
        await exchange.send_head(status, self.change(status, headers))
        await self._send(exchange, body, cut, chunked=self.chunked and status == 200)

    async def _send(self, exchange: Exchange, body: bytes, cut: int | None, *, chunked: bool) -> None:
        sent = body if cut is None else body[:cut]
        if not chunked:
            await exchange.send(sent)
        elif sent:
            await exchange.send_chunk(sent)
        if cut is None:
            if chunked:
                await exchange.send_chunk(b"")
        elif self.stalls:
            await asyncio.get_running_loop().create_future()
        else:
            await exchange.fin()

    def _answer(self, request: ReceivedRequest) -> tuple[int, Headers, bytes]:
        headers = {} if self.tag is None else {"ETag": self.tag}
        start = self._start(request)
        if start >= len(self.content) > 0:
            return 416, {"Content-Range": f"bytes */{len(self.content)}", "Content-Length": "0"}, b""
        body = self.content[start:]
        headers["Content-Length"] = str(len(body))
        if not start:
            return 200, headers, body
        end = len(self.content) - 1
        return 206, {**headers, "Content-Range": f"bytes {start}-{end}/{len(self.content)}"}, body

    def _start(self, request: ReceivedRequest) -> int:
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if not found or not self.ranges or request.headers.get("If-Range", self.tag) != self.tag:
            return 0
        return int(found[1])
