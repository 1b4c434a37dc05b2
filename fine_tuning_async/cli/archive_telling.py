"""What the `archive` commands print."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson
from attrs import asdict

from fine_tuning_async.errors import ArchiveError

from .cells import cell
from .output import complain, harmless, is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fine_tuning_async.archive import (
        Archive,
        ArchiveProgress,
        ArchiveReport,
        ArchiveSummary,
        ArchiveVerification,
    )

PERIOD = 10.0
"""Seconds between two lines where there is no terminal."""

UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@contextmanager
def progress() -> Iterator[Callable[[ArchiveProgress], object]]:
    """Give what tells how far a run has come, and say how to go on where Ctrl-C ends it."""
    try:
        with _shown() as told:
            yield told
    except asyncio.CancelledError:
        complain("stopped; what was fetched is kept: run it again, and it goes on")
        raise


@contextmanager
def _shown() -> Iterator[Callable[[ArchiveProgress], object]]:
    """Give what shows it: a line that changes on a terminal, else one now and then."""
    if not is_terminal(sys.stderr):
        yield Lines()
        return
    from rich.live import Live  # noqa: PLC0415 - where it is needed

    from .terminal import console  # noqa: PLC0415 - as above

    with Live(console=console(stderr=True), transient=True, refresh_per_second=8) as live:
        yield lambda told: live.update(in_one_line(told))


class Lines:
    """Writes a line every ten seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PERIOD

    def __call__(self, told: ArchiveProgress) -> None:
        """Write a line if it is time."""
        if time.monotonic() >= self._next:
            self._next += PERIOD
            complain(in_one_line(told))


def in_one_line(told: ArchiveProgress) -> str:
    """Say how far a run has come."""
    more = "+" if told.listing else ""
    counts = [
        f"{told.jobs:,} of {told.jobs_known:,}{more} jobs",
        f"{told.files:,} of {told.files_known:,}{more} files ({size(told.size)})",
    ]
    if told.permissions_known:
        counts.append(f"{told.permissions:,} of {told.permissions_known:,}{more} permissions")
    if told.gaps:
        counts.append(counted(told.gaps, "gap"))
    counts.append("listing" if told.remaining is None else f"about {duration(told.remaining)} left")
    return ", ".join(counts)


def of_report(report: ArchiveReport) -> str:
    """Say what a run has come to."""
    text = (
        f"{counted(report.listed, 'job')}, {report.fetched:,} of them fetched now, with "
        f"{counted(report.files, 'file')} ({size(report.size)}), in {duration(report.seconds)}"
    )
    if report.unfinished:
        text += f"; {report.unfinished:,} not finished: run it again later"
    if report.gaps:
        text += f"; {counted(report.gaps, 'gap')}: see `fine-tuning archive show {report.directory}`"
    return text


def of_verification(found: ArchiveVerification) -> str:
    """Say whether an archive is sound, or what is damaged."""
    if found.is_sound:
        return f"sound: {counted(found.contents, 'content')}, {size(found.size)}"
    lines = [f"{len(found.damages):,} damaged; remove a file and run `fine-tuning archive` to fetch it again"]
    return "\n".join(
        [*lines, *(harmless(f"{each.path or 'archive.sqlite'}: {each.reason}") for each in found.damages)]
    )


def of_archive(archive: Archive) -> Iterator[str]:
    """Say how much there is of everything, and what could not be had."""
    found = archive.summary()
    yield f"jobs         {sum(found.jobs.values()):,}"
    for status, count in found.jobs.items():
        yield f"  {status:<17} {count:,}"
    for name in ("events", "checkpoints", "permissions", "models"):
        yield f"{name:<12} {getattr(found, name):,}"
    lacking = f"{found.files_gone:,} gone, {found.files_missing:,} missing"
    yield f"files        {found.files:,} ({size(found.size)}), {lacking}"
    yield f"unfinished   {found.unfinished:,}"
    yield f"last run     {found.last_run.isoformat(' ', 'seconds') if found.last_run else 'none was completed'}"
    yield f"gaps         {found.gaps:,}"
    for gap in archive.gaps():
        yield f"  {gap.kind} {gap.id or '(all)'}: {gap.reason}"


def of_job(archive: Archive, job_id: str) -> Iterator[str]:
    """Show a job: what it is, its checkpoints, its files, its events, oldest first."""
    job = archive.job(job_id)
    yield f"{job.id}  {job.status}  {job.model}  {cell('created_at', job.created_at)}"
    if job.fine_tuned_model:
        yield f"model        {job.fine_tuned_model}"
    if job.error and job.error.message:
        yield f"error        {job.error.message}"
    for file_id in filter(None, [job.training_file, job.validation_file, *(job.result_files or [])]):
        yield f"file         {file_id}  {_state(archive, file_id)}"
    for checkpoint in archive.checkpoints(job_id):
        yield f"checkpoint   {checkpoint.step_number:>6}  {checkpoint.fine_tuned_model_checkpoint}"
    for event in reversed(list(archive.events(job_id))):
        yield f"{cell('created_at', event.created_at)}  {event.message}"


def _state(archive: Archive, file_id: str) -> str:
    try:
        file = archive.file(file_id)
    except ArchiveError:  # a result file of a job that has not ended
        return "not asked for"
    return str(file.path) if file.path else file.state


def job_as_json(archive: Archive, job_id: str) -> Iterator[str]:
    """Give the lines of an export that are about a job."""
    archive.job(job_id)
    for line in archive.lines():
        said = orjson.loads(line)
        if job_id in {said.get("job_id"), said["id"]}:
            yield line.decode().rstrip("\n")


def as_json(result: ArchiveReport | ArchiveSummary | ArchiveVerification) -> str:
    """Give a result as a line of JSON."""
    return orjson.dumps(asdict(result), default=str).decode()


def counted(count: int, thing: str) -> str:
    """Say how many things there are."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Say how many bytes there are."""
    return next((f"{count / unit:.1f} {name}" for unit, name in UNITS if count >= unit), f"{count} bytes")


def duration(seconds: float) -> str:
    """Say how long something takes."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
