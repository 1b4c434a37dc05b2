"""The parts of a form, read within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import TYPE_CHECKING, cast

from aiohttp import BodyPartReader, MultipartReader
from multidict import CIMultiDict, CIMultiDictProxy

from fine_tuning_async.server.answers import Problem, bad_request
from fine_tuning_async.server.wellformed import storable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aiohttp import StreamReader, web

_OVERHEAD = 64 * 1024
"""Bytes that boundaries, headers, small fields may add to a file."""

_MOST_PARTS = 100
_DISPOSITION = "Content-Disposition"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form, to be read before the next one is asked for.

    Attributes:
        content: Where to read it from.
        name: The field's name; None if it has none.
        filename: The name of a file, which is kept and shown, and never opened.
    """

    content: BodyPartReader
    name: str | None
    filename: str | None


def check_length(request: web.Request, most: int) -> None:
    """Refuse a form whose file must have more than so many bytes, before any of it is read."""
    if (request.content_length or 0) > most + _OVERHEAD:
        raise too_large(most)


async def parts_of(request: web.Request, most: int) -> AsyncGenerator[Part]:
    """Yield the parts of a form whose file may have so many bytes; what else is sent counts too.

    Raises:
        Problem: The body is no form, or too large.
    """
    if request.content_type != "multipart/form-data":
        raise bad_request("An upload must be sent as multipart/form-data.")
    reader, count = _Form(request.headers, cast("StreamReader", _Bounded(request.content, most))), 0
    while (part := await reader.next()) is not None:
        assert isinstance(part, BodyPartReader)
        count += 1
        if count > _MOST_PARTS:
            raise bad_request(f"A form may have {_MOST_PARTS} parts at most.")
        yield Part(part, *reader.disposition)


def too_large(most: int) -> Problem:
    """Return the refusal of a body over `most` bytes."""
    return Problem(413, f"Maximum content size limit ({most} bytes) exceeded.", code="request_too_large")


class _Bounded:
    """A body that is refused as soon as too much of it has arrived, whatever the reader makes of it."""

    def __init__(self, content: StreamReader, most: int) -> None:
        self._content = content
        self._most = most

    async def read(self, size: int = -1) -> bytes:
        return self._checked(await self._content.read(size))

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        return self._checked(await self._content.readline(max_line_length=max_line_length))

    def unread_data(self, data: bytes) -> None:
        self._content.unread_data(data)

    def at_eof(self) -> bool:
        return self._content.at_eof()

    def _checked(self, data: bytes) -> bytes:
        if self._content.total_bytes > self._most + _OVERHEAD:
            raise too_large(self._most)
        return data


class _Form(MultipartReader):
    """Reads the names of parts itself: aiohttp warns of odd ones, in the middle of somebody's tests."""

    disposition: tuple[str | None, str | None] = (None, None)

    async def fetch_next_part(self) -> BodyPartReader:
        part = await super().fetch_next_part()
        if not isinstance(part, BodyPartReader):
            raise bad_request("A part of a form must not be a form itself.")
        self.disposition = _disposition(part.headers.get(_DISPOSITION, ""))
        headers = CIMultiDict(part.headers)
        headers.popall(_DISPOSITION, None)
        part.headers = CIMultiDictProxy(headers)
        return part


def _disposition(header: str) -> tuple[str | None, str | None]:
    """Return the field's name and the file's, of a Content-Disposition header (RFC 6266, RFC 2231)."""
    message = Message()
    # Clients send names in UTF-8 as they are.
    message[_DISPOSITION] = header.encode(errors="surrogateescape").decode(errors="replace")
    name = message.get_param("name", None, _DISPOSITION)
    filename = message.get_filename()
    return None if name is None else storable(collapse_rfc2231_value(name)), filename and storable(filename)
