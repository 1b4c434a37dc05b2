"""What the API's specification allows in the arguments of calls that have no model for them."""

from __future__ import annotations

from fine_tuning_async.models._limits import OneOf, Text, Whole, check_metadata, require

__all__ = [
    "EXPIRY",
    "FILENAME",
    "FILES_ORDER",
    "FILES_PAGE",
    "PERMISSIONS_ORDER",
    "PROJECT",
    "PURPOSE",
    "check_metadata",
    "require",
]

PURPOSE = Text(1, 64)
FILENAME = Text(1, 1_000)
EXPIRY = Whole(3_600, 2_592_000, auto=False)  # schema FileExpirationAfter, in seconds
FILES_ORDER = OneOf(("asc", "desc"))  # operationId listFiles
FILES_PAGE = Whole(1, 10_000, auto=False)  # as above
PROJECT = Text(1, 1_000)
PERMISSIONS_ORDER = OneOf(("ascending", "descending"))  # operationId listFineTuningCheckpointPermissions
