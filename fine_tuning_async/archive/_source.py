"""The lists of the API as an archive reads them: in the largest pages, whatever the items look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async._urls import segment
from fine_tuning_async._wire import Request
from fine_tuning_async.api._base import JOBS, job_path
from fine_tuning_async.api.downloads import DownloadsAPI

from ._entry import Entry

if TYPE_CHECKING:
    from fine_tuning_async.client import FineTuningClient
    from fine_tuning_async.pagination import Paginator

__all__ = ["Source"]

PAGE = 100  # the most that OpenAI gives at once
PAGE_OF_FILES = 10_000  # operationId listFiles
CHECKPOINTS = "/fine_tuning/checkpoints"


class Source(DownloadsAPI):
    """An account, read through a client's pipeline: its key, its retries, its budget."""

    def __init__(self, client: FineTuningClient) -> None:
        self._pipeline = client._pipeline  # noqa: SLF001 - the client's methods would refuse what no model fits
        self._pages_files = client._pages_files  # noqa: SLF001 - as above

    @property
    def base_url(self) -> str:
        """Where the account is."""
        return self._pipeline.base_url

    def jobs(self) -> Paginator[Entry]:
        """Return all jobs, newest first."""
        return self._all(JOBS)

    def events(self, job_id: str) -> Paginator[Entry]:
        """Return the events of a job, newest first."""
        return self._all(f"{job_path(job_id)}/events")

    def checkpoints(self, job_id: str) -> Paginator[Entry]:
        """Return the checkpoints of a job, newest first."""
        return self._all(f"{job_path(job_id)}/checkpoints")

    def permissions(self, checkpoint: str) -> Paginator[Entry]:
        """Return who may use a checkpoint, newest first."""
        return self._all(f"{CHECKPOINTS}/{segment(checkpoint, 'checkpoint', slash=True)}/permissions")

    def files(self) -> Paginator[Entry]:
        """Return all files, newest first."""
        return self._all("/files", limit=PAGE_OF_FILES, paged=self._pages_files)

    def models(self) -> Paginator[Entry]:
        """Return all models."""
        return self._all("/models", limit=None, paged=False)

    async def file(self, file_id: str) -> Entry:
        """Return what the server knows about a file."""
        return await self._fetch(Request(method="GET", path=f"/files/{segment(file_id, 'file_id')}"), Entry)

    async def content(self, file_id: str, most: int) -> bytes | None:
        """Return the content of a file; None if it has more than so many bytes."""
        return await self._held(file_id, most)

    def _all(self, path: str, *, limit: int | None = PAGE, paged: bool = True) -> Paginator[Entry]:
        return self._list(path, Entry, query={}, after=None, limit=limit, max_items=None, paged=paged)
