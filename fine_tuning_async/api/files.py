"""Files: what jobs train on."""

from __future__ import annotations

from contextlib import aclosing
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from fine_tuning_async._urls import segment
from fine_tuning_async._wire import Body, Request, multipart
from fine_tuning_async.errors import InvalidArgumentError
from fine_tuning_async.models import File
from fine_tuning_async.models._limits import OneOf, Text, Whole, require

from ._base import BaseAPI
from ._source import open_source

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fine_tuning_async.models import Deletion
    from fine_tuning_async.pagination import Paginator

    from ._source import Progress, Source, UploadSource

__all__ = ["FilesAPI"]

FILES = "/files"
PURPOSE = Text(1, 64)
EXPIRY = Whole(3_600, 2_592_000, auto=False)  # schema FileExpirationAfter, in seconds
ORDER = OneOf(("asc", "desc"))  # operationId listFiles
PAGE = Whole(1, 10_000, auto=False)  # as above


class FilesAPI(BaseAPI):
    """The operations on `/files`."""

    # Whether a list of files may go on where the server does not say so.
    _pages_files = True

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

    def list_files(
        self,
        *,
        purpose: str | None = None,
        after: str | None = None,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        max_items: int | None = None,
    ) -> Paginator[File]:
        """Return all files (operationId listFiles), uploaded ones as well as results of jobs.

        Args:
            purpose: Only files for this purpose.
            after: The id of the file after which to go on.
            limit: The size of a page, 1 to 10000, which is also the server's default.
            order: `desc`, the server's default, for the newest first; `asc` for the oldest.
            max_items: How many files at most.

        Raises:
            InvalidArgumentError: An argument is out of range.
        """
        checks = (("purpose", PURPOSE, purpose), ("order", ORDER, order), ("limit", PAGE, limit))
        for name, bounds, value in checks:
            if value is not None:
                require(bounds, value, name)
        query = {name: value for name, value in (("purpose", purpose), ("order", order)) if value is not None}
        return self._list(
            FILES, File, query=query, after=after, limit=limit, max_items=max_items, paged=self._pages_files
        )

    async def retrieve_file(self, file_id: str) -> File:
        """Return what the server knows about a file, without its content (operationId retrieveFile).

        Raises:
            NotFoundError: There is no such file.
        """
        return await self._fetch(Request(method="GET", path=_path(file_id)), File)

    async def delete_file(self, file_id: str) -> Deletion:
        """Delete a file (operationId deleteFile).

        It is sent again after any failure that may pass; where it was perhaps done before, not to find the file
        is a success.

        Raises:
            NotFoundError: There is no such file.
        """
        return await self._delete(_path(file_id), file_id)


def _path(file_id: str) -> str:
    return f"{FILES}/{segment(file_id, 'file_id')}"


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
