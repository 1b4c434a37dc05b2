"""A server that one test after another is given as if it were new."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .context import TRAFFIC
from .faults.exchange import PAUSES
from .local import LocalServer

if TYPE_CHECKING:
    from aiohttp import web

_PATIENCE = 2.0
"""Seconds for what an earlier test left in flight."""

_TURNS = 5
"""Turns of the loop in which what has arrived is begun, and what was broken off enters the log."""


class LastingServer(LocalServer):
    """A `LocalServer` that keeps its thread, its port and its connections while all else is made anew."""

    def renew(self, *, seed: int, advance_per_poll: float) -> None:
        """Be as a server that has just been started; it is, if it was stopped.

        What an earlier user left in flight is broken off, or ends before, within two seconds: it is not seen
        afterwards.

        Args:
            seed: What ids and losses are drawn from.
            advance_per_poll: See `LocalServer`.

        Raises:
            ValueError: `advance_per_poll` is no number of seconds.
        """
        self.advance_per_poll = advance_per_poll
        self.start()
        assert self._running is not None
        self.faults.clear()
        self._running.run(_calmed(self._running.app))
        self._service.renew(seed)


async def _calmed(app: web.Application) -> None:
    await _interrupted(app)
    await app[TRAFFIC].ebb(_PATIENCE)
    await _interrupted(app)  # Work that has ended meanwhile may be followed by a wait.


async def _interrupted(app: web.Application) -> None:
    for _ in range(_TURNS):
        app[PAUSES].interrupt()
        await asyncio.sleep(0)
