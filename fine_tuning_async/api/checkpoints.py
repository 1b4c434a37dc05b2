"""Checkpoints of fine-tuning jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.models import JobCheckpoint

from ._base import BaseAPI, job_path

if TYPE_CHECKING:
    from fine_tuning_async.pagination import Paginator

__all__ = ["CheckpointsAPI"]


class CheckpointsAPI(BaseAPI):
    """The operations on checkpoints."""

    def list_checkpoints(
        self,
        job_id: str,
        *,
        after: str | None = None,
        limit: int | None = None,
        max_items: int | None = None,
    ) -> Paginator[JobCheckpoint]:
        """Return the checkpoints of a job, newest first (operationId listFineTuningJobCheckpoints).

        Args:
            job_id: The job.
            after: The id of the checkpoint after which to go on, towards older ones.
            limit: The size of a page; the server's default is 10.
            max_items: How many checkpoints at most.

        Raises:
            InvalidArgumentError: An argument is out of range.
        """
        path = f"{job_path(job_id)}/checkpoints"
        return self._list(path, JobCheckpoint, query={}, after=after, limit=limit, max_items=max_items)
