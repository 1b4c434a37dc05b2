"""The servers of a process, given to one test after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.server.lasting import LastingServer

if TYPE_CHECKING:
    from fine_tuning_async.server.personalities import Like

    from ._settings import Settings

__all__ = ["Servers"]


class Servers:
    """One server for each kind, started when it is first wanted; its URL stays the same."""

    def __init__(self) -> None:
        self._servers: dict[Like, LastingServer] = {}

    def fresh(self, settings: Settings) -> LastingServer:
        """Return the server of a kind, as if it had just been started."""
        server = self._servers.get(settings.like)
        if server is None:
            server = self._servers[settings.like] = LastingServer(like=settings.like)
        server.renew(seed=settings.seed, advance_per_poll=settings.advance_per_poll)
        return server

    def stop(self) -> None:
        """Stop them all."""
        for server in self._servers.values():
            server.stop()
