"""Fine-tuning jobs, with their events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from fine_tuning_async import models
from fine_tuning_async._wire import Replay, Request
from fine_tuning_async.errors import CreateUncertainError, FineTuningError
from fine_tuning_async.retry import is_ambiguous

from . import _create, _keyed, _marks
from ._base import JOBS, BaseAPI, job_path
from ._metadata import NO_METADATA, NoMetadata, metadata_query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fine_tuning_async.models import FineTuningJob, Integration, JobEvent, Method, SupervisedHyperparameters
    from fine_tuning_async.pagination import Paginator

    from ._base import Coro
    from ._keys import Keys

__all__ = ["NO_METADATA", "JobsAPI", "NoMetadata"]

LARGE_PAGE = 100  # the most that OpenAI gives at once


class JobsAPI(BaseAPI):
    """The operations on `/fine_tuning/jobs`."""

    _keys: Keys

    async def create_job(
        self,
        model: str,
        training_file: str,
        *,
        validation_file: str | None = None,
        method: Method | Mapping[str, object] | None = None,
        suffix: str | None = None,
        seed: int | None = None,
        integrations: Sequence[Integration | Mapping[str, object]] | None = None,
        metadata: Mapping[str, str] | None = None,
        hyperparameters: SupervisedHyperparameters | Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
        extra_body: Mapping[str, object] | None = None,
    ) -> FineTuningJob:
        """Create a job, which costs money once it runs (operationId createFineTuningJob).

        It is sent again only where that is certainly safe. With an `idempotency_key`, a lost answer is looked up
        in the list, and calling again with the same key returns the same job; docs/one-job.md says how.

        Args:
            model: The base model, or a model that was fine-tuned before.
            training_file: The id of an uploaded file.
            validation_file: The id of another.
            method: How to train.
            suffix: 1 to 64 characters that the new model's name will have.
            seed: 0 to 2147483647.
            integrations: At most five.
            metadata: At most 16 pairs, with a key 14; keys of 64 and values of 512 characters.
            hyperparameters: The older way to say how to train.
            idempotency_key: One value for one intent, 1 to 255 printable ASCII characters.
            extra_body: Fields beyond these that your server knows, as they are to be sent.

        Raises:
            CreateUncertainError: Nobody knows whether the server acted: a paid job may exist.
            FineTuningError: Any other: nothing was created.
        """
        body = _create.create_body(
            model=model,
            training_file=training_file,
            validation_file=validation_file,
            method=method,
            suffix=suffix,
            seed=seed,
            integrations=integrations,
            metadata=metadata,
            hyperparameters=hyperparameters,
            extra_body=extra_body,
        )
        return await self._create(body, idempotency_key)

    async def _create(self, body: Mapping[str, object], key: str | None) -> FineTuningJob:
        if key is not None:
            return await self._create_by(key, body)
        try:
            return await self._post_job(body)
        except asyncio.CancelledError as error:
            error.add_note("create_job was cancelled on its way: a paid job may exist; look with list_jobs().")
            raise
        except FineTuningError as failure:
            if not is_ambiguous(failure):
                raise
            raise CreateUncertainError(
                f"a job for {body['training_file']!r} on {body['model']!r} may exist and cost money: {failure}. "
                "Look for it with list_jobs() before creating it again; with an idempotency_key, create_job looks"
            ) from failure

    async def _create_by(self, key: str, plain: Mapping[str, object]) -> FineTuningJob:
        body = _marks.with_key(plain, key)

        def post(until: float) -> Coro[FineTuningJob]:
            return self._post_job(body, headers={_marks.HEADER: key}, until=until)

        create = _keyed.KeyedCreate(
            body=body,
            key=key,
            keys=self._keys,
            post=post,
            search=lambda metadata: self.list_jobs(metadata=metadata, limit=LARGE_PAGE),
            wait_after=self._pipeline.wait_after,
            timeout=self._pipeline.timeout,
        )
        return await create.run()

    def _post_job(
        self, body: Mapping[str, object], *, headers: Mapping[str, str] | None = None, until: float | None = None
    ) -> Coro[FineTuningJob]:
        request = Request(method="POST", path=JOBS, json=body, headers=headers or {}, replay=Replay.ONCE)
        return self._fetch(request, models.FineTuningJob, deadline=until)

    def list_jobs(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        metadata: Mapping[str, str] | Literal[NoMetadata.NO_METADATA] | None = None,
        max_items: int | None = None,
    ) -> Paginator[FineTuningJob]:
        """Return all jobs, newest first (operationId listPaginatedFineTuningJobs).

        Args:
            after: The id of the job after which to go on.
            limit: The size of a page; the server's default is 20.
            metadata: Only jobs with these pairs; NO_METADATA for those without any.
            max_items: How many jobs at most.

        Raises:
            InvalidArgumentError: An argument is out of range.
        """
        return self._list(
            JOBS,
            models.FineTuningJob,
            query=metadata_query(metadata),
            after=after,
            limit=limit,
            max_items=max_items,
        )

    async def retrieve_job(self, job_id: str) -> FineTuningJob:
        """Return a job (operationId retrieveFineTuningJob).

        Raises:
            NotFoundError: There is no such job.
        """
        return await self._fetch(Request(method="GET", path=job_path(job_id)), models.FineTuningJob)

    async def cancel_job(self, job_id: str) -> FineTuningJob:
        """Cancel a job (operationId cancelFineTuningJob).

        Raises:
            BadRequestError: The job has finished.
            NotFoundError: There is no such job.
        """
        return await self._transition(job_id, "cancel")

    async def pause_job(self, job_id: str) -> FineTuningJob:
        """Pause a running job (operationId pauseFineTuningJob). It may still be `pausing` when this returns.

        Raises:
            BadRequestError: The job cannot be paused as it is.
            NotFoundError: There is no such job.
        """
        return await self._transition(job_id, "pause")

    async def resume_job(self, job_id: str) -> FineTuningJob:
        """Resume a paused job (operationId resumeFineTuningJob).

        Raises:
            BadRequestError: The job is not paused.
            NotFoundError: There is no such job.
        """
        return await self._transition(job_id, "resume")

    def list_events(
        self,
        job_id: str,
        *,
        after: str | None = None,
        limit: int | None = None,
        max_items: int | None = None,
    ) -> Paginator[JobEvent]:
        """Return the events of a job, newest first (operationId listFineTuningEvents).

        Args:
            job_id: The job.
            after: The id of the event after which to go on, towards older ones.
            limit: The size of a page; the server's default is 20.
            max_items: How many events at most.

        Raises:
            InvalidArgumentError: An argument is out of range.
        """
        path = f"{job_path(job_id)}/events"
        return self._list(path, models.JobEvent, query={}, after=after, limit=limit, max_items=max_items)

    async def _transition(self, job_id: str, verb: str) -> FineTuningJob:
        """Ask for another state; where the answer is lost, look whether the job got there."""
        deadline = asyncio.get_running_loop().time() + self._pipeline.timeout
        request = Request(method="POST", path=f"{job_path(job_id)}/{verb}", replay=Replay.ONCE)
        try:
            return await self._fetch(request, models.FineTuningJob, deadline=deadline)
        except FineTuningError as failure:
            if not is_ambiguous(failure):
                raise
            job = await self._look_at(job_id, failure, deadline)
            if job.status in models.STATUSES_AFTER[verb]:
                return job
            failure.add_note(f"The job was looked at afterwards, and is {job.status}; it is safe to ask again.")
            raise

    async def _look_at(self, job_id: str, failure: FineTuningError, deadline: float) -> FineTuningJob:
        try:
            request = Request(method="GET", path=job_path(job_id))
            return await self._fetch(request, models.FineTuningJob, deadline=deadline)
        except FineTuningError as error:
            failure.add_note(f"A look at the job afterwards failed too: {error}")
            raise failure from failure.__cause__
