"""Events: what happened to a job, and when."""

from datetime import datetime

from ._base import JSON, WireObject, instant, model, wire_names
from .metrics import Metrics

__all__ = ["JobEvent"]


@model
class JobEvent(WireObject):
    """One line of a job's history (schema FineTuningJobEvent).

    `data` is whatever JSON the server attached; `metrics` reads the figures of a training step from it.
    """

    id: str
    created_at: int
    message: str
    level: str | None = None
    type: str | None = None
    data: JSON = None
    object: str | None = None

    @property
    def created(self) -> datetime:
        """When it happened, in UTC."""
        return instant(self.created_at)

    @property
    def metrics(self) -> Metrics | None:
        """The figures in `data` for an event of type `metrics`, else None.

        `data` is open to any JSON: what should be a number there and is none, is None here.
        """
        if self.type != "metrics" or not isinstance(self.data, dict):
            return None
        numbers = {
            name: value
            for name in wire_names(Metrics)
            if isinstance(value := self.data.get(name), int | float) and not isinstance(value, bool)
        }
        return Metrics(**numbers, _raw=self.data)
