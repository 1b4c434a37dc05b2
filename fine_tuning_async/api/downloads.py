"""The contents of files on their way back: to a file, as a stream, as figures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fine_tuning_async import _downloads, models
from fine_tuning_async._urls import segment
from fine_tuning_async._wire import Request
from fine_tuning_async.errors import ClientStateError, ResponseFormatError

from . import _destination, _results
from ._base import FILES, BaseAPI, check_progress, job_path, segment_given

if TYPE_CHECKING:
    import os

    from fine_tuning_async._downloads import Download
    from fine_tuning_async.models import FineTuningJob, TrainingStep

__all__ = ["DownloadProgress", "DownloadsAPI"]

DownloadProgress: TypeAlias = Callable[[int, int | None], object]

# Bytes. A result file has some fifty for each step.
MAX_RESULTS = 64 * 2**20
HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}


class DownloadsAPI(BaseAPI):
    """The operations on contents."""

    def stream_file(self, file_id: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Return the content of a file as a stream (operationId downloadFile).

        Use it as `async with client.stream_file(file_id) as chunks:`, and iterate over the chunks, which are of
        any size. The request is sent on entering. A stream that breaks goes on where it broke, if the server can
        continue, or vouches for the content being the same.

        Args:
            file_id: The file.

        Raises:
            InvalidArgumentError: The id cannot be one.
            APIError: The server refused; raised on entering.
            ConnectionFailed: The stream broke, and could not be continued.
            ResponseFormatError: The content changed while it was read, or the answer is no file.
        """
        return _Stream(self._download(file_id, rewinds=False))

    async def download_file(
        self, file_id: str, destination: str | os.PathLike[str], *, progress: DownloadProgress | None = None
    ) -> Path:
        """Download the content of a file (operationId downloadFile), in constant memory.

        It is written under a temporary name beside the destination, off the event loop, and gets its final name
        when it is whole: what was there before is replaced at once. A download that breaks goes on where it
        broke, if the server can continue, and begins again otherwise.

        Args:
            file_id: The file.
            destination: The path of the file to write, in a directory that exists.
            progress: Called with the bytes received so far, and the size of the file or None if the server does
                not say; it falls back if the download begins again. What it raises ends the download, and comes
                out as it is.

        Returns:
            The path of the destination.

        Raises:
            InvalidArgumentError: The destination cannot be written; nothing has been sent.
            DestinationError: The disk is full, or the file cannot be given its name.
            APIError: The server refused.
            ConnectionFailed: The download broke, and could not be continued.
            ResponseFormatError: The answer is no file.
        """
        check_progress(progress)
        download, file = self._download(file_id, rewinds=True), _destination.Destination(destination)
        try:
            await file.open()
            while chunk := await download.read():
                await file.write(download.received - len(chunk), chunk)
                if progress is not None:
                    progress(download.received, download.total)
            await file.finish(download.received)
        except BaseException:
            download.close()
            await file.discard()
            raise
        return Path(destination)

    async def training_metrics(self, job: FineTuningJob | str) -> list[TrainingStep]:
        """Return the figures of a job's training, read from its result files, in their order.

        A job without result files gives an empty list; on most servers only jobs that succeeded have some.

        Args:
            job: The job, or its id. It is retrieved if it is given by its id, or shows no result files.

        Raises:
            InvalidArgumentError: The id cannot be one.
            APIError: The server refused; a result file may have been deleted.
            ResponseFormatError: A result file is none.
        """
        if not isinstance(job, models.FineTuningJob) or not job.result_files:
            job_id = job.id if isinstance(job, models.FineTuningJob) else job
            job = await self._fetch(Request(method="GET", path=job_path(job_id)), models.FineTuningJob)
        steps: list[TrainingStep] = []
        for file_id in job.result_files or []:
            content = await self._content(file_id)
            steps += await asyncio.to_thread(_results.training_steps, content, file_id)
        return steps

    async def _content(self, file_id: str) -> bytes:
        segment_given(file_id, "result file")
        content = await self._held(file_id, MAX_RESULTS)
        if content is None:
            raise ResponseFormatError(f"{file_id} is larger than {MAX_RESULTS // 2**20} MiB: no result file")
        return content

    async def _held(self, file_id: str, most: int) -> bytes | None:
        """Return the content of a file in memory; None if it has more than so many bytes."""
        content = bytearray()
        download = self._download(file_id, rewinds=True)
        try:
            while chunk := await download.read():
                del content[download.received - len(chunk) :]
                content += chunk
                if len(content) > most:
                    return None
        finally:
            download.close()
        return bytes(content[: download.received])

    def _download(self, file_id: str, *, rewinds: bool) -> Download:
        path = f"{FILES}/{segment(file_id, 'file_id')}/content"
        request = Request(method="GET", path=path, headers=HEADERS)
        return _downloads.Download(pipeline=self._pipeline, request=request, rewinds=rewinds)


class _Stream(AbstractAsyncContextManager[AsyncIterator[bytes]], AsyncIterator[bytes]):
    """A download that is read as it comes.

    No generator: one that is left in the middle would keep its connection until it is collected.
    """

    def __init__(self, download: Download) -> None:
        self._download = download
        self._is_open: bool | None = None  # None: not yet

    async def __aenter__(self) -> AsyncIterator[bytes]:
        if self._is_open is not None:
            raise ClientStateError("the stream has been used; call stream_file again for another")
        self._is_open = True
        await self._download.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_open = False
        self._download.close()

    async def __anext__(self) -> bytes:
        if not self._is_open:
            raise ClientStateError("the stream is closed; read it within its `async with`")
        if chunk := await self._download.read():
            return chunk
        raise StopAsyncIteration
