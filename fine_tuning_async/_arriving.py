"""An answer whose head is here, and whose body is read as it comes."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from ._delivery import FOREIGN, explained
from ._wire import Response
from .errors import ConnectionFailed, ResponseFormatError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    import aiohttp

__all__ = ["Arriving", "bounded"]

MAX_BODY = 64 * 2**20
MAX_ERROR_BODY = 64 * 2**10
BAD_REQUEST = int(HTTPStatus.BAD_REQUEST)  # an enum is slow to be asked


class Arriving:
    """An answer on its way; whoever holds it closes it.

    Attributes:
        status: The HTTP status.
        headers: The headers.
    """

    def __init__(
        self,
        answer: aiohttp.ClientResponse,
        session: aiohttp.ClientSession,
        tracker: aiohttp.UploadTracker,
        what: str,
    ) -> None:
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._answer = answer
        self._session = session
        self._tracker = tracker
        self._what = what

    async def read(self, idle: float) -> bytes:
        """Return what has come, at least one byte; nothing at the end of the body.

        Raises:
            ConnectionFailed: The body broke off, or nothing came for `idle` seconds.
        """
        return await self._within(idle, self._answer.content.readany())

    async def excerpt(self, idle: float) -> bytes:
        """Return the body of an error, cut where it grows too large.

        Raises:
            ConnectionFailed: The body broke off, or was not there within `idle` seconds.
        """
        return await self._within(idle, bounded(self._answer))

    def close(self) -> None:
        """Give the connection back if the body has come to its end, else close it."""
        self._answer.release()

    async def _within(self, idle: float, reading: Coroutine[object, object, bytes]) -> bytes:
        try:
            async with asyncio.timeout(idle):
                return await reading
        except FOREIGN as error:
            failure, cause = explained(error, self._what, self._tracker, closed=self._session.closed)
            if isinstance(error, TimeoutError):
                failure = ConnectionFailed(f"{self._what}: the answer fell silent for {idle:g} s", sent=True)
        except asyncio.CancelledError as error:
            # As in the transport: the frames within aiohttp have seen the key.
            raise error.with_traceback(None) from None
        raise failure.with_traceback(None) from cause


def bounded(answer: aiohttp.ClientResponse) -> Coroutine[object, object, bytes]:
    """Return the whole body, or of an error's no more than the limit.

    Raises:
        ResponseFormatError: The body of a success is larger.
    """
    limit = MAX_BODY if answer.status < BAD_REQUEST else MAX_ERROR_BODY
    length = answer.content_length
    if length is not None and length <= limit and "Content-Encoding" not in answer.headers:
        return answer.read()
    return _up_to(limit, answer)


async def _up_to(limit: int, answer: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in answer.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            answer.close()
            break
    await answer.wait_for_close()
    if size > limit and answer.status < BAD_REQUEST:
        raise ResponseFormatError(
            f"the answer is larger than {limit // 2**20} MiB, and was not read to its end: "
            "ask for smaller pages, or for the content of a file with download_file",
            request_id=Response(answer.status, answer.headers, b"").request_id,
        )
    return b"".join(chunks)[:limit]
