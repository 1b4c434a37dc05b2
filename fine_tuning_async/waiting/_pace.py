"""How long to wait between two looks at a server."""

from __future__ import annotations

import random

from attrs import define, field

__all__ = ["LONGEST", "SHORTEST", "Pace"]

SHORTEST = 1.0
LONGEST = 30.0
"""Seconds between two looks, where the caller does not say."""
GROWTH = 1.5
SLOWEST = 9  # the first step on which the wait is the longest
JITTER = 0.2
"""The part of a wait that is left to chance, so that many who wait do not come back together."""


@define
class Pace:
    """Waits that grow from a second to thirty while nothing happens, or that are as the caller asked.

    Attributes:
        asked: Seconds between two looks, or None to let them grow.
    """

    asked: float | None = None
    _step: int = field(default=0, alias="step")

    @classmethod
    def slow(cls, asked: float | None) -> Pace:
        """Make one that begins with the longest wait, as news come another way."""
        return cls(asked, step=SLOWEST)

    def next(self) -> float:
        """Return the seconds until the next look, and let those after it grow."""
        step, self._step = self._step, min(self._step + 1, SLOWEST)
        return _wait(step) if self.asked is None else self.asked

    def after_failure(self, failures: int) -> float:
        """Return the seconds until the next look after so many failures in a row: never less than `next`."""
        return max(self.next(), _wait(failures - 1))

    def hasten(self) -> None:
        """Look sooner than last time: something has happened."""
        self._step = max(0, self._step - 2)

    def restart(self) -> None:
        """Look as often as at first: something is about to happen."""
        self._step = 0


def _wait(step: int) -> float:
    longest = LONGEST if step >= SLOWEST else SHORTEST * GROWTH**step
    return longest * random.uniform(1 - JITTER, 1)  # noqa: S311 - guards nothing
