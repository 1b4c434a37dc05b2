"""Checkpoints of fine-tuning jobs, with the permissions to use them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Literal

from fine_tuning_async import models, pagination
from fine_tuning_async._urls import segment
from fine_tuning_async._wire import Replay, Request
from fine_tuning_async.errors import FineTuningError, InvalidArgumentError
from fine_tuning_async.retry import is_ambiguous

from . import _allowed
from ._base import BaseAPI, job_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fine_tuning_async.models import CheckpointPermission, Deletion, JobCheckpoint
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
        return self._list(path, models.JobCheckpoint, query={}, after=after, limit=limit, max_items=max_items)

    async def create_checkpoint_permissions(
        self, checkpoint: str, project_ids: Sequence[str]
    ) -> list[CheckpointPermission]:
        """Let projects use a checkpoint (operationId createFineTuningCheckpointPermission), with an admin key.

        What a server makes of a grant that it knows already is nowhere said, and a second permission would outlive
        the deletion of the first. So it is never blindly sent again: where its answer is lost, the permissions are
        listed, and if every project has one, these are returned.

        Args:
            checkpoint: The name to use it by, `fine_tuned_model_checkpoint`.
            project_ids: The projects, at least one.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            NotFoundError: There is no such checkpoint.
            FineTuningError: Any other; where it may have been done, a note says which projects had no permission
                afterwards.
        """
        path, projects = _path(checkpoint), _checked(project_ids)
        request = Request(method="POST", path=path, json={"project_ids": projects}, replay=Replay.ONCE)
        parse = partial(pagination.parse_page, models.CheckpointPermission)
        deadline = asyncio.get_running_loop().time() + self._pipeline.timeout
        try:
            page = await self._pipeline.call(request, parse, deadline=deadline)
        except FineTuningError as failure:
            if not is_ambiguous(failure):
                raise
            return await self._granted(checkpoint, projects, failure, deadline)
        return page.data

    async def _granted(
        self, checkpoint: str, projects: list[str], failure: FineTuningError, deadline: float
    ) -> list[CheckpointPermission]:
        """Return the permissions that these projects have, or raise the failure if one has none."""
        try:
            async with asyncio.timeout_at(deadline):
                newest_first = await self.list_checkpoint_permissions(checkpoint).collect()
        except (FineTuningError, TimeoutError) as error:
            failure.add_note(f"Listing the permissions afterwards failed too: {str(error) or 'time ran out'}")
            raise failure from failure.__cause__
        found = {each.project_id: each for each in reversed(newest_first)}
        missing = [project for project in projects if project not in found]
        if not missing:
            return [found[project] for project in projects]
        failure.add_note(f"The permissions were listed afterwards; there was none for {', '.join(missing)}.")
        raise failure

    def list_checkpoint_permissions(
        self,
        checkpoint: str,
        *,
        project_id: str | None = None,
        after: str | None = None,
        limit: int | None = None,
        order: Literal["ascending", "descending"] | None = None,
        max_items: int | None = None,
    ) -> Paginator[CheckpointPermission]:
        """Return who may use a checkpoint (operationId listFineTuningCheckpointPermissions), with an admin key.

        Args:
            checkpoint: The name to use it by, `fine_tuned_model_checkpoint`.
            project_id: Only the permissions of this project.
            after: The id of the permission after which to go on.
            limit: The size of a page; the server's default is 10.
            order: `descending`, the server's default, for the newest first; `ascending` for the oldest.
            max_items: How many permissions at most.

        Raises:
            InvalidArgumentError: An argument is out of range.
        """
        query: dict[str, str] = {}
        if project_id is not None:
            _allowed.require(_allowed.PROJECT, project_id, "project_id")
            query["project_id"] = project_id
        if order is not None:
            _allowed.require(_allowed.PERMISSIONS_ORDER, order, "order")
            query["order"] = order
        path = _path(checkpoint)
        return self._list(
            path, models.CheckpointPermission, query=query, after=after, limit=limit, max_items=max_items
        )

    async def delete_checkpoint_permission(self, checkpoint: str, permission_id: str) -> Deletion:
        """Take back a permission (operationId deleteFineTuningCheckpointPermission), with an admin key.

        It is sent again after any failure that may pass; where it was perhaps done before, not to find the
        permission is a success.

        Raises:
            NotFoundError: There is no such permission.
        """
        path = f"{_path(checkpoint)}/{segment(permission_id, 'permission_id')}"
        return await self._delete(path, permission_id)


def _path(checkpoint: str) -> str:
    return f"/fine_tuning/checkpoints/{segment(checkpoint, 'checkpoint', slash=True)}/permissions"


def _checked(project_ids: Sequence[str]) -> list[str]:
    # A string is a sequence of strings too, and would be sent as projects of one letter each.
    if not isinstance(project_ids, list | tuple) or not project_ids:
        raise InvalidArgumentError(
            f"project_ids is {project_ids!r}; it must be a list of project ids, with at least one"
        )
    for index, each in enumerate(project_ids):
        _allowed.require(_allowed.PROJECT, each, f"project_ids[{index}]")
    return list(dict.fromkeys(project_ids))
