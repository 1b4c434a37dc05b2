"""The metadata filter of a list of jobs."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

from . import _allowed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NO_METADATA", "NoMetadata", "metadata_query"]


class NoMetadata(Enum):
    """The type of NO_METADATA."""

    NO_METADATA = "null"


NO_METADATA: Final = NoMetadata.NO_METADATA
"""For `list_jobs(metadata=NO_METADATA)`: the jobs that have no metadata at all."""


def metadata_query(
    metadata: Mapping[str, str] | Literal[NoMetadata.NO_METADATA] | None,
) -> dict[str, str]:
    """Return the query that asks for jobs with this metadata; None asks for all.

    Raises:
        InvalidArgumentError: The metadata is none.
    """
    if metadata is None:
        return {}
    if isinstance(metadata, NoMetadata):
        return {"metadata": metadata.value}
    _allowed.check_metadata(metadata)
    return {f"metadata[{key}]": value for key, value in metadata.items()}
