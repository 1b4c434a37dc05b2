"""What becomes of something that could not be had: a gap in the archive, or the end of the run."""

from __future__ import annotations

from http import HTTPStatus

from attrs import define

from fine_tuning_async._wire import Replay
from fine_tuning_async.errors import (
    APIError,
    ArchiveError,
    AuthenticationError,
    ClientStateError,
    DeadlineExceeded,
    DestinationError,
    FineTuningError,
    PermissionDeniedError,
    RateLimitError,
)
from fine_tuning_async.retry import may_retry

from ._book import Gap, Item

__all__ = ["Misses"]

IN_A_ROW = 16
"""So many failures without a success between them end a run: the server is not there."""

GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@define
class Misses:
    """The failures of a run.

    Attributes:
        are_denied: Whether the key may not see permissions. One key, one answer: the others need not be asked for.
    """

    are_denied: bool = False
    _in_a_row: int = 0

    def forgive(self) -> None:
        """Note a success."""
        self._in_a_row = 0

    def gap(self, item: Item, failure: FineTuningError) -> Gap | None:
        """Return the gap that a failure leaves; None if it is known already. Raise what no run survives."""
        refused = isinstance(failure, AuthenticationError | PermissionDeniedError)
        if item.kind == "permissions" and refused:
            if self.are_denied:
                return None
            self.are_denied, item = True, Item(item.kind, "")
        elif item.kind != "models" or not refused:
            self.weigh(failure)
        if not isinstance(failure, APIError):
            return Gap(item, None, str(failure), gone=False)
        gone = failure.status in GONE and item.kind != "models"
        return Gap(item, failure.status, failure.message, gone=gone)

    def weigh(self, failure: FineTuningError) -> None:
        """Raise a failure after which there is no use in going on.

        A key that is refused is; so is a disk that is full, and so are many failures in a row that may pass.
        """
        if isinstance(failure, DestinationError):
            raise ArchiveError(f"a content cannot be written: {failure}") from failure
        if isinstance(failure, ArchiveError | AuthenticationError | ClientStateError):
            raise failure
        passing = isinstance(failure, RateLimitError | DeadlineExceeded) or may_retry(failure, Replay.SAFE)
        self._in_a_row = self._in_a_row + 1 if passing else 0
        if self._in_a_row >= IN_A_ROW:
            failure.add_note("The archive keeps what was fetched; run it again to go on.")
            raise failure
