"""Answers about files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.server.answers import Problem, Streamed, answer, answer_deleted, answer_slice
from fine_tuning_async.server.context import SERVICE
from fine_tuning_async.server.refusals import file_not_found
from fine_tuning_async.server.wellformed import storable

from .queries import choice, page_size, position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from fine_tuning_async.server.service import Service
    from fine_tuning_async.server.store import StoredFile

_MOST = 10_000


async def list_files(request: web.Request) -> web.Response:
    """Answer with a page of files."""
    limit, order = page_size(request, default=_MOST, most=_MOST), choice(request, "order", ("desc", "asc"))
    purpose = request.query.get("purpose")
    service = request.app[SERVICE]
    with service.session():
        lists = service.store.lists
        after = position(request, lists.file_position)
        wanted = None if purpose is None else storable(purpose)
        found = lists.files(wanted, after, limit, newest_first=order == "desc")
    return answer_slice(found, with_ends=True)


async def retrieve(request: web.Request) -> web.Response:
    """Answer with one file's description."""
    service = request.app[SERVICE]
    with service.session():
        return answer(_find(service, request).view)


async def delete(request: web.Request) -> web.Response:
    """Delete a file."""
    service = request.app[SERVICE]
    with service.session():
        service.store.files.discard(_find(service, request).seq)
    return answer_deleted("file", request.match_info["file_id"])


async def download(request: web.Request) -> Streamed:
    """Stream a file's content, or the one range of it that was asked for (RFC 9110, 14)."""
    service = request.app[SERVICE]
    with service.session():
        stored = _find(service, request)
        tag = _tag(service, stored)
    span = _span(request, stored.size, tag)
    partial = len(span) < stored.size
    response = Streamed(_pieces(service, stored, span), len(span), 206 if partial else 200)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = tag
    if partial:
        response.headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{stored.size}"
    return response


def _pieces(service: Service, stored: StoredFile, span: range) -> Iterator[bytes]:
    """Read the content piece by piece; each is a session of its own, so that other requests go on."""
    position, resets = span.start, service.resets
    while position < span.stop:
        with service.session():
            data = service.store.files.piece(stored.seq, position) if service.resets == resets else None
        if data is None:
            raise ConnectionResetError("the file was deleted while it was sent")
        yield data[: span.stop - position]
        position += len(data)


def _tag(service: Service, stored: StoredFile) -> str:
    """Return the strong ETag of a file. Its content never changes, but after a reset ids are given again."""
    return f'"{service.mint.hexadecimal("", service.resets, stored.seq, stored.view)}"'


def _span(request: web.Request, size: int, tag: str) -> range:
    if request.headers.get("If-Range", tag) != tag:
        return range(size)
    try:
        asked = request.http_range
    except ValueError:
        # RFC 9110, 14.2: a Range header that cannot be understood is ignored.
        return range(size)
    start, stop, _ = asked.indices(size)
    if asked == slice(None, None, 1):
        return range(size)
    if start >= stop:
        beyond = {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}
        raise Problem(416, f"The range lies outside the file's {size} bytes.", param="Range", headers=beyond)
    return range(start, stop)


def _find(service: Service, request: web.Request) -> StoredFile:
    file_id = request.match_info["file_id"]
    stored = service.store.files.find(storable(file_id))
    if stored is None:
        raise file_not_found(file_id)
    return stored
