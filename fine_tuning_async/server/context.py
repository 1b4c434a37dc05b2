"""What a handler finds in its application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from .answers import bad_request
from .faults import Faults
from .refusals import job_not_found
from .service import Service
from .traffic import Traffic
from .wellformed import storable

if TYPE_CHECKING:
    from .records import Job

SERVICE: web.AppKey[Service] = web.AppKey("service", Service)
"""The server's state."""

TRAFFIC: web.AppKey[Traffic] = web.AppKey("traffic", Traffic)
"""The requests in flight."""

FAULTS: web.AppKey[Faults] = web.AppKey("faults", Faults)
"""What goes wrong on purpose."""

MAX_BODY: web.AppKey[int] = web.AppKey("max_body", int)
"""The largest file that may be uploaded in one piece, in bytes."""

HOST: web.AppKey[str] = web.AppKey("host", str)
"""What the server was told to listen on; unknown where the application is mounted by somebody else."""

WORKERS: web.AppKey[int] = web.AppKey("workers", int)
"""How many jobs a trainer has at once."""

READS = frozenset({"GET", "HEAD"})
"""The methods that change nothing."""

CONTROL = "/_local"
"""Under which tests steer the server, beside the API."""

STATE, STREAM = f"{CONTROL}/state", f"{CONTROL}/stream"
"""What the page shows, at once and as it changes."""


def is_control(request: web.Request) -> bool:
    """Tell whether a request steers the server or looks at it, and is no request to the API."""
    return request.path.startswith(f"{CONTROL}/") or is_page(request)


def is_page(request: web.Request) -> bool:
    """Tell whether a browser asks for the page; to anything else, there is nothing at its path."""
    wants_page = request.method in READS and "text/html" in request.headers.get("Accept", "")
    return request.path == "/" and wants_page


async def read_body(request: web.Request) -> bytes:
    """Return the request's body, which is not an upload; one that announces to be too long is not waited for."""
    if (request.content_length or 0) > request.client_max_size:
        raise web.HTTPRequestEntityTooLarge(max_size=request.client_max_size)
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise bad_request("The body of this request is not encoded as its headers say.") from error


async def read_object(request: web.Request) -> dict[str, object]:
    """Return the request's body, a JSON object."""
    try:
        body = orjson.loads(await read_body(request))
    except orjson.JSONDecodeError as error:
        message = f"We could not parse the JSON body of your request: {error}."
        raise bad_request(message) from error
    if not isinstance(body, dict):
        raise bad_request("The body of this request must be a JSON object.")
    try:
        orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        # What was read could not be written: orjson reads deeper nesting than it writes.
        raise bad_request(f"We cannot keep the JSON body of your request: {error}.") from error
    return body


def find_job(service: Service, request: web.Request) -> Job:
    """Return the job that the path names."""
    job_id = request.match_info["job_id"]
    job = service.store.jobs.find(storable(job_id))
    if job is None:
        raise job_not_found(job_id)
    return job
