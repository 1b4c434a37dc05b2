"""What the mixins share: one call, one list, one delete."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from fine_tuning_async import _reading, models, pagination
from fine_tuning_async._document import describe
from fine_tuning_async._urls import segment
from fine_tuning_async._wire import Replay, Request
from fine_tuning_async.errors import InvalidArgumentError, ResponseFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from fine_tuning_async._pipeline import Pipeline
    from fine_tuning_async._wire import Response
    from fine_tuning_async.models import Deletion, WireObject
    from fine_tuning_async.pagination import Page, Paginator

__all__ = ["FILES", "JOBS", "UPLOADS", "BaseAPI", "check_progress", "job_path", "segment_given"]

FILES = "/files"
JOBS = "/fine_tuning/jobs"
UPLOADS = "/uploads"

M = TypeVar("M", bound="WireObject")
T = TypeVar("T")

Coro: TypeAlias = "Coroutine[object, object, T]"


def job_path(job_id: str) -> str:
    """Return the path of a job."""
    return f"{JOBS}/{segment(job_id, 'job_id')}"


def segment_given(value: str, name: str) -> str:
    """Quote an identifier that a server has given.

    Raises:
        ResponseFormatError: It cannot be one.
    """
    try:
        return segment(value, name)
    except InvalidArgumentError:
        raise ResponseFormatError(f"the server gave {describe(value)} as {name}, which cannot be an id") from None


def check_progress(progress: Callable[..., object] | None) -> None:
    """Refuse what cannot be called, or would have to be awaited."""
    if progress is not None and (not callable(progress) or iscoroutinefunction(progress)):
        raise InvalidArgumentError(f"progress is {progress!r}; it must be a plain function, as it is not awaited")


class BaseAPI:
    """Holds the pipeline."""

    _pipeline: Pipeline

    # These hand on the pipeline's own coroutine: each one around it would be resumed at every step of a call.

    def _fetch(self, request: Request, cls: type[M], *, deadline: float | None = None) -> Coro[M]:
        read = _reading.read  # imported before anything is sent: what has cost money must not fail for that

        def parse(response: Response) -> M:
            return read(cls, response.body, request_id=response.request_id)

        return self._pipeline.call(request, parse, deadline=deadline)

    def _delete(self, path: str, thing_id: str) -> Coro[Deletion]:
        read, cls = _reading.read, models.Deletion

        def parse(response: Response) -> Deletion:
            # Not found only in the second place, or a 204, as Azure answers.
            if response.status == HTTPStatus.NOT_FOUND or not response.body:
                return cls(thing_id, deleted=True)
            return read(cls, response.body, request_id=response.request_id)

        return self._pipeline.call(Request(method="DELETE", path=path, replay=Replay.GONE), parse)

    def _list(
        self,
        path: str,
        cls: type[M],
        *,
        query: Mapping[str, str],
        after: str | None,
        limit: int | None,
        max_items: int | None,
        paged: bool = True,
    ) -> Paginator[M]:
        _check_list(after, limit, max_items)
        if limit is not None:
            query = {**query, "limit": str(limit if max_items is None else max(1, min(limit, max_items)))}

        parse = partial(pagination.parse_page, cls, paged=paged)

        def fetch(cursor: str | None) -> Coro[Page[M]]:
            where = query if cursor is None else {**query, "after": cursor}
            return self._pipeline.call(Request(method="GET", path=path, query=where), parse)

        first = Request(method="GET", path=path, query=query)
        return pagination.Paginator(fetch, after=after, max_items=max_items, name=f"{first.method} {first.target}")


def _check_list(after: str | None, limit: int | None, max_items: int | None) -> None:
    if after is not None and (not isinstance(after, str) or not after):
        raise InvalidArgumentError(f"after is {after!r}; it must be the id of the last item already seen, or None")
    if limit is not None and not _is_count(limit, 1):
        raise InvalidArgumentError(
            f"limit is {limit!r}; it must be a whole number of at least 1, the size of a page"
        )
    if max_items is not None and not _is_count(max_items, 0):
        raise InvalidArgumentError(f"max_items is {max_items!r}; it must be a whole number of at least 0, or None")


def _is_count(value: object, minimum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum
