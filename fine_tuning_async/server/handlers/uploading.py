"""The answer to a file upload, streamed into the store in constant memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError

from fine_tuning_async.server import checks
from fine_tuning_async.server.answers import Problem, answer, bad_request
from fine_tuning_async.server.context import MAX_BODY, SERVICE
from fine_tuning_async.server.store import CHUNK, StoredFile
from fine_tuning_async.server.views import file_view
from fine_tuning_async.server.wellformed import storable

if TYPE_CHECKING:
    from fine_tuning_async.server.service import Service

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")

_FORM_OVERHEAD = 64 * 1024
"""Bytes that boundaries, headers, small fields may add to a file."""

_LONGEST_FIELD = 4096
_SHORTEST_LIFE, _LONGEST_LIFE = 3600, 2_592_000


@dataclass(slots=True)
class _Form:
    """What has been read of the form so far; the fields may come in any order."""

    seq: int
    filename: str | None = None
    size: int = 0
    fields: dict[str, str] = field(default_factory=dict)


async def upload(request: web.Request) -> web.Response:
    """Store a file."""
    most = request.app[MAX_BODY]
    if (request.content_length or 0) > most + _FORM_OVERHEAD:
        raise too_large(most)
    service = request.app[SERVICE]
    with service.session():
        form = _Form(service.store.files.begin())
    whole = False
    try:
        await _read_form(request, service, form, most)
        view = _finish(service, form)
        whole = True
    finally:
        if not whole:
            with service.session():
                service.store.files.discard(form.seq)
    return answer(view)


def too_large(most: int) -> Problem:
    """Return the refusal of a body over `most` bytes."""
    return Problem(413, f"Maximum content size limit ({most} bytes) exceeded.", code="request_too_large")


async def _read_form(request: web.Request, service: Service, form: _Form, most: int) -> None:
    if request.content_type != "multipart/form-data":
        raise bad_request("An upload must be sent as multipart/form-data.")
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader):
                await _read_part(part, service, form, most)
    except (HttpProcessingError, ValueError, AssertionError, RuntimeError) as error:
        raise bad_request(f"We could not parse the multipart form of your request: {error}") from error


async def _read_part(part: BodyPartReader, service: Service, form: _Form, most: int) -> None:
    if part.name == "file" and form.filename is None:
        form.filename = storable(part.filename or "file")
        await _read_file(part, service, form, most)
    elif part.name is not None and part.name != "file":
        text = await _read_field(part)
        form.fields[part.name] = storable(text)


async def _read_field(part: BodyPartReader) -> str:
    text = bytearray()
    while chunk := await part.read_chunk(_LONGEST_FIELD):
        text += chunk
        if len(text) > _LONGEST_FIELD:
            raise bad_request(f"Invalid '{part.name}': string too long.", part.name, "string_above_max_length")
    return text.decode(errors="replace")


async def _read_file(part: BodyPartReader, service: Service, form: _Form, most: int) -> None:
    pending, number = bytearray(), 0
    while chunk := await part.read_chunk(CHUNK):
        form.size += len(chunk)
        if form.size > most:
            raise too_large(most)
        pending += chunk
        while len(pending) >= CHUNK:
            _write(service, form, number, pending[:CHUNK])
            del pending[:CHUNK]
            number += 1
    if pending:
        _write(service, form, number, pending)


def _write(service: Service, form: _Form, number: int, data: bytearray) -> None:
    with service.session():
        service.store.files.write(form.seq, number, bytes(data))


def _finish(service: Service, form: _Form) -> bytes:
    if form.filename is None:
        raise checks.missing("file")
    if "purpose" not in form.fields:
        raise checks.missing("purpose")
    purpose = checks.one_of(form.fields["purpose"], "purpose", PURPOSES)
    life = _life(form.fields)
    file_id = service.mint.make("file-", form.seq)
    with service.session() as now:
        expires_at = None if life is None else int(now) + life
        view = file_view(
            file_id,
            purpose=purpose,
            filename=form.filename,
            size=form.size,
            created_at=int(now),
            expires_at=expires_at,
        )
        stored = StoredFile(form.seq, purpose, form.filename, form.size, view)
        service.store.files.finish(file_id, stored, expires_at)
    return view


def _life(fields: dict[str, str]) -> int | None:
    """Return the seconds of `expires_after`, which comes as two fields with brackets in their names."""
    anchor, seconds = fields.get("expires_after[anchor]"), fields.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return None
    checks.one_of(anchor, "expires_after.anchor", ("created_at",))
    if seconds is None or not (seconds.isascii() and seconds.isdigit()) or len(seconds) > len(str(_LONGEST_LIFE)):
        raise bad_request(
            f"Invalid 'expires_after.seconds': expected an integer from {_SHORTEST_LIFE} to {_LONGEST_LIFE}.",
            "expires_after.seconds",
            "invalid_value",
        )
    return checks.integer(int(seconds), "expires_after.seconds", least=_SHORTEST_LIFE, most=_LONGEST_LIFE)
