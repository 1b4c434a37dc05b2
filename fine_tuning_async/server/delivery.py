"""The delivery of webhooks, by a task in the serving loop."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from .webhooks import signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .service import Service
    from .store.webhooks import Letter

_LOG = logging.getLogger(__name__)

# Seconds of the serving loop.
PATIENCE = 10.0
"""For one attempt."""

FIRST_GAP, LONGEST_GAP = 0.5, 60.0
"""Between two attempts; each gap is twice the one before."""

GIVEN_UP_AFTER = 72 * 3600.0
"""The API's own bound."""

_AT_ONCE = 8
"""Attempts in flight for one receiver, so that a slow one takes nothing from the others."""

_BREATH = 0.05
"""Between two looks at the store: a fast clock makes something due all the time."""


@asynccontextmanager
async def delivering(service: Service) -> AsyncIterator[None]:
    """Deliver what is in the outbox while the block runs."""
    task = asyncio.create_task(Courier(service).run(), name="fine-tuning-webhooks")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


class Courier:
    """Attempts what is due, and wakes by itself when a job of a running clock or another attempt is.

    Args:
        service: The state, open for as long as this runs.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._in_flight: Counter[str] = Counter()

    async def run(self) -> None:
        """Deliver until cancelled."""
        with self._service.heard(self._changed):
            while True:
                try:
                    await self._deliver_all()
                except* sqlite3.Error:
                    _LOG.exception("webhooks wait: the database cannot be used")
                await asyncio.sleep(LONGEST_GAP)

    async def _deliver_all(self) -> None:
        self._in_flight.clear()
        with self._service.session():
            self._service.store.webhooks.reopen()
        async with _session() as session, asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                letters, pause = self._take()
                for letter in letters:
                    group.create_task(self._deliver(session, letter))
                await asyncio.sleep(_BREATH)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._changed.wait()

    def _take(self) -> tuple[list[Letter], float | None]:
        """Return what is to be attempted now, and after how many seconds to look again if nothing changes."""
        service, now = self._service, self._loop.time()
        letters: list[Letter] = []
        pauses: list[float | None] = []
        with service.session():
            webhooks = service.store.webhooks
            for url in webhooks.urls():
                taken = webhooks.claim(url, now, _AT_ONCE - self._in_flight[url])
                letters += taken
                self._in_flight[url] += len(taken)
                if self._in_flight[url] < _AT_ONCE:
                    pauses.append(webhooks.pause(url, now))
                pauses.append(service.until_next_job())
        return letters, min((each for each in pauses if each is not None), default=None)

    async def _deliver(self, session: aiohttp.ClientSession, letter: Letter) -> None:
        began = self._loop.time()
        outcome, delivered = await _post(session, letter)
        self._in_flight[letter.url] -= 1
        with self._service.session():
            webhooks = self._service.store.webhooks
            gap = gap_after(letter.attempts)
            spent = letter.spent + self._loop.time() - began + gap
            if delivered or spent > GIVEN_UP_AFTER:
                webhooks.settle(letter, outcome, "delivered" if delivered else "given up")
            else:
                webhooks.postpone(letter, outcome, spent=spent, due_at=self._loop.time() + gap)


def gap_after(attempts: int) -> float:
    """Return how long to wait after an attempt that failed, with so many before it."""
    return min(FIRST_GAP * 2.0 ** min(attempts, 10), LONGEST_GAP)


def _session() -> aiohttp.ClientSession:
    # A connection for each attempt: one kept alive could be closed by the receiver at the moment of the next.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None)
    )


async def _post(session: aiohttp.ClientSession, letter: Letter) -> tuple[str, bool]:
    """Attempt a delivery; return how it ended, and whether the receiver has accepted it."""
    headers = {
        "Content-Type": "application/json",
        # The receiver's clock is the real one, whatever the simulated time.
        **signed(letter.id, letter.body, letter.secret, time.time()),
    }
    try:
        async with (
            asyncio.timeout(PATIENCE),
            session.post(letter.url, data=letter.body, headers=headers, allow_redirects=False) as answer,
        ):
            status = answer.status
    except Exception as error:  # noqa: BLE001 - whatever a receiver does, it is attempted again
        return type(error).__name__, False
    return str(status), HTTPStatus(200) <= status < HTTPStatus(300)
