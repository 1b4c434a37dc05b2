"""Files: what jobs train on."""

from __future__ import annotations

from contextlib import aclosing
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING
from uuid import uuid4

from fine_tuning_async._wire import Body, Request, multipart
from fine_tuning_async.errors import InvalidArgumentError
from fine_tuning_async.models import File
from fine_tuning_async.models._limits import Text, Whole, require

from ._base import BaseAPI
from ._source import open_source

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ._source import Progress, Source, UploadSource

__all__ = ["FilesAPI"]

FILES = "/files"
PURPOSE = Text(1, 64)
EXPIRY = Whole(3_600, 2_592_000, auto=False)  # schema FileExpirationAfter, in seconds


class FilesAPI(BaseAPI):
    """The operations on `/files`."""

    async def upload_file(
        self,
        source: UploadSource,
        *,
        purpose: str = "fine-tune",
        filename: str | None = None,
        expires_after: int | None = None,
        progress: Progress | None = None,
    ) -> File:
        """Upload a file (operationId createFile), streamed.

        The file is read off the event loop, and anew for each attempt. An upload whose answer was lost is sent
        again, which may leave a spare file on the server.

        Args:
            source: A path, bytes, or a seekable file opened in binary mode, which is read from where it stands and
                is not closed.
            purpose: What the file is for.
            filename: The name on the server; that of the source if left out.
            expires_after: Seconds after which the server deletes the file, 3600 to 2592000.
            progress: Called with the bytes sent so far and the size of the file; from 0 again if it is sent again.
                What it raises ends the upload, and comes out as it is.

        Raises:
            SourceNotFoundError: The path does not exist.
            InvalidArgumentError: The source cannot be read, or a value is out of range.
            APIError: The server refused.
        """
        fields = _form(purpose, expires_after)
        if iscoroutinefunction(progress):
            raise InvalidArgumentError(
                "progress is a coroutine function; it must be a plain one: it is not awaited"
            )
        content = await open_source(source, filename)
        body = _body(fields, content, progress)
        return await self._fetch(Request(method="POST", path=FILES, body=body), File)


def _form(purpose: str, expires_after: int | None) -> list[tuple[str, str]]:
    require(PURPOSE, purpose, "purpose")
    fields = [("purpose", purpose)]
    if expires_after is not None:
        require(EXPIRY, expires_after, "expires_after")
        fields += [("expires_after[anchor]", "created_at"), ("expires_after[seconds]", str(expires_after))]
    return fields


def _body(fields: list[tuple[str, str]], source: Source, progress: Progress | None) -> Body:
    content_type, head, tail = multipart(fields, source.filename, uuid4().hex)

    async def chunks() -> AsyncGenerator[bytes]:
        yield head
        sent = 0
        async with aclosing(source.chunks()) as content:
            async for chunk in content:
                yield chunk
                sent += len(chunk)
                if progress is not None:
                    progress(sent, source.size)
        yield tail

    return Body(content_type, len(head) + source.size + len(tail), chunks)
