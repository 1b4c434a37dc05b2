"""Tells where the recent jobs of a list end, whichever way it is ordered; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fine_tuning_async.models import FineTuningJob

__all__ = ["Recent"]

MANY = 20
"""Jobs, the API's own page."""


@define
class Recent:
    """The jobs of one list that are no older than a time.

    The API lists the newest first, so that nothing recent follows an older job. Some servers list the oldest
    first, or in no order: only where the times of a good many jobs fall, and never rise, is the rest left unread.

    Attributes:
        since: Unix seconds.
    """

    since: float
    _count: int = field(init=False, default=0)
    _before: float | None = field(init=False, default=None)
    _falls: bool = field(init=False, default=False)
    _rises: bool = field(init=False, default=False)

    def ends_with(self, page: Iterable[FineTuningJob]) -> bool:
        """Take the next page; tell whether nothing recent follows it."""
        for job in page:
            before, self._before = self._before, job.created_at
            self._count += 1
            if before is not None:
                self._falls = self._falls or job.created_at < before
                self._rises = self._rises or job.created_at > before
        in_order = self._count >= MANY and self._falls and not self._rises
        return in_order and self._before is not None and self._before < self.since
