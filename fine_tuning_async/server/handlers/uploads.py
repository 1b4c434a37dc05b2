"""Answers about uploads: files that arrive in parts."""

from __future__ import annotations

import asyncio
import hashlib
import string
from typing import TYPE_CHECKING

from fine_tuning_async.server import checks
from fine_tuning_async.server.answers import Problem, answer, bad_request
from fine_tuning_async.server.context import SERVICE, read_object
from fine_tuning_async.server.store import StoredFile
from fine_tuning_async.server.store.uploads import StoredPart, StoredUpload
from fine_tuning_async.server.views import part_view, upload_view
from fine_tuning_async.server.wellformed import storable

from .uploading import PURPOSES, lifetime, received, store

if TYPE_CHECKING:
    from aiohttp import web

    from fine_tuning_async.server.service import Service

# Both limits are given in MB, and read as MiB here: the official client sends parts of 64 MiB.
LARGEST_PART = 64 * 2**20
LARGEST_UPLOAD = 8 * 2**30
_HOUR = 3600
"""Seconds after which an upload that is not completed expires."""

_NEEDED = ("bytes", "filename", "mime_type", "purpose")
_MOST_PARTS = 10_000
_MD5 = 32
"""Hexadecimal digits."""


async def create(request: web.Request) -> web.Response:
    """Begin an upload."""
    body = await read_object(request)
    checks.only(body, "", (*_NEEDED, "expires_after"))
    for name in _NEEDED:
        if body.get(name) is None:
            raise checks.missing(name)
    size = checks.integer(body["bytes"], "bytes", least=1, most=LARGEST_UPLOAD)
    filename = checks.text(body["filename"], "filename", least=1)
    checks.text(body["mime_type"], "mime_type", least=1)
    purpose = checks.one_of(body["purpose"], "purpose", PURPOSES)
    life = lifetime(body["expires_after"]) if "expires_after" in body else None
    service = request.app[SERVICE]
    with service.session() as now:
        seq = service.store.uploads.next_seq()
        name = service.mint.hexadecimal("upload_", seq)
        made = StoredUpload(seq, name, "pending", purpose, filename, size, life, int(now), int(now) + _HOUR)
        service.store.uploads.add(made)
    return answer(upload_view(made, made.status))


async def add_part(request: web.Request) -> web.Response:
    """Store a part."""
    service = request.app[SERVICE]
    with service.session():
        _pending(service, request)
    async with received(request, "data", LARGEST_PART) as form:
        with service.session() as now:
            upload = _pending(service, request)  # it may have ended while the part was on its way
            _check_part(service, upload, form.size)
            part_id = service.mint.hexadecimal("part_", form.seq)
            service.store.uploads.add_part(upload.seq, part_id, StoredPart(form.seq, form.size))
        return answer(part_view(part_id, int(now), upload.id))


async def complete(request: web.Request) -> web.Response:
    """Make the parts a file."""
    body = await read_object(request)
    checks.only(body, "", ("part_ids", "md5"))
    part_ids, md5 = _part_ids(body), _md5(body)
    service = request.app[SERVICE]
    with service.session():
        parts = _parts(service, _pending(service, request), part_ids)
    digest = None if md5 is None else await asyncio.to_thread(_digest, service, parts)
    with service.session() as now:
        upload = _pending(service, request)  # gigabytes take a while to check
        parts = _parts(service, upload, part_ids)
        if digest != md5:
            message = "Invalid 'md5': it is not the checksum of what was uploaded."
            raise bad_request(message, "md5", "invalid_value")
        seq = service.store.files.begin()
        service.store.uploads.join(upload.seq, seq, parts)
        whole = StoredFile(seq, upload.purpose, upload.filename, upload.size, b"")
        view = store(service, whole, upload.life, now)
    return answer(upload_view(upload, "completed", view))


async def cancel(request: web.Request) -> web.Response:
    """Cancel an upload, which loses its parts."""
    service = request.app[SERVICE]
    with service.session():
        upload = _pending(service, request)
        service.store.uploads.end(upload.seq, "cancelled")
    return answer(upload_view(upload, "cancelled"))


def _pending(service: Service, request: web.Request) -> StoredUpload:
    upload_id = request.match_info["upload_id"]
    upload = service.store.uploads.find(storable(upload_id))
    if upload is None:
        raise Problem(404, f"No such Upload object: {upload_id}", param="upload_id")
    if upload.status != "pending":
        raise bad_request(f"Upload {upload.id} is {upload.status}; it is not pending any more.", "upload_id")
    return upload


def _check_part(service: Service, upload: StoredUpload, size: int) -> None:
    if not size:
        raise bad_request("Invalid 'data': a part must not be empty.", "data", "invalid_value")
    if service.store.uploads.arrived(upload.seq) + size > LARGEST_UPLOAD:
        message = f"The parts of an upload may hold {LARGEST_UPLOAD} bytes at most."
        raise Problem(413, message, param="data", code="request_too_large")


def _part_ids(body: dict[str, object]) -> list[str]:
    if body.get("part_ids") is None:
        raise checks.missing("part_ids")
    given = checks.array(body["part_ids"], "part_ids", most=_MOST_PARTS)
    found: dict[str, int] = {}
    for index, each in enumerate(given):
        part_id = storable(checks.text(each, f"part_ids[{index}]"))
        if found.setdefault(part_id, index) != index:
            message = f"Invalid 'part_ids[{index}]': the part {part_id} is given twice."
            raise bad_request(message, f"part_ids[{index}]", "invalid_value")
    return list(found)


def _parts(service: Service, upload: StoredUpload, part_ids: list[str]) -> list[StoredPart]:
    """Return the parts of an upload, which together have the size that was announced."""
    parts = []
    for index, part_id in enumerate(part_ids):
        part = service.store.uploads.part(upload.seq, part_id)
        if part is None:
            message = f"Invalid 'part_ids[{index}]': the upload {upload.id} has no part {part_id}."
            raise bad_request(message, f"part_ids[{index}]", "invalid_value")
        parts.append(part)
    size = sum(part.size for part in parts)
    if size != upload.size:
        message = f"Invalid 'part_ids': the parts hold {size} bytes, but the upload was created for {upload.size}."
        raise bad_request(message, "part_ids", "invalid_value")
    return parts


def _md5(body: dict[str, object]) -> str | None:
    if "md5" not in body:
        return None
    md5 = checks.text(body["md5"], "md5")
    if len(md5) != _MD5 or not set(md5) <= set(string.hexdigits):
        message = f"Invalid 'md5': expected a checksum of {_MD5} hexadecimal digits."
        raise bad_request(message, "md5", "invalid_value")
    return md5.lower()


def _digest(service: Service, parts: list[StoredPart]) -> str:
    """Return the MD5 of parts, read in a thread; each piece is a session of its own."""
    digest = hashlib.md5(usedforsecurity=False)
    for part in parts:
        position = 0
        while position < part.size:
            with service.session():
                data = service.store.files.piece(part.file_seq, position)
            if data is None:  # cancelled meanwhile, as the caller is about to see
                break
            digest.update(data)
            position += len(data)
    return digest.hexdigest()
