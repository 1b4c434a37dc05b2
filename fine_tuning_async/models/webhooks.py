"""Webhook events: what a server tells of its own accord."""

from datetime import datetime

from ._base import JSON, WireObject, instant, model

__all__ = ["WebhookEvent"]

_OF_A_JOB = "fine_tuning.job."


@model
class WebhookEvent(WireObject):
    """One event of a webhook (schemas WebhookFineTuningJobSucceeded, ...Failed, ...Cancelled).

    `type` is open: a server sends events of other kinds to the same endpoint, whose `data` is whatever it is.
    """

    id: str
    type: str
    created_at: int
    data: JSON = None
    object: str | None = None

    @property
    def job_id(self) -> str | None:
        """The id of the job that it speaks of; None for an event that is not of a fine-tuning job."""
        if not self.type.startswith(_OF_A_JOB) or not isinstance(self.data, dict):
            return None
        job_id = self.data.get("id")
        return job_id if isinstance(job_id, str) else None

    @property
    def created(self) -> datetime:
        """When it happened, in UTC."""
        return instant(self.created_at)
