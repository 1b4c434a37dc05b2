"""Integrations: where a job reports its metrics."""

from ._base import WireObject, model

__all__ = ["Integration", "WandbSettings"]


@model
class WandbSettings(WireObject):
    """Where in Weights and Biases a run is kept (schema FineTuningIntegration)."""

    project: str
    name: str | None = None
    entity: str | None = None
    tags: list[str] | None = None


@model
class Integration(WireObject):
    """One integration of a job (schema FineTuningIntegration)."""

    type: str = "wandb"
    wandb: WandbSettings | None = None
