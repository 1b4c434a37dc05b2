"""Figures of runs and archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from fine_tuning_async.models import File

__all__ = ["ArchiveGap", "ArchiveReport", "ArchiveSummary", "ArchivedFile"]


@frozen
class ArchiveGap:
    """Something that could not be had.

    Attributes:
        kind: `job`, for its events and checkpoints; `file`; `permissions`, of one checkpoint or, with an empty id,
            of all; `models`.
        id: Of what.
        status: The status of the server's answer; None if there was none that could be used.
        reason: What the server said, or what went wrong.
    """

    kind: str
    id: str
    status: int | None
    reason: str


@frozen(kw_only=True)
class ArchiveReport:
    """What a run has fetched, and what the archive holds after it.

    Attributes:
        directory: Where the archive is.
        listed: How many jobs the account has.
        fetched: Of how many of them events and checkpoints were fetched; the others were here already.
        unfinished: How many jobs of the archive a later run will ask for again: they have not ended, have only
            just ended, or could not be fetched.
        files: How many files were fetched.
        size: How many bytes they have.
        permissions: Of how many checkpoints the permissions were fetched.
        gaps: How much of the archive could not be had; `Archive.gaps` says what.
        seconds: How long it took.
    """

    directory: Path
    listed: int
    fetched: int
    unfinished: int
    files: int
    size: int
    permissions: int
    gaps: int
    seconds: float


@frozen(kw_only=True)
class ArchivedFile:
    """A file that a job names.

    Attributes:
        id: Its id.
        state: `stored`; `gone`, if the server no longer had it; `wanted`, if it has not been fetched so far.
        file: What the server knew about it; None if it knew nothing.
        sha256: The checksum of the content, in hexadecimal; None if it is not here.
        size: Its bytes.
        path: Where the content is; None if it is not here.
    """

    id: str
    state: str
    file: File | None
    sha256: str | None
    size: int | None
    path: Path | None


@frozen(kw_only=True)
class ArchiveSummary:
    """How much an archive holds.

    Attributes:
        jobs: How many jobs there are of each status.
        unfinished: How many of them a later run will ask for again.
        events: How many events.
        checkpoints: How many checkpoints.
        permissions: How many permissions.
        models: How many models.
        files: How many files have their content here.
        files_gone: How many the server no longer had.
        files_missing: How many were not fetched so far.
        size: How many bytes of contents; what several files share is counted once.
        gaps: How much could not be had.
        last_run: When the last run that came to its end did so; None if there was none.
    """

    jobs: Mapping[str, int]
    unfinished: int
    events: int
    checkpoints: int
    permissions: int
    models: int
    files: int
    files_gone: int
    files_missing: int
    size: int
    gaps: int
    last_run: datetime | None
