"""The inbox: where the deliveries of one endpoint come in."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING

from fine_tuning_async.errors import InvalidArgumentError
from fine_tuning_async.models._limits import Whole, require

from ._memory import Memory
from ._verifying import Verifier, concealed, refused
from ._watchers import Watchers

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from aiohttp import web

    from fine_tuning_async.models import WebhookEvent

    from ._verifying import Delivery

__all__ = ["WebhookInbox"]

COUNT = Whole(1, auto=False)


class WebhookInbox:
    """Verifies deliveries, hands each event on once, and wakes whoever waits for its job.

    It belongs to no loop: it may be made anywhere, and be used from several loops and threads. The ids of the last
    deliveries are remembered in memory alone, so what `on_event` does must bear being done twice: after a restart,
    or after more than `remember` other deliveries, a repeat is new.

    Args:
        secret: The endpoint's secret, `whsec_...`; while it is being changed, the old one and the new.
        on_event: Called with each new event, of whatever type. If it raises, the delivery was not handled: it is
            forgotten, and handled when the server sends it again.
        max_body: The largest body that is accepted, in bytes.
        remember: How many deliveries are remembered.

    Raises:
        InvalidArgumentError: The secret is none, or a number is not above zero.
    """

    def __init__(
        self,
        secret: str | Sequence[str],
        *,
        on_event: Callable[[WebhookEvent], Awaitable[None]] | None = None,
        max_body: int = 1024 * 1024,
        remember: int = 10_000,
    ) -> None:
        secrets = concealed(secret)
        del secret  # from here on no frame of a traceback shows it
        require(COUNT, max_body, "max_body")
        require(COUNT, remember, "remember")
        if on_event is not None and not callable(on_event):
            raise InvalidArgumentError(f"on_event is {on_event!r}; it must be an async callable")
        self._verifier = Verifier(secrets)
        self._on_event = on_event
        self._max_body = max_body
        self._memory = Memory(remember)
        self._watchers = Watchers()

    async def deliver(self, body: bytes | str, headers: Mapping[str, str]) -> WebhookEvent | None:
        """Take a delivery, of whatever framework; return its event, or None for a repeat of one that was handled.

        Whoever waits for the job is woken first, even if `on_event` fails then. A copy that arrives while
        `on_event` runs waits for its outcome. Answer the request with a 2xx once this returns, with a 400 for a
        WebhookVerificationError, with a 500 for anything else, so that the server sends it again.

        Args:
            body: The body as it came, not decoded JSON.
            headers: The request's headers, in any case.

        Raises:
            WebhookVerificationError: The delivery is forged, stale, malformed or too large.
            InvalidArgumentError: The body or the headers are of a wrong type.
        """
        return await self._handle(self._open(body, headers))

    async def handler(self, request: web.Request) -> web.Response:
        """Answer a request of aiohttp's server: `app.router.add_post("/webhooks", inbox.handler)`.

        It says 200 to a new event or a repeat, 400 to what is refused, 500 if `on_event` raised, which is logged.
        """
        # Here, not above: whoever has another framework has no need of aiohttp.
        from ._handler import respond  # noqa: PLC0415 - as said

        return await respond(request, unseal=self._open, handle=self._handle, max_body=self._max_body)

    def watching(self, job_id: str) -> AbstractContextManager[asyncio.Event]:
        """Watch for news of a job while a `with` block runs.

        Yields an event of the running loop that is set by each new delivery for the job, whichever loop or thread
        it comes in on. Clear it to wait for the next one.
        """
        return self._watchers.watching(job_id)

    def _open(self, body: bytes | str, headers: Mapping[str, str]) -> Delivery:
        if isinstance(body, bytes | str) and len(body) > self._max_body:
            raise refused(f"it is larger than {self._max_body:,} bytes")
        return self._verifier.open(body, headers)

    async def _handle(self, delivery: Delivery) -> WebhookEvent | None:
        event = delivery.event
        async with self._memory.once(delivery.id) as is_new:
            if not is_new:
                return None
            if event.job_id is not None:
                self._watchers.wake(event.job_id)
            if self._on_event is not None:
                handling: object = self._on_event(event)
                if not isawaitable(handling):
                    raise InvalidArgumentError("on_event is not async; make it `async def`")
                await handling
        return event
