"""Files: what was uploaded, and what jobs leave behind."""

from datetime import datetime

from ._base import WireObject, instant, model

__all__ = ["File"]


@model
class File(WireObject):
    """A file on the server (schema OpenAIFile). `bytes` is its size."""

    id: str
    created_at: int
    filename: str
    purpose: str
    bytes: int | None = None
    status: str | None = None
    status_details: str | None = None
    expires_at: int | None = None
    object: str | None = None

    @property
    def created(self) -> datetime:
        """When it was uploaded, in UTC."""
        return instant(self.created_at)
