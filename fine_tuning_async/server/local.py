"""The local server as tests hold it."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Self

from . import steering
from .app import build_app
from .errors import NotRunningError
from .faults import Faults
from .personalities import personality
from .polling import checked_step
from .service import Service
from .serving import LOOPBACK, MAX_BODY
from .thread import ServingThread
from .training.simulation import real
from .webhook_control import WebhookControl

if TYPE_CHECKING:
    import os
    from types import TracebackType

    from aiohttp import web

    from .personalities import Like
    from .requestlog import RequestRecord
    from .store.opening import Sync
    from .training import Trainer


class LocalServer(WebhookControl):
    """A fine-tuning API on this machine, over real HTTP.

    It runs in a thread with a loop of its own, so that synchronous clients can talk to it too; or its `app` is
    mounted in a loop of the caller's. Control methods are synchronous, from any thread, and work in both cases.
    Without a trainer, trainings are simulated: the figures are made up, drawn from the seed.

    Attributes:
        faults: What goes wrong on purpose.

    Args:
        port: The port to listen on; 0 takes a free one.
        host: The address to listen on.
        db: A database file, which outlives the process; None keeps everything in memory until the server stops.
        seed: What ids and losses are drawn from: same seed, same requests, same answers.
        speed: Simulated seconds in one second; None keeps the clock still but for `advance`.
        max_body: The largest file that may be uploaded in one piece, in bytes.
        like: The kind of server that it passes for: openai, azure or gateway.
        sync: What an answered request survives in `db`: `normal` the death of the process, `full` a power cut too.
        trainer: What trains the jobs, in the time that it takes; None is a `Simulation`, in the server's time.
        workers: How many jobs a trainer has at once; the others are queued.

    Raises:
        ValueError: `speed`, `max_body` or `workers` is not above zero, or `like` or `sync` is none of these.
        TypeError: `trainer` has no method `train`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = LOOPBACK,
        db: str | os.PathLike[str] | None = None,
        seed: int = 0,
        speed: float | None = None,
        max_body: int = MAX_BODY,
        like: Like = "openai",
        sync: Sync = "normal",
        trainer: Trainer | None = None,
        workers: int = 1,
    ) -> None:
        if max_body <= 0:
            raise ValueError(f"max_body must be above 0, not {max_body!r}")
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers!r}")
        file = None if db is None else str(db)
        self._service = Service(file, seed, speed, personality(like), sync, real(trainer))
        self._build = partial(build_app, self._service, max_body, workers=workers)
        self.faults: Faults = Faults()
        self._address = (host, port)
        self._switch = threading.Lock()
        self._running: ServingThread | None = None
        self._mounted: web.Application | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'not running' if self._running is None else self._running.url}>"

    @property
    def url(self) -> str:
        """The base URL that a client is given, or the endpoint of an Azure.

        It is like `http://127.0.0.1:PORT/v1`.

        Raises:
            NotRunningError: The server listens nowhere.
        """
        if self._running is None:
            raise NotRunningError("the server is not running: use it in a with block, or call start()")
        return self._running.url

    @property
    def app(self) -> web.Application:
        """The application, to be mounted in a loop of the caller's; a new one once that was cleaned up."""
        app = self._mounted
        if app is None:
            app = self._mounted = self._build(self.faults)
            app.on_cleanup.append(self._unmount)
        return app

    @property
    def requests(self) -> list[RequestRecord]:
        """A copy of the requests that were answered, oldest first."""
        return self._service.log.records()

    @property
    def advance_per_poll(self) -> float:
        """Seconds by which each look at jobs, their events or checkpoints moves the clock before it is answered.

        0 at first. Set above it, a client that polls sees its job move on, and its wait ends by itself.

        Raises:
            ValueError: When set: it is negative, or no number of seconds.
        """
        return self._service.clock.per_poll

    @advance_per_poll.setter
    def advance_per_poll(self, seconds: float) -> None:
        self._service.clock.per_poll = checked_step(seconds)

    def start(self) -> Self:
        """Serve from a thread of its own; nothing happens if it does so already.

        Raises:
            StartError: The port is taken, the database cannot be used, or `app` is mounted.
        """
        with self._switch:
            if self._running is None:
                running = ServingThread(self._build(self.faults), self._address)
                running.start()
                self._running = running
        return self

    def stop(self) -> None:
        """Finish the requests in flight, within a second; close everything. Nothing happens if not running."""
        with self._switch:
            running, self._running = self._running, None
            if running is not None:
                running.stop()

    def advance(self, seconds: float = 0, *, minutes: float = 0) -> None:
        """Move the server's clock forward; everything that becomes due happens.

        Raises:
            ValueError: The time is negative.
            NotRunningError: The server is not running.
        """
        self._service.advance(seconds + 60 * minutes)

    def finish(self, job_id: str) -> None:
        """Walk a job to its end now: it succeeds, or fails if its files are bad.

        Raises:
            UnknownJobError: There is no such job.
            JobStateError: The job has failed or was cancelled.
            NotRunningError: The server is not running.
        """
        steering.finish(self._service, job_id)

    def fail(
        self,
        job_id: str,
        *,
        code: str = steering.CODE,
        message: str = steering.MESSAGE,
        param: str | None = None,
    ) -> None:
        """Let a job fail now.

        Raises:
            UnknownJobError: There is no such job.
            JobStateError: The job has ended already.
            NotRunningError: The server is not running.
        """
        steering.fail(self._service, job_id, {"code": code, "message": message, "param": param})

    def reset(self) -> None:
        """Forget every job, file, model, request, fault; ids begin anew. The clock stays, and so do webhooks.

        Raises:
            NotRunningError: The server is not running.
        """
        self._service.reset()
        self.faults.clear()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        try:
            return await asyncio.to_thread(self.start)
        except asyncio.CancelledError:
            # The thread cannot be cancelled: let it start, then stop it.
            await asyncio.to_thread(self.stop)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A cancelled caller must not leave the thread behind.
        await asyncio.shield(asyncio.to_thread(self.stop))

    async def _unmount(self, app: web.Application) -> None:
        if self._mounted is app:
            self._mounted = None
