"""The thread in which a local server runs."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from .serving import listening

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from aiohttp import web


class ServingThread:
    """A thread whose loop serves one application."""

    def __init__(self, app: web.Application, address: tuple[str, int]) -> None:
        self.app: web.Application = app
        self._address = address
        self._ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._run, name="fine-tuning-local-server", daemon=True)

    @property
    def url(self) -> str:
        """The base URL that it serves."""
        return self._ready.result()[0]

    def start(self) -> None:
        """Return once it listens, or raise what kept it from that."""
        self._thread.start()
        error = self._ready.exception()
        if error is not None:
            self._thread.join()
            raise error

    def run(self, work: Coroutine[object, object, None]) -> None:
        """Run a coroutine in the loop that serves; return when it has ended."""
        _, loop, _ = self._ready.result()
        asyncio.run_coroutine_threadsafe(work, loop).result()

    def stop(self) -> None:
        """Finish the requests in flight and return once the thread has ended."""
        _, loop, done = self._ready.result()
        loop.call_soon_threadsafe(done.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits in start()
            if not self._ready.done():
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        done = asyncio.Event()
        async with listening(self.app, *self._address) as url:
            self._ready.set_result((url, asyncio.get_running_loop(), done))
            await done.wait()
