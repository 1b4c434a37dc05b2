"""The shapes of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from aiohttp import hdrs, web

from .wellformed import storable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aiohttp.abc import AbstractStreamWriter

    from .store.lists import Slice


class Problem(Exception):  # noqa: N818 - an answer on its way to the client
    """A request that is answered with an error in the API's envelope.

    Args:
        status: The HTTP status.
        message: What went wrong, for people.
        param: The parameter at fault.
        code: What went wrong, for programs.
        kind: The envelope's `type`.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers: Mapping[str, str] = headers or {}
        self.error: dict[str, str | None] = {
            "message": storable(message),
            "type": kind,
            "param": None if param is None else storable(param),
            "code": code,
        }


class Streamed(web.StreamResponse):
    """An answer whose body is read while it is sent.

    Args:
        pieces: The body.
        size: Its length in bytes.
        status: The HTTP status.
    """

    def __init__(self, pieces: Iterator[bytes], size: int, status: int = 200) -> None:
        super().__init__(status=status)
        self.content_type = "application/octet-stream"
        self.content_length = size
        self.pieces: Iterator[bytes] = pieces

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the head; to a HEAD, that is all (RFC 9110, 9.3.2)."""
        if request.method == hdrs.METH_HEAD:
            self.pieces = iter(())
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the body."""
        for piece in self.pieces:
            await self.write(piece)
        await super().write_eof(data)


def bad_request(message: str, param: str | None = None, code: str | None = None) -> Problem:
    """Return the commonest problem: a 400."""
    return Problem(400, message, param=param, code=code)


def answer(body: bytes, status: int = 200) -> web.Response:
    """Answer with JSON that is already rendered."""
    return web.Response(body=body, status=status, content_type="application/json")


def answer_problem(problem: Problem) -> web.Response:
    """Answer with the error envelope."""
    response = answer(orjson.dumps({"error": problem.error}), problem.status)
    response.headers.update(problem.headers)
    return response


def answer_deleted(thing: str, thing_id: str) -> web.Response:
    """Answer that a thing is gone."""
    return answer(orjson.dumps({"id": thing_id, "object": thing, "deleted": True}))


def answer_slice(found: Slice, *, with_ends: bool = False) -> web.Response:
    """Answer with a page of a list; some lists name the ids at its ends."""
    parts = [
        b'{"object":"list","data":[',
        b",".join(view for _, view in found.rows),
        b'],"has_more":',
        b"true" if found.has_more else b"false",
    ]
    if with_ends:
        first, last = (found.rows[0][0], found.rows[-1][0]) if found.rows else (None, None)
        parts += [b',"first_id":', orjson.dumps(first), b',"last_id":', orjson.dumps(last)]
    return answer(b"".join((*parts, b"}")))
