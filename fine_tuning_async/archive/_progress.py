"""How far a run has come, with an estimate of what is left."""

from __future__ import annotations

from attrs import define, field, frozen

__all__ = ["ArchiveProgress", "Tally"]

REQUESTS = {"job": 2, "file": 1, "permissions": 1}
"""What one of each kind takes at least: of a job, events and checkpoints are asked for."""

ENOUGH = 10
"""So many requests are needed before anything is estimated."""


@frozen(kw_only=True)
class ArchiveProgress:
    """How far a run has come.

    Attributes:
        listing: Whether the list of jobs is still being read: until then, there may be more of everything.
        listed: How many jobs the list has had so far.
        jobs: How many jobs were fetched, with events and checkpoints.
        jobs_known: How many are to be fetched in this run, as far as is known; jobs that have not changed are not.
        files: How many files were fetched.
        files_known: How many are to be fetched.
        permissions: Of how many checkpoints the permissions were fetched.
        permissions_known: Of how many they are to be fetched.
        gaps: How much could not be had.
        size: How many bytes of contents have come.
        seconds: How long the run has taken.
        remaining: Seconds that the rest will take if it goes on like this; None where nobody can know.
    """

    listing: bool
    listed: int
    jobs: int
    jobs_known: int
    files: int
    files_known: int
    permissions: int
    permissions_known: int
    gaps: int
    size: int
    seconds: float
    remaining: float | None


def _zeros() -> dict[str, int]:
    return dict.fromkeys(REQUESTS, 0)


@define
class Tally:
    """What a run has counted so far, by kind: what is known, what of it was done, and fetched."""

    started: float
    known: dict[str, int] = field(factory=_zeros)
    done: dict[str, int] = field(factory=_zeros)
    fetched: dict[str, int] = field(factory=_zeros)
    pages: int = 0  # of the lists of the whole account
    begun: int = 0  # jobs whose events are here, and whose checkpoints are not
    gaps: int = 0
    size: int = 0
    listed: int = 0
    listing: bool = True

    def add(self, found: dict[str, int]) -> None:
        """Count what is to be fetched, besides what was known."""
        for kind, count in found.items():
            self.known[kind] += count

    def progress(self, now: float) -> ArchiveProgress:
        """Return how far it has come."""
        seconds = now - self.started
        return ArchiveProgress(
            listing=self.listing,
            listed=self.listed,
            jobs=self.done["job"],
            jobs_known=self.known["job"],
            files=self.done["file"],
            files_known=self.known["file"],
            permissions=self.done["permissions"],
            permissions_known=self.known["permissions"],
            gaps=self.gaps,
            size=self.size,
            seconds=seconds,
            remaining=self._remaining(seconds),
        )

    def _remaining(self, seconds: float) -> float | None:
        """Go by the requests: those that were made took so long, those that are left will take as long each.

        The jobs that are left will bring lists of permissions too, as many as those that were fetched.
        """
        made = sum(count * REQUESTS[kind] for kind, count in self.done.items()) + self.begun + self.pages
        left = sum((count - self.done[kind]) * REQUESTS[kind] for kind, count in self.known.items()) - self.begun
        if self.listing or (left and made < ENOUGH):
            return None
        if self.done["job"]:
            each = self.known["permissions"] / self.done["job"]
            left += round((self.known["job"] - self.done["job"]) * each)
        return left * seconds / made if left else 0.0
