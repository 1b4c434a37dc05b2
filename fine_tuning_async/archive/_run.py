"""One run: walks the list of jobs, and fetches what is new or was not finished."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from fine_tuning_async.errors import FineTuningError, NotFoundError

from ._book import Item
from ._entry import note_of, size_of, text_of
from ._misses import Misses
from ._progress import Tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fine_tuning_async.client import FineTuningClient

    from ._desk import Desk
    from ._entry import Entry
    from ._progress import ArchiveProgress
    from ._source import Source

__all__ = ["Run"]

SMALL = 2**18
"""Bytes that are held in memory: result files are smaller, and the disk is asked once instead of four times."""


class Run:
    """What one call of `archive_account` does.

    Two times as many things are worked on as requests may be under way, so that the disk does not keep the wire
    waiting. What is to be done next is asked of the database, so that memory does not grow with the account.

    Args:
        client: What downloads are made through.
        source: What all else is read from.
        admin: What permissions are read from.
        desk: Where all of it is written.
        concurrency: How many requests at once.
        progress: Called whenever something was fetched.
    """

    def __init__(
        self,
        client: FineTuningClient,
        source: Source,
        admin: Source,
        desk: Desk,
        *,
        concurrency: int,
        progress: Callable[[ArchiveProgress], object] | None,
    ) -> None:
        self._client = client
        self._source = source
        self._admin = admin
        self._desk = desk
        self._concurrency = concurrency
        self._progress = progress
        self._clock = asyncio.get_running_loop().time
        self._slots = asyncio.Semaphore(concurrency)
        self._room = asyncio.Semaphore(2 * concurrency)
        self._changed = asyncio.Event()
        self._files_listed = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._misses = Misses()
        self.tally: Tally = Tally(self._clock())

    async def make(self) -> None:
        """Make the run.

        Raises:
            FineTuningError: It cannot go on.
        """
        desk, book = self._desk, self._desk.book
        lacking = desk.contents.lacking
        await desk.do(lambda: book.want(lacking(book.stored())))
        self.tally.add(await desk.do(book.begin, self._source.base_url, time.time()))
        failure: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                if "file" in desk.kinds:
                    group.create_task(self._list_files())
                group.create_task(self._list_models())
                group.create_task(self._list_jobs())
                await self._dispatch(group)
        except BaseExceptionGroup as failures:
            failure = _first(failures)
        if failure is not None:  # here, so that it does not trail the group
            raise failure
        await desk.do(book.end, time.time())

    # -- lists ---------------------------------------------------------------------------------------------------

    async def _list_jobs(self) -> None:
        """Walk the list, which is short beside what it leads to, well ahead of it."""
        desk, tally = self._desk, self.tally
        async with self._slots, aclosing(self._source.jobs().pages()) as pages:
            async for page in pages:
                notes = [note_of(each) for each in page.data]
                tally.add(await desk.do(desk.book.note_jobs, notes))
                tally.listed += len(notes)
                tally.pages += 1
                self._tell()
        tally.listing = False
        self._tell()

    async def _list_files(self) -> None:
        """Have the descriptions of all files in a few requests; where there is no list, each is asked for."""
        try:
            async with self._slots, aclosing(self._source.files().pages()) as pages:
                async for page in pages:
                    self.tally.pages += 1
                    await self._desk.do(self._desk.book.note_listed, page.data)
        except FineTuningError as failure:
            self._misses.weigh(failure)
        finally:
            self._files_listed.set()

    async def _list_models(self) -> None:
        try:
            async with self._slots:
                models = await self._source.models().collect()
            self.tally.pages += 1
            await self._desk.do(self._desk.book.note_models, models)
        except FineTuningError as failure:
            await self._miss(Item("models", ""), failure)

    # -- items ---------------------------------------------------------------------------------------------------

    async def _dispatch(self, group: asyncio.TaskGroup) -> None:
        """Begin what is to be done, as far as there is room, until nothing can come any more."""
        while True:
            self._changed.clear()
            ends = not self.tally.listing and not self._running
            items = await self._desk.do(self._desk.book.take, self._concurrency)
            for item in items:
                await self._room.acquire()
                task = group.create_task(self._work(item))
                self._running.add(task)
                task.add_done_callback(self._worked)
            if not items:
                if ends:
                    return
                await self._changed.wait()

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._room.release()
        self._changed.set()

    async def _work(self, item: Item) -> None:
        if item.kind != "permissions" or not self._misses.are_denied:
            await self._fetch(item)
        self.tally.done[item.kind] += 1
        self._tell()

    async def _fetch(self, item: Item) -> None:
        fetch = {"job": self._fetch_job, "file": self._fetch_file, "permissions": self._fetch_permissions}
        try:
            await fetch[item.kind](item.id)
        except FineTuningError as failure:
            await self._miss(item, failure)
        else:
            self._misses.forgive()
            self.tally.fetched[item.kind] += 1

    async def _fetch_job(self, job_id: str) -> None:
        async with self._slots:
            events = await self._source.events(job_id).collect()
        checkpoints = await self._checkpoints(job_id)
        book = self._desk.book
        found = await self._desk.do(book.keep_job, job_id, events, checkpoints, time.time())
        self.tally.add({"permissions": found})

    async def _checkpoints(self, job_id: str) -> list[Entry]:
        self.tally.begun += 1
        try:
            async with self._slots:
                return await self._source.checkpoints(job_id).collect()
        except NotFoundError:
            return []  # the job is there, as its events were: such a server has no checkpoints
        finally:
            self.tally.begun -= 1

    async def _fetch_file(self, file_id: str) -> None:
        desk = self._desk
        await self._files_listed.wait()
        document = await desk.do(desk.book.listed, file_id)
        async with self._slots:
            if document is None:
                document = text_of(await self._source.file(file_id))
            content = await self._content(file_id, document)
        sha256, size = await desk.keep(content)
        await desk.do(desk.book.keep_file, file_id, document, sha256, size)

    async def _content(self, file_id: str, document: str) -> bytes | Path:
        """Fetch a content: into memory if it is small, and into a file if it is not."""
        if size_of(document) <= SMALL:
            content = await self._source.content(file_id, SMALL)
            if content is not None:
                self.tally.size += len(content)
                return content
        partial = self._desk.contents.partial()
        await self._download(file_id, partial)
        return partial

    async def _download(self, file_id: str, partial: Path) -> None:
        before = 0

        def count(received: int, _: int | None) -> None:
            nonlocal before
            self.tally.size += received - before
            before = received
            self._tell()

        await self._client.download_file(file_id, partial, progress=count)

    async def _fetch_permissions(self, checkpoint: str) -> None:
        async with self._slots:
            permissions = await self._admin.permissions(checkpoint).collect()
        await self._desk.do(self._desk.book.keep_permissions, checkpoint, permissions)

    async def _miss(self, item: Item, failure: FineTuningError) -> None:
        """Note what could not be had, unless the run had better end."""
        gap = self._misses.gap(item, failure)
        if gap is not None:
            await self._desk.do(self._desk.book.note_gap, gap)
            self.tally.gaps += 1

    def _tell(self) -> None:
        self._changed.set()
        if self._progress is not None:
            self._progress(self.tally.progress(self._clock()))


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first: BaseException = failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
