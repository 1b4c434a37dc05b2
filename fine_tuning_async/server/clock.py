"""The server's own time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


LATEST = 253_402_300_799.0
"""The last second of the year 9999, behind which no calendar of Python's goes."""

FASTEST = 1_000_000
"""Simulated seconds in one second: a training of a month in three."""


class Clock:
    """Stands still but for `advance`, or runs `speed` times as fast as the loop that serves.

    Args:
        speed: Simulated seconds in one second of the loop; None keeps the clock still.

    Attributes:
        per_poll: Seconds by which each look at jobs moves it forward.

    Raises:
        ValueError: `speed` is not above zero.
    """

    def __init__(self, speed: float | None) -> None:
        if speed is not None and not 0 < speed <= FASTEST:
            raise ValueError(
                f"speed must be above 0, at most {FASTEST:,}, or None for a clock moved by advance, not {speed!r}"
            )
        self.speed: float | None = speed
        self._reached = time.time()
        self._ticks: Callable[[], float] | None = None
        self._since = 0.0
        self.per_poll: float = 0.0

    def start(self, at: float, ticks: Callable[[], float]) -> None:
        """Begin at `at`; `ticks` is the serving loop's own time, so that a virtual loop moves it too."""
        self._reached, self._ticks, self._since = at, ticks, ticks()

    def restart(self) -> None:
        """Show the real time again."""
        self._reached = time.time()
        if self._ticks is not None:
            self._since = self._ticks()

    def stop(self) -> None:
        """Stand still from now on."""
        self._reached, self._ticks = self.now(), None

    def now(self) -> float:
        """Return the Unix time that the server believes it to be."""
        if self.speed is None or self._ticks is None:
            return self._reached
        return min(self._reached + (self._ticks() - self._since) * self.speed, LATEST)

    def until(self, moment: float) -> float | None:
        """Return after how many seconds of the loop it is `moment`; None if the clock stands still."""
        if self.speed is None or self._ticks is None:
            return None
        return max(0.0, (moment - self.now()) / self.speed)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`.

        Raises:
            ValueError: `seconds` is negative, or leads beyond the year 9999.
        """
        if not 0 <= seconds <= LATEST - self.now():
            raise ValueError(
                f"time moves forward only, and not beyond the year 9999: cannot advance by {seconds!r} seconds"
            )
        self._reached += seconds
