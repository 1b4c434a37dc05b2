"""The requests in flight."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Traffic:
    """Counts requests whose handlers run, so that a stop can let them end.

    aiohttp's own shutdown reads no more from its connections: an upload under way could not end in it.
    """

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.ending: bool = False
        """Whether a stop has begun: each answer is the last on its connection."""

    def end(self) -> None:
        """Begin the stop."""
        self.ending = True

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a request for as long as the block runs."""
        self._count += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()

    async def ebb(self, patience: float) -> None:
        """Wait until no request is in flight, but for `patience` seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._idle.wait()
