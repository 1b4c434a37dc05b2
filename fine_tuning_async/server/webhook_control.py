"""The control of webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .service import Service
    from .webhooks import DeliveryRecord


class WebhookControl:
    """What a `LocalServer` is told about webhooks, from any thread."""

    _service: Service

    def add_webhook(self, url: str, *, secret: str | None = None, events: Iterable[str] | None = None) -> str:
        """Tell a receiver of the end of each job; return the secret that deliveries are signed with.

        It may be called before the server runs. The webhook stays until it is removed, through `stop` and `reset`;
        added again, it takes the new secret. Each delivery is a POST, repeated with growing gaps until it is
        answered with a 2xx, for 72 hours at most.

        Args:
            url: The receiver, http or https.
            secret: `whsec_...`; None takes one that belongs to the server's seed and the URL.
            events: The types of the events to tell of; None is all three: `fine_tuning.job.succeeded`,
                `fine_tuning.job.failed`, `fine_tuning.job.cancelled`.

        Raises:
            ValueError: The URL, the secret or one of the events is none.
        """
        return self._service.add_webhook(url, secret, events)

    def remove_webhook(self, url: str) -> None:
        """Tell a receiver nothing more; what waits for it is forgotten.

        Raises:
            UnknownWebhookError: There is no such webhook.
        """
        self._service.remove_webhook(url)

    @property
    def deliveries(self) -> list[DeliveryRecord]:
        """The deliveries of webhooks since the last `reset`, oldest first: a copy.

        Raises:
            NotRunningError: The server is not running.
        """
        with self._service.session():
            return self._service.store.webhooks.records()
