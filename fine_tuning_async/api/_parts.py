"""One upload in parts, from its creation on the server to the file that it becomes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from fine_tuning_async._document import encode
from fine_tuning_async._wire import Body, Replay, Request
from fine_tuning_async.errors import APIError, FineTuningError, ResponseFormatError
from fine_tuning_async.models import File, Upload, UploadPart
from fine_tuning_async.retry import is_ambiguous

from ._base import FILES, UPLOADS, BaseAPI, segment_given
from ._form import form

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from fine_tuning_async._pipeline import Pipeline

    from ._source import Progress, Source
    from .uploads import Limits

__all__ = ["PartedUpload"]

PATIENCE = 10.0
"""Seconds in which an upload that failed is cancelled on the server."""
ENDED = frozenset({400, 404, 409})
"""What a server may answer to a cancel of what is not pending any more."""
GAPS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each look for a file that the server may still be putting together."""
PAGE = 100

T = TypeVar("T")


class PartedUpload(BaseAPI):
    """Fills an upload that was created on the server, completes it, and cancels it there if that fails."""

    def __init__(
        self, pipeline: Pipeline, upload: Upload, content: Source, limits: Limits, progress: Progress | None
    ) -> None:
        self._pipeline = pipeline
        self._upload = upload
        self._content = content
        self._limits = limits
        self._progress = progress
        self._path = f"{UPLOADS}/{segment_given(upload.id, 'upload_id')}"
        self._starts = range(0, content.size, limits.part)
        self._sent = [0] * len(self._starts)
        self._shown = 0
        self._in_doubt = False

    async def run(self) -> File:
        """Return the file.

        Raises:
            FineTuningError: It failed; the upload was then cancelled on the server, or a note says why not.
        """
        try:
            return await self._complete(await self._send_all())
        except (Exception, asyncio.CancelledError) as failure:
            refusal = await _to_its_end(asyncio.create_task(self._cancel(failure)))
            if refusal is None or not self._in_doubt or not isinstance(failure, FineTuningError):
                raise
            # What cannot be cancelled any more has been completed.
            ended = isinstance(refusal, APIError) and refusal.status in ENDED
            found = await self._look_for(failure) if ended else None
            if found is None:
                name = self._upload.filename
                failure.add_note(f"The upload may have been completed: look for {name!r} with list_files().")
                raise
            return found

    # -- the parts -----------------------------------------------------------------------------------------------

    async def _send_all(self) -> list[str]:
        """Send every part, some at once; return their ids in order."""
        part_ids = [""] * len(self._starts)
        waiting = iter(range(len(self._starts)))
        failure: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._limits.in_flight, len(self._starts))):
                    group.create_task(self._send_next(waiting, part_ids))
        except BaseExceptionGroup as failures:
            failure = failures.exceptions[0]
        try:
            if failure is not None:
                raise failure  # out here, so that the group is no context of it
        finally:
            del failure  # its traceback holds this frame
        if len(set(part_ids)) < len(part_ids):
            raise ResponseFormatError(f"POST {self._path}/parts: the server gave several parts one id")
        return part_ids

    async def _send_next(self, waiting: Iterator[int], part_ids: list[str]) -> None:
        for number in waiting:
            start = self._starts[number]
            content = self._content.part(start, min(self._limits.part, self._content.size - start))
            body = form((), content, partial(self._report, number), name="data")
            request = Request(method="POST", path=f"{self._path}/parts", body=body)
            part_ids[number] = (await self._fetch(request, UploadPart)).id

    def _report(self, number: int, sent: int) -> None:
        """Tell of what was sent; while a part is sent again, nothing is told that was told before."""
        self._sent[number] = sent
        reached = sum(self._sent)
        if reached > self._shown:
            self._shown = reached
            if self._progress is not None:
                self._progress(reached, self._content.size)

    # -- the end -------------------------------------------------------------------------------------------------

    async def _complete(self, part_ids: list[str]) -> File:
        """Complete the upload; where the answer is lost, ask again, which is refused if it was done before."""
        document = encode({"part_ids": part_ids})

        async def chunks() -> AsyncGenerator[bytes]:
            yield document

        # A body, for its patience: to put gigabytes together may take longer than other calls may.
        body = Body("application/json", len(document), chunks)
        request = Request(method="POST", path=f"{self._path}/complete", body=body, replay=Replay.ONCE)
        try:
            completed = await self._fetch(request, Upload)
        except FineTuningError as failure:
            self._in_doubt = is_ambiguous(failure)
            delay = self._pipeline.wait_after(failure, 1, self._pipeline.timeout) if self._in_doubt else None
            if delay is None:
                raise
            await asyncio.sleep(delay)
            completed = await self._fetch(evolve(request, replay=Replay.SAFE), Upload)
        if completed.file is None:
            self._in_doubt = True
            raise ResponseFormatError(f"{request}: the upload is {completed.status}, but the answer names no file")
        return self._whole(completed.file)

    def _whole(self, file: File) -> File:
        """Return the file, if it has the size of the content as far as the server says."""
        if file.bytes in {None, self._content.size}:
            return file
        raise ResponseFormatError(
            f"POST {self._path}/complete: {self._content.size} bytes were sent, but the file {file.id} has "
            f"{file.bytes}: delete it, and upload again"
        )

    async def _cancel(self, failure: BaseException) -> Exception | None:
        """Cancel the upload on the server; return why that was not possible."""
        request = Request(method="POST", path=f"{self._path}/cancel")
        until = asyncio.get_running_loop().time() + min(PATIENCE, self._pipeline.timeout)
        try:
            await self._fetch(request, Upload, deadline=until)
        except Exception as error:  # noqa: BLE001 - what led here is raised, whatever else goes wrong
            failure.add_note(f"The upload {self._upload.id} could not be cancelled: {error}")
            return error
        return None

    async def _look_for(self, failure: FineTuningError) -> File | None:
        """Return the file that the upload has become, if there is one only that it can be."""
        try:
            for gap in GAPS:
                await asyncio.sleep(gap)
                if found := await self._alike():
                    break
        except FineTuningError as error:
            failure.add_note(f"A look at the files failed too: {error}")
            return None
        if len(found) > 1:
            failure.add_note(f"It may be any of these files: {', '.join(each.id for each in found)}.")
        return found[0] if len(found) == 1 else None

    async def _alike(self) -> list[File]:
        """Return the files with the upload's name and size that are no older than it, by the server's clock."""
        upload, found = self._upload, []
        query = {"purpose": upload.purpose, "order": "desc"}
        files = self._list(FILES, File, query=query, after=None, limit=PAGE, max_items=None)
        async with aclosing(files.pages()) as pages:
            async for page in pages:
                young = [each for each in page.data if each.created_at >= upload.created_at]
                named = (upload.filename, self._content.size)
                found += [each for each in young if (each.filename, each.bytes) == named]
                if len(young) < len(page.data):
                    break
        return found


async def _to_its_end(task: asyncio.Task[T]) -> T:
    """Wait for a task, which is not cancelled with the caller; the cancellation is passed on when it has ended."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
