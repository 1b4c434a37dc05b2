"""Permissions: which project may use a checkpoint."""

from datetime import datetime

from ._base import WireObject, instant, model

__all__ = ["CheckpointPermission"]


@model
class CheckpointPermission(WireObject):
    """The right of one project to use a checkpoint (schema FineTuningCheckpointPermission)."""

    id: str
    created_at: int
    project_id: str
    object: str | None = None

    @property
    def created(self) -> datetime:
        """When it was given, in UTC."""
        return instant(self.created_at)
