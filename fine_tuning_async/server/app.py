"""The routes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from . import control, middleware
from .context import CONTROL, FAULTS, MAX_BODY, SERVICE, TRAFFIC, WORKERS
from .delivery import delivering
from .faults.exchange import PAUSES
from .faults.middleware import faulty
from .faults.pauses import Pauses
from .handlers import files, graders, jobs, models, permissions, uploading, uploads
from .page import stream
from .page.guard import guarded
from .page.stream import STREAMS, Streams
from .polling import polled
from .traffic import Traffic
from .training.workshop import training

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .faults import Faults
    from .service import Service

LONGEST_JSON = 8 * 1024 * 1024
"""Bytes of a JSON body: a grader's source, the largest thing in one, is far below."""

_JOB = "/fine_tuning/jobs/{job_id}"
_PERMISSIONS = "/fine_tuning/checkpoints/{checkpoint}/permissions"


def build_app(service: Service, max_body: int, faults: Faults, workers: int = 1) -> web.Application:
    """Return an application that serves the API as its personality has it; its service is open while it runs."""
    app = web.Application(
        middlewares=[faulty, middleware.counted, middleware.explained, guarded, middleware.authorised, polled],
        client_max_size=min(max_body, LONGEST_JSON),
    )
    app[SERVICE] = service
    app[MAX_BODY] = max_body
    app[WORKERS] = workers
    app[TRAFFIC] = Traffic()
    app[FAULTS] = faults
    app[PAUSES] = Pauses()
    app[STREAMS] = Streams()
    app.cleanup_ctx.append(_opened)
    app.on_response_prepare.append(middleware.leaving)
    app.on_shutdown.append(_break_off)
    app.add_routes(_routes(service.personality.bases))
    app.add_routes([*control.routes(CONTROL), *stream.routes()])
    return app


async def _opened(app: web.Application) -> AsyncIterator[None]:
    app[SERVICE].open(asyncio.get_running_loop().time)
    try:
        async with delivering(app[SERVICE]), training(app[SERVICE], app[WORKERS]):
            yield
    finally:
        app[SERVICE].close()


async def _break_off(app: web.Application) -> None:
    app[PAUSES].end()
    app[STREAMS].end()


def _routes(bases: tuple[str, ...]) -> list[web.RouteDef]:
    table = (
        ("POST", "/files", uploading.upload),
        ("GET", "/files", files.list_files),
        ("GET", "/files/{file_id}", files.retrieve),
        ("DELETE", "/files/{file_id}", files.delete),
        ("GET", "/files/{file_id}/content", files.download),
        ("POST", "/uploads", uploads.create),
        ("POST", "/uploads/{upload_id}/parts", uploads.add_part),
        ("POST", "/uploads/{upload_id}/complete", uploads.complete),
        ("POST", "/uploads/{upload_id}/cancel", uploads.cancel),
        ("POST", "/fine_tuning/jobs", jobs.create),
        ("GET", "/fine_tuning/jobs", jobs.list_jobs),
        ("GET", _JOB, jobs.retrieve),
        ("POST", f"{_JOB}/cancel", jobs.cancel),
        ("POST", f"{_JOB}/pause", jobs.pause),
        ("POST", f"{_JOB}/resume", jobs.resume),
        ("GET", f"{_JOB}/events", jobs.list_events),
        ("GET", f"{_JOB}/checkpoints", jobs.list_checkpoints),
        ("POST", _PERMISSIONS, permissions.create),
        ("GET", _PERMISSIONS, permissions.list_permissions),
        ("DELETE", f"{_PERMISSIONS}/{{permission_id}}", permissions.delete),
        ("POST", "/fine_tuning/alpha/graders/run", graders.run),
        ("POST", "/fine_tuning/alpha/graders/validate", graders.validate),
        ("GET", "/models", models.list_models),
        ("GET", "/models/{model}", models.retrieve),
        ("DELETE", "/models/{model}", models.delete),
    )
    return [web.route(method, base + path, handler) for base in bases for method, path, handler in table]
