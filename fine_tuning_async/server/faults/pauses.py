"""Waits that end when the server stops."""

from __future__ import annotations

import asyncio


class StoppedError(ConnectionResetError):
    """The server stops: what waits is broken off."""


class Pauses:
    """The waits of one application, on the time of the loop that serves it."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    async def wait(self, seconds: float | None) -> None:
        """Wait, or for ever if `seconds` is None.

        Raises:
            StoppedError: The server stops.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return
        raise StoppedError

    def interrupt(self) -> None:
        """Break off every wait that there is now."""
        over, self._over = self._over, asyncio.Event()
        over.set()

    def end(self) -> None:
        """Break off every wait, now and from now on."""
        self._over.set()
