"""Answers about jobs."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

from fine_tuning_async.server.answers import Problem, answer, answer_slice, bad_request
from fine_tuning_async.server.context import SERVICE, find_job, read_object
from fine_tuning_async.server.errors import JobStateError
from fine_tuning_async.server.refusals import job_not_found
from fine_tuning_async.server.validation import check_create, check_purpose
from fine_tuning_async.server.wellformed import storable

from .queries import NO_METADATA, metadata_filter, page_size, position

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from fine_tuning_async.server.progress import Progress
    from fine_tuning_async.server.records import Job
    from fine_tuning_async.server.service import Service
    from fine_tuning_async.server.store.lists import Lists, Slice
    from fine_tuning_async.server.wishes import Wish

_MOST = 100


async def create(request: web.Request) -> web.Response:
    """Create a job; with an `Idempotency-Key` seen before, answer with the job that it made.

    The same key with another body is a 409. All of it is one transaction, so of any number of requests with one
    key at once, one creates.
    """
    service = request.app[SERVICE]
    body = service.personality.wanted(request, await read_object(request))
    key = service.personality.idempotency_key(request).encode(errors="surrogateescape")
    with service.session() as now:
        view = _made_before(service, key, body) if key else None
        if view is None:
            view = _make(service, now, key, body)
    return answer(view)


def _made_before(service: Service, key: bytes, body: dict[str, object]) -> bytes | None:
    known = service.store.jobs.remembered(key)
    if known is None:
        return None
    digest, job_id = known
    if digest != _digest(body):
        message = (
            "This Idempotency-Key came before, with another body. Keys must be new for each different request."
        )
        raise Problem(409, message, code="idempotency_key_reused", kind="idempotency_error")
    return service.store.jobs.view(job_id)


def _make(service: Service, now: float, key: bytes, body: dict[str, object]) -> bytes:
    wish = check_create(body)
    _check_files(service, wish)
    progress = service.progress
    job = progress.begin(wish, now, service.personality.kept(body))
    if key:
        service.store.jobs.remember(key, _digest(body), job.id)
    return progress.view(job)


def _digest(body: dict[str, object]) -> bytes:
    return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()


def _check_files(service: Service, wish: Wish) -> None:
    for param, file_id in (("training_file", wish.training_file), ("validation_file", wish.validation_file)):
        if file_id is not None:
            stored = service.store.files.find(file_id)
            check_purpose(stored.purpose if stored else None, file_id, param)


async def retrieve(request: web.Request) -> web.Response:
    """Answer with one job."""
    job_id = request.match_info["job_id"]
    service = request.app[SERVICE]
    with service.session():
        view = service.store.jobs.view(storable(job_id))
    if view is None:
        raise job_not_found(job_id)
    return answer(view)


async def list_jobs(request: web.Request) -> web.Response:
    """Answer with a page of jobs."""
    limit, pairs = page_size(request, default=20, most=_MOST), metadata_filter(request)
    service = request.app[SERVICE]
    with service.session():
        lists = service.store.lists
        found = _page(lists, pairs, position(request, lists.job_position), limit)
    return answer_slice(found)


def _page(lists: Lists, pairs: list[tuple[str, str]] | None, before: int | None, limit: int) -> Slice:
    if pairs is None:
        return lists.jobs(before, limit)
    if pairs is NO_METADATA:
        return lists.jobs_without_metadata(before, limit)
    return lists.jobs_with_metadata(pairs, before, limit)


async def list_events(request: web.Request) -> web.Response:
    """Answer with a page of a job's events."""
    limit = page_size(request, default=20, most=_MOST)
    service = request.app[SERVICE]
    with service.session():
        seq, lists = find_job(service, request).seq, service.store.lists
        before = position(request, lambda event_id: lists.event_position(seq, event_id))
        found = lists.events(seq, before, limit)
    return answer_slice(found)


async def list_checkpoints(request: web.Request) -> web.Response:
    """Answer with a page of a job's checkpoints."""
    limit = page_size(request, default=10, most=_MOST)
    service = request.app[SERVICE]
    with service.session():
        seq, lists = find_job(service, request).seq, service.store.lists
        before = position(request, lambda checkpoint_id: lists.checkpoint_position(seq, checkpoint_id))
        found = lists.checkpoints(seq, before, limit)
    return answer_slice(found, with_ends=True)


async def cancel(request: web.Request) -> web.Response:
    """Cancel a job that has not ended."""
    return _change(request, "cancelled", lambda progress, job, now: progress.cancel(job, now))


async def pause(request: web.Request) -> web.Response:
    """Begin to pause a job that has not ended."""
    return _change(request, "paused", lambda progress, job, now: progress.pause(job, now))


async def resume(request: web.Request) -> web.Response:
    """Let a paused job go on."""
    return _change(request, "resumed", lambda progress, job, now: progress.resume(job, now))


def _change(request: web.Request, done: str, step: Callable[[Progress, Job, float], None]) -> web.Response:
    service = request.app[SERVICE]
    with service.session() as now:
        job, progress = find_job(service, request), service.progress
        try:
            step(progress, job, now)
        except JobStateError as error:
            message = f"Fine-tuning job {job.id} is {job.status}: it cannot be {done}."
            raise bad_request(message) from error
        return answer(progress.view(job))
