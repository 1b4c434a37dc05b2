"""Uploads: files that arrive in parts."""

from datetime import datetime

from ._base import WireObject, instant, model
from .files import File

__all__ = ["Upload", "UploadPart"]


@model
class Upload(WireObject):
    """An upload in parts (schema Upload). `bytes` is the size of the file that it is to become.

    Its status is `pending`, `completed`, `cancelled` or `expired`; `file` is there once it is completed.
    """

    id: str
    created_at: int
    filename: str
    purpose: str
    status: str
    bytes: int | None = None
    expires_at: int | None = None
    file: File | None = None
    object: str | None = None

    @property
    def created(self) -> datetime:
        """When it was begun, in UTC."""
        return instant(self.created_at)


@model
class UploadPart(WireObject):
    """A part of an upload (schema UploadPart)."""

    id: str
    created_at: int | None = None
    upload_id: str | None = None
    object: str | None = None
