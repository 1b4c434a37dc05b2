"""Answers that never arrive whole."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from aiohttp import web

from fine_tuning_async.server.answers import Streamed

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

Pieces = Iterator[bytes]
Sending = Callable[["Misbehaving", Pieces], Awaitable[None]]

_LINGER_ZERO = struct.pack("ii", 1, 0)


class Lost(web.StreamResponse):
    """No answer at all: the connection is closed, or reset, in its place."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self._reset = reset

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Break the connection."""
        hang_up(request, reset=self._reset)
        raise ConnectionResetError


class Misbehaving(web.StreamResponse):
    """The head of a good answer, and a body that `send` deals with as it likes.

    Args:
        whole: The good answer.
        send: Sends the pieces of the body by `write`.
    """

    def __init__(self, whole: web.StreamResponse, send: Sending) -> None:
        super().__init__(status=whole.status, reason=whole.reason, headers=whole.headers)
        pieces, size = body_of(whole)
        self.content_length = size
        self.size = size
        self._pieces = pieces
        self._send = send
        self._request: web.BaseRequest | None = None

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the head."""
        self._request = request
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the body, such as it is."""
        await self._send(self, self._pieces)
        await super().write_eof(data)

    def break_off(self) -> None:
        """Close the connection, once what was written has left."""
        if self._request is not None:
            hang_up(self._request, reset=False)
        raise ConnectionResetError


def body_of(answer: web.StreamResponse) -> tuple[Pieces, int]:
    """Return the body of an answer that was not sent yet, in pieces, and its size in bytes."""
    if isinstance(answer, Streamed):
        return answer.pieces, answer.content_length or 0
    body = answer.body if isinstance(answer, web.Response) else b""
    whole = bytes(body) if isinstance(body, bytes | bytearray) else b""
    return iter((whole,)), len(whole)


def hang_up(request: web.BaseRequest, *, reset: bool) -> None:
    """Close the connection with a FIN once what was written has left, or with an RST at once."""
    transport = request.transport
    if transport is None:
        return
    if not reset:
        transport.close()
        return
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
