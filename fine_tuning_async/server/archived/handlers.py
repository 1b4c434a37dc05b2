"""Answers out of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from fine_tuning_async.server.answers import Problem, answer, answer_slice
from fine_tuning_async.server.handlers.queries import choice, metadata_filter, page_size, position
from fine_tuning_async.server.refusals import (
    checkpoint_not_found,
    file_not_found,
    job_not_found,
    model_not_found,
)
from fine_tuning_async.server.wellformed import storable

from .shelf import Shelf

if TYPE_CHECKING:
    from .shelf import Place

SHELF: web.AppKey[Shelf] = web.AppKey("shelf", Shelf)
"""The archive that is served."""

_MOST, _MOST_FILES = 100, 10_000


async def list_jobs(request: web.Request) -> web.Response:
    """Answer with a page of jobs."""
    shelf, limit, pairs = request.app[SHELF], page_size(request, default=20, most=_MOST), metadata_filter(request)
    return answer_slice(shelf.jobs(pairs, _place(request, "jobs"), limit))


async def retrieve_job(request: web.Request) -> web.Response:
    """Answer with one job."""
    return answer(_job(request)[1])


async def list_events(request: web.Request) -> web.Response:
    """Answer with a page of a job's events."""
    return _page(request, "events", _job(request)[0], default=20)


async def list_checkpoints(request: web.Request) -> web.Response:
    """Answer with a page of a job's checkpoints."""
    return _page(request, "checkpoints", _job(request)[0], default=10, with_ends=True)


async def list_permissions(request: web.Request) -> web.Response:
    """Answer with a page of a checkpoint's permissions, of one project or of all."""
    checkpoint = storable(request.match_info["checkpoint"])
    shelf = request.app[SHELF]
    if not shelf.knows_checkpoint(checkpoint):
        raise checkpoint_not_found(checkpoint)
    if not shelf.has_permissions(checkpoint):
        message = f"The permissions of '{checkpoint}' are not in this archive: its key might not see them."
        raise Problem(403, message, code="not_archived")
    return _page(request, "permissions", checkpoint, default=10, with_ends=True)


async def list_files(request: web.Request) -> web.Response:
    """Answer with a page of files."""
    limit = page_size(request, default=_MOST_FILES, most=_MOST_FILES)
    newest_first = choice(request, "order", ("desc", "asc")) == "desc"
    purpose, after = request.query.get("purpose"), _place(request, "files")
    found = request.app[SHELF].files(purpose, after, limit, newest_first=newest_first)
    return answer_slice(found, with_ends=True)


async def retrieve_file(request: web.Request) -> web.Response:
    """Answer with one file's description."""
    file_id = request.match_info["file_id"]
    view = request.app[SHELF].one("files", storable(file_id))
    if view is None:
        raise file_not_found(file_id)
    return answer(view)


async def download(request: web.Request) -> web.FileResponse:
    """Answer with a file's content, or a range of it."""
    file_id = request.match_info["file_id"]
    found = request.app[SHELF].content(storable(file_id))
    if found is None:
        raise file_not_found(file_id)
    state, path = found
    if path is None or not path.is_file():
        why = "the server had deleted it by then" if state == "gone" else "it was not fetched, or has been removed"
        raise Problem(
            404, f"The content of {file_id} is not in this archive: {why}.", param="id", code="not_archived"
        )
    return web.FileResponse(path, headers={"Content-Type": "application/octet-stream"})


async def list_models(request: web.Request) -> web.Response:
    """Answer with every model that the account could use."""
    return answer(b'{"object":"list","data":[' + b",".join(request.app[SHELF].models()) + b"]}")


async def retrieve_model(request: web.Request) -> web.Response:
    """Answer with one model."""
    model = request.match_info["model"]
    view = request.app[SHELF].one("models", storable(model))
    if view is None:
        raise model_not_found(model)
    return answer(view)


def _job(request: web.Request) -> tuple[str, bytes]:
    job_id = request.match_info["job_id"]
    view = request.app[SHELF].one("jobs", storable(job_id))
    if view is None:
        raise job_not_found(job_id)
    return storable(job_id), view


def _place(request: web.Request, table: str) -> Place | None:
    return position(request, lambda thing_id: request.app[SHELF].place(table, thing_id))


def _page(request: web.Request, table: str, owner: str, *, default: int, with_ends: bool = False) -> web.Response:
    """Answer with a page of what belongs to something; only permissions know an order and projects."""
    shelf, limit = request.app[SHELF], page_size(request, default=default, most=_MOST)
    project_id, newest_first = None, True
    if table == "permissions":
        newest_first = choice(request, "order", ("descending", "ascending")) == "descending"
        project_id = request.query.get("project_id")
    past = position(request, lambda thing_id: shelf.number(table, owner, thing_id))
    found = shelf.belonging(table, owner, past, limit, project_id=project_id, newest_first=newest_first)
    return answer_slice(found, with_ends=with_ends)
