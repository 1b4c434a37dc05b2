"""Whoever waits for news of a job."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    Watcher = tuple[asyncio.AbstractEventLoop, asyncio.Event]

__all__ = ["Watchers"]


class Watchers:
    """An event for each waiter, in the waiter's own loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, set[Watcher]] = {}

    @contextmanager
    def watching(self, job_id: str) -> Iterator[asyncio.Event]:
        """Yield an event of the running loop that each wake for the job sets while the block runs."""
        watcher = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._of.setdefault(job_id, set()).add(watcher)
        try:
            yield watcher[1]
        finally:
            with self._lock:
                self._of[job_id].remove(watcher)
                if not self._of[job_id]:
                    del self._of[job_id]

    def wake(self, job_id: str) -> None:
        """Set the events of all who wait for the job, whichever loops they are in."""
        here = asyncio.get_running_loop()
        with self._lock:
            found = tuple(self._of.get(job_id, ()))
        for loop, event in found:
            if loop is here:
                event.set()
            else:
                with suppress(RuntimeError):  # that loop is closed: nobody waits in it any more
                    loop.call_soon_threadsafe(event.set)
