"""The server of an archive."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from aiohttp import web

from fine_tuning_async.server.answers import Problem, answer_problem
from fine_tuning_async.server.context import READS
from fine_tuning_async.server.errors import NotRunningError, StartError
from fine_tuning_async.server.middleware import plain
from fine_tuning_async.server.personalities import Personality
from fine_tuning_async.server.serving import LOOPBACK, bound, say, signals_call, url_of

from . import handlers
from .shelf import Shelf

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from types import TracebackType

    from aiohttp.typedefs import Handler

_LOG = logging.getLogger(__name__)
_PATIENCE = 0.2
"""Seconds for requests in flight at a stop; aiohttp waits so long twice."""


class ArchiveServer:
    """An archive that was made by `archive_account`, served read-only through the same API, in the running loop.

    Any client of the API reads its history from there, with any key; what would write is answered with a 405.

    Args:
        directory: Where the archive is.
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
    """

    def __init__(self, directory: str | os.PathLike[str], *, host: str = LOOPBACK, port: int = 0) -> None:
        self._directory = Path(directory)
        self._address = (host, port)
        self._runner: web.AppRunner | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {str(self._directory)!r}>"

    @property
    def url(self) -> str:
        """What a client is told as its base URL.

        Raises:
            NotRunningError: It is not running.
        """
        if self._runner is None:
            raise NotRunningError("the server is not running: use it in an async with block")
        host, port, *_ = self._runner.addresses[0]
        return url_of(host, port, Personality.home)

    async def __aenter__(self) -> Self:
        if self._runner is not None:
            raise StartError("the server is running already")
        runner = web.AppRunner(_app(self._directory), access_log=None, shutdown_timeout=_PATIENCE)
        await runner.setup()
        try:
            await web.SockSite(runner, bound(*self._address)).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()


async def serve_archive(
    directory: str | os.PathLike[str],
    *,
    host: str = LOOPBACK,
    port: int = 0,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve an archive in the running loop until SIGINT or SIGTERM, or until cancelled.

    Args:
        directory: Where the archive is.
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        announce: Called with the line `listening on URL`; by default it is printed at once.

    Raises:
        StartError: The port is taken, or there is no archive that can be read.
    """
    done = asyncio.Event()
    async with ArchiveServer(directory, host=host, port=port) as server:
        with signals_call(done.set):
            (announce or say)(f"listening on {server.url}")
            await done.wait()


def _app(directory: Path) -> web.Application:
    """Return an application that serves an archive, which is open until it is cleaned up.

    Raises:
        StartError: There is no archive that can be read.
    """
    app = web.Application(middlewares=[_explained])
    shelf = app[handlers.SHELF] = Shelf(directory)
    app.on_response_prepare.append(_leaving)
    app.on_cleanup.append(lambda _: asyncio.to_thread(shelf.close))
    job, checkpoint = "/fine_tuning/jobs/{job_id}", "/fine_tuning/checkpoints/{checkpoint}"
    table = (
        ("/fine_tuning/jobs", handlers.list_jobs),
        (job, handlers.retrieve_job),
        (f"{job}/events", handlers.list_events),
        (f"{job}/checkpoints", handlers.list_checkpoints),
        (f"{checkpoint}/permissions", handlers.list_permissions),
        ("/files", handlers.list_files),
        ("/files/{file_id}", handlers.retrieve_file),
        ("/files/{file_id}/content", handlers.download),
        ("/models", handlers.list_models),
        ("/models/{model}", handlers.retrieve_model),
    )
    app.add_routes([web.get(base + path, handler) for base in Personality.bases for path, handler in table])
    return app


@web.middleware
async def _explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal and failure into an answer in the API's error envelope."""
    try:
        if request.method not in READS:
            await request.release()  # a client that still sends would take the answer for a broken connection
            raise _read_only(request)  # noqa: TRY301 - it is answered as all else
        return await handler(request)
    except Problem as problem:
        return answer_problem(problem)
    except web.HTTPException as error:
        return answer_problem(plain(request, error))
    except Exception:  # noqa: BLE001 - the edge of the server: the client gets JSON all the same
        _LOG.exception("%s %s failed", request.method, request.path)
        return answer_problem(Problem(500, "The archive could not be read.", kind="server_error"))


def _read_only(request: web.Request) -> Problem:
    message = (
        f"This is an archive, and read-only: it shows what the account had, and cannot {request.method} "
        f"{request.path}. Send this to a server of the API."
    )
    return Problem(405, message, code="archive_is_read_only", headers={"Allow": "GET, HEAD"})


async def _leaving(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["x-request-id"] = f"req_{uuid4().hex}"
