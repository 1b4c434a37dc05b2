"""The answer to a file upload, streamed into the store in constant memory."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import orjson
from aiohttp.http import HttpProcessingError

from fine_tuning_async.server import checks
from fine_tuning_async.server.answers import Problem, answer, bad_request
from fine_tuning_async.server.context import MAX_BODY, SERVICE
from fine_tuning_async.server.store import CHUNK, StoredFile
from fine_tuning_async.server.views import file_view
from fine_tuning_async.server.wellformed import storable

from .forms import Part, check_length, parts_of, too_large

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiohttp import BodyPartReader, web

    from fine_tuning_async.server.service import Service

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")

_FIELDS = ("purpose", "expires_after", "expires_after[anchor]", "expires_after[seconds]")
_LONGEST_FIELD = 4096
_SHORTEST_LIFE, _LONGEST_LIFE = 3600, 2_592_000


@dataclass(slots=True)
class Form:
    """What has been read of a form so far; the fields may come in any order."""

    seq: int
    resets: int
    filename: str | None = None
    size: int = 0
    fields: dict[str, str] = field(default_factory=dict)


async def upload(request: web.Request) -> web.Response:
    """Store a file."""
    async with received(request, "file", request.app[MAX_BODY], _FIELDS) as form:
        return answer(_finish(request.app[SERVICE], form))


@asynccontextmanager
async def received(
    request: web.Request, name: str, most: int, others: tuple[str, ...] = ()
) -> AsyncIterator[Form]:
    """Read a form into the store, whose field of this name is a file of at most so many bytes.

    It may have `others` besides. The block makes something of it: if it fails, the content is discarded.
    """
    check_length(request, most)
    service = request.app[SERVICE]
    with service.session():
        form = Form(service.store.files.begin(), service.resets)
    try:
        await _read_form(request, form, name, most)
        _check_reset(service, form)
        checks.only(form.fields, "", others)
        yield form
    except BaseException:
        with service.session():
            if service.resets == form.resets:
                service.store.files.discard(form.seq)
        raise


def _check_reset(service: Service, form: Form) -> None:
    """Refuse to go on after a reset: what had arrived is gone, and its number is somebody else's."""
    if service.resets != form.resets:
        raise Problem(409, "The server was reset while this file was on its way.", code="server_reset")


async def _read_form(request: web.Request, form: Form, name: str, most: int) -> None:
    try:
        async with aclosing(parts_of(request, most)) as parts:
            async for part in parts:
                if part.name == name and form.filename is None:
                    form.filename = part.filename or "file"
                    await _read_file(part.content, request.app[SERVICE], form, most)
                else:
                    # One that is not asked for is read too, within the same bounds.
                    form.fields[part.name or ""] = await _read_field(part)
    except (HttpProcessingError, ValueError, AssertionError, RuntimeError) as error:
        raise bad_request(f"We could not parse the multipart form of your request: {error}") from error
    if form.filename is None:
        raise checks.missing(name)


async def _read_field(part: Part) -> str:
    text = bytearray()
    while chunk := await part.content.read_chunk(_LONGEST_FIELD):
        text += chunk
        if len(text) > _LONGEST_FIELD:
            raise bad_request(f"Invalid '{part.name}': string too long.", part.name, "string_above_max_length")
    return storable(text.decode(errors="replace"))


async def _read_file(part: BodyPartReader, service: Service, form: Form, most: int) -> None:
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


def _write(service: Service, form: Form, number: int, data: bytearray) -> None:
    with service.session():
        _check_reset(service, form)
        service.store.files.write(form.seq, number, bytes(data))


def _finish(service: Service, form: Form) -> bytes:
    if "purpose" not in form.fields:
        raise checks.missing("purpose")
    purpose = checks.one_of(form.fields["purpose"], "purpose", PURPOSES)
    asked = any(name.startswith("expires_after") for name in form.fields)
    life = lifetime(_expiry(form.fields)) if asked else None
    with service.session() as now:
        return store(service, StoredFile(form.seq, purpose, form.filename or "", form.size, b""), life, now)


def store(service: Service, stored: StoredFile, life: int | None, now: float) -> bytes:
    """Make content that has arrived a file; return its view, that of `stored` is not yet known."""
    file_id = service.mint.make("file-", stored.seq)
    expires_at = None if life is None else int(now) + life
    view = file_view(
        file_id,
        purpose=stored.purpose,
        filename=stored.filename,
        size=stored.size,
        created_at=int(now),
        expires_at=expires_at,
    )
    service.store.files.finish(file_id, replace(stored, view=view), expires_at)
    return view


def lifetime(value: object) -> int:
    """Return the seconds of `expires_after`, after which a file is deleted."""
    expiry = checks.mapping(value, "expires_after")
    checks.one_of(expiry.get("anchor"), "expires_after.anchor", ("created_at",))
    return checks.integer(expiry.get("seconds"), "expires_after.seconds", least=_SHORTEST_LIFE, most=_LONGEST_LIFE)


def _expiry(fields: Mapping[str, str]) -> object:
    """Return the object of a form: of one part that is JSON, as OpenAPI has it, or of fields with brackets."""
    if "expires_after" not in fields:
        seconds = _whole(fields.get("expires_after[seconds]"))
        return {"anchor": fields.get("expires_after[anchor]"), "seconds": seconds}
    try:
        return orjson.loads(fields["expires_after"])
    except orjson.JSONDecodeError as error:
        raise bad_request(f"Invalid 'expires_after': {error}.", "expires_after", "invalid_type") from error


def _whole(seconds: str | None) -> int:
    """Return a number that comes as the text of a field with brackets in its name."""
    if seconds is None or not (seconds.isascii() and seconds.isdigit()) or len(seconds) > len(str(_LONGEST_LIFE)):
        raise bad_request(
            f"Invalid 'expires_after.seconds': expected an integer from {_SHORTEST_LIFE} to {_LONGEST_LIFE}.",
            "expires_after.seconds",
            "invalid_value",
        )
    return int(seconds)
