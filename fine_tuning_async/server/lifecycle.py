"""The states of a job as a table."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from .errors import JobStateError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STOPS = frozenset({"failed", "cancelled"})

NEXT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "validating_files": _STOPS | {"queued", "pausing"},
        "queued": _STOPS | {"running", "pausing"},
        "running": _STOPS | {"succeeded", "pausing"},
        # A trainer may be done before it pauses.
        "pausing": _STOPS | {"paused", "succeeded"},
        # A job that goes on returns to the status that it was held in.
        "paused": _STOPS | {"validating_files", "queued", "running"},
        "succeeded": frozenset(),
        "failed": frozenset(),
        "cancelled": frozenset(),
    }
)
"""For each status, those that may follow it."""

TERMINAL = frozenset(status for status, following in NEXT.items() if not following)
"""The statuses in which a job stays."""


def move(status: str, to: str) -> str:
    """Return `to`.

    Raises:
        JobStateError: The table does not let `to` follow `status`.
    """
    if to not in NEXT[status]:
        raise JobStateError(f"a job that is {status} cannot become {to}")
    return to
