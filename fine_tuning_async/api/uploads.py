"""Uploads in parts: how they begin."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from attrs import frozen

from fine_tuning_async import models
from fine_tuning_async._wire import Request
from fine_tuning_async.errors import APIError

from . import _parts
from ._base import UPLOADS, BaseAPI

if TYPE_CHECKING:
    from fine_tuning_async.models import File

    from ._source import Progress, Source

__all__ = ["Limits", "UploadsAPI"]

UNKNOWN_OPERATION = frozenset({404, 405, 501})
"""What a server answers that has no uploads in parts, as many gateways have none."""

JSON_LINES = "text/jsonl"  # as in the example of createUpload
MIME_TYPES = {
    ".jsonl": JSON_LINES,
    ".json": "application/json",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
ROWS = frozenset({"fine-tune", "batch", "evals"})
"""Purposes whose files are JSON lines, however they are named."""


@frozen(kw_only=True)
class Limits:
    """Sizes in bytes.

    The API's reference gives them in MB. Where ours must not exceed the server's, these are read as millions of
    bytes, which fits whichever was meant. The largest upload, which only keeps an endless iterator from filling
    the disk, is read as GiB.

    Attributes:
        plain: The largest file that is sent in one piece.
        part: The size of a part.
        whole: The largest upload.
        in_flight: How many parts are sent at once.
    """

    plain: int = 512_000_000
    part: int = 64_000_000
    whole: int = 8 * 2**30
    in_flight: int = 4


class UploadsAPI(BaseAPI):
    """The operations on `/uploads`."""

    _limits: Limits = Limits()

    async def _upload_in_parts(
        self, content: Source, purpose: str, expires_after: int | None, progress: Progress | None
    ) -> File | None:
        """Upload in parts, or return None, before anything of the content is sent, if the server has no such way.

        operationIds createUpload, addUploadPart, completeUpload, cancelUpload. A creation whose answer was lost is
        sent again: an upload that nothing is added to expires within the hour.
        """
        parted = _parts.PartedUpload  # imported before anything is sent, so that nothing is left on the server
        name = content.filename.encode("utf-8", "replace").decode()
        body: dict[str, object] = {
            "bytes": content.size,
            "filename": name,
            "mime_type": MIME_TYPES.get(PurePath(name).suffix.lower(), _default(purpose)),
            "purpose": purpose,
        }
        if expires_after is not None:
            body["expires_after"] = {"anchor": "created_at", "seconds": expires_after}
        try:
            upload = await self._fetch(Request(method="POST", path=UPLOADS, json=body), models.Upload)
        except APIError as refusal:
            if refusal.status not in UNKNOWN_OPERATION:
                raise
            return None
        return await parted(self._pipeline, upload, content, self._limits, progress).run()


def _default(purpose: str) -> str:
    return JSON_LINES if purpose in ROWS else "application/octet-stream"
