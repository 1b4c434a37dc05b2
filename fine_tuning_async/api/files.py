"""Files: what jobs train on."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from fine_tuning_async import models
from fine_tuning_async._urls import segment
from fine_tuning_async._wire import Request

from . import _allowed, _form, _source, _spool
from ._base import FILES, check_progress
from .uploads import UploadsAPI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fine_tuning_async.models import Deletion, File
    from fine_tuning_async.pagination import Paginator

    from ._source import Progress, Source, UploadSource

__all__ = ["FilesAPI"]


class FilesAPI(UploadsAPI):
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

        Content over 512 MB (512,000,000 bytes), and that of an async iterator, is sent in parts of 64 MB, four at
        once, each sent again by itself if it fails (operationIds createUpload, addUploadPart, completeUpload). If
        that fails for good, or is cancelled, the upload is cancelled on the server too (operationId cancelUpload),
        which may take ten seconds more. A server that has no such operations gets a plain upload instead.

        The content is read off the event loop, and anew for each attempt. The server wants to know the size before
        all else: what an iterator gives is gathered in a temporary file first. What was sent and whose answer was
        lost is sent again, which may leave a spare file on the server, but not if it was sent in parts.

        Args:
            source: A path, bytes, a seekable file opened in binary mode, which is read from where it stands and is
                not closed, or an async iterator of bytes, which is used up.
            purpose: What the file is for.
            filename: The name on the server; that of the source if left out.
            expires_after: Seconds after which the server deletes the file, 3600 to 2592000.
            progress: Called with the bytes sent so far and the size of the file, which is known by then. A plain
                upload that is sent again begins from 0; in parts the number never falls, and stands still while
                a part is sent again. What it raises ends the upload, and comes out as it is.

        Raises:
            SourceNotFoundError: The path does not exist.
            InvalidArgumentError: The source cannot be read, or a value is out of range.
            APIError: The server refused.
        """
        fields = _fields(purpose, expires_after)
        if filename is not None:
            _allowed.require(_allowed.FILENAME, filename, "filename")
        check_progress(progress)
        async with _opened(source, filename, self._limits.whole) as content:
            if content.spooled or content.size > self._limits.plain:
                file = await self._upload_in_parts(content, purpose, expires_after, progress)
                if file is not None:
                    return file
            report = None if progress is None else lambda sent: progress(sent, content.size)
            body = _form.form(fields, content, report)
            return await self._fetch(Request(method="POST", path=FILES, body=body), models.File)

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
        checks = (
            ("purpose", _allowed.PURPOSE, purpose),
            ("order", _allowed.FILES_ORDER, order),
            ("limit", _allowed.FILES_PAGE, limit),
        )
        for name, bounds, value in checks:
            if value is not None:
                _allowed.require(bounds, value, name)
        query = {name: value for name, value in (("purpose", purpose), ("order", order)) if value is not None}
        return self._list(
            FILES, models.File, query=query, after=after, limit=limit, max_items=max_items, paged=self._pages_files
        )

    async def retrieve_file(self, file_id: str) -> File:
        """Return what the server knows about a file, without its content (operationId retrieveFile).

        Raises:
            NotFoundError: There is no such file.
        """
        return await self._fetch(Request(method="GET", path=_path(file_id)), models.File)

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


def _fields(purpose: str, expires_after: int | None) -> list[tuple[str, str]]:
    _allowed.require(_allowed.PURPOSE, purpose, "purpose")
    fields = [("purpose", purpose)]
    if expires_after is not None:
        _allowed.require(_allowed.EXPIRY, expires_after, "expires_after")
        fields += [("expires_after[anchor]", "created_at"), ("expires_after[seconds]", str(expires_after))]
    return fields


@asynccontextmanager
async def _opened(source: UploadSource, filename: str | None, most: int) -> AsyncIterator[Source]:
    if isinstance(source, AsyncIterable):
        async with _spool.spooled(source, filename, most) as content:
            yield content
    else:
        yield await _source.open_source(source, filename)
