"""The memory of deliveries, by which none is handled twice."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Memory"]


class Memory:
    """Remembers the ids of the deliveries that were handled last; any thread, any loop may ask.

    Args:
        most: How many ids are remembered. The one that has not come for longest goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._handled: OrderedDict[str, None] = OrderedDict()
        self._under_way: dict[str, Future[None]] = {}

    @asynccontextmanager
    async def once(self, delivery_id: str) -> AsyncIterator[bool]:
        """Enter with whether a delivery is to be handled now; it is remembered if the block ends well.

        While one copy is in its block, the others wait. If that block fails, the next one is to handle it.
        """
        while isinstance(found := self._claim(delivery_id), Future):
            await asyncio.wrap_future(found)
        handled = False
        try:
            yield found
            handled = True
        finally:
            if found:
                self._release(delivery_id, handled=handled)

    def _claim(self, delivery_id: str) -> bool | Future[None]:
        """Return whether the caller is to handle it, or what ends when somebody who is at it is done."""
        with self._lock:
            if delivery_id in self._handled:
                self._handled.move_to_end(delivery_id)
                return False
            if delivery_id in self._under_way:
                return self._under_way[delivery_id]
            turn: Future[None] = Future()
            turn.set_running_or_notify_cancel()  # so that one who waits for it, and is cancelled, does not end it
            self._under_way[delivery_id] = turn
            return True

    def _release(self, delivery_id: str, *, handled: bool) -> None:
        with self._lock:
            turn = self._under_way.pop(delivery_id)
            if handled:
                self._handled[delivery_id] = None
                if len(self._handled) > self._most:
                    self._handled.popitem(last=False)
        turn.set_result(None)
