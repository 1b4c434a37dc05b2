"""Checkpoints: usable states of a model in training."""

from datetime import datetime

from ._base import WireObject, instant, model
from .metrics import Metrics

__all__ = ["JobCheckpoint"]


@model
class JobCheckpoint(WireObject):
    """One checkpoint of a job (schema FineTuningJobCheckpoint).

    `fine_tuned_model_checkpoint` is the name to use it by; the last one bears the name of the final model.
    """

    id: str
    created_at: int
    fine_tuned_model_checkpoint: str
    step_number: int
    metrics: Metrics | None = None
    fine_tuning_job_id: str | None = None
    object: str | None = None

    @property
    def created(self) -> datetime:
        """When it was made, in UTC."""
        return instant(self.created_at)
