"""The commands that take as long as jobs do."""

import asyncio
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fine_tuning_async.cli.connection import Connection
from fine_tuning_async.cli.exits import Exit
from fine_tuning_async.cli.failure import CommandFailure, Misuse
from fine_tuning_async.cli.output import complain, harmless
from fine_tuning_async.cli.printing import AsJSON
from fine_tuning_async.cli.report import explain
from fine_tuning_async.models import FineTuningJob, JobFailed, JobStatus

from .views import view_for

if TYPE_CHECKING:
    from fine_tuning_async.client import FineTuningClient


async def wait(
    *job_id: Annotated[str, Parameter(required=True)],
    max_wait: float | None = None,
    poll: float | None = None,
    json: AsJSON = False,
    connection: Connection = Connection(),
) -> int:
    """Wait until jobs have ended: 0 if all have succeeded, 1 otherwise.

    It prints each change of a status. Ctrl-C detaches; the jobs go on.

    Args:
        max_wait: Seconds after which to give up, with 5; the jobs go on.
        poll: Seconds between two looks; if left out, from one growing to thirty.
    """
    if max_wait is not None and not max_wait > 0:
        raise Misuse(f"--max-wait is {max_wait:g}; it is a number of seconds above 0")
    view, seen = view_for(as_json=json), dict[str, FineTuningJob]()
    async with connection.client() as client:
        with _detaching(["jobs", "wait", *job_id], connection), view.opened():
            try:
                async with asyncio.timeout(max_wait):
                    async for job in client.watch_jobs(job_id, poll=poll):
                        view.job(job)
                        seen[job.id] = job
            except TimeoutError:
                raise CommandFailure(_left(job_id, seen, f"{max_wait:g} s"), exit=Exit.NETWORK) from None
    return _verdict(list(seen.values()))


def _left(job_ids: Sequence[str], seen: Mapping[str, FineTuningJob], time: str) -> str:
    """Say which jobs have not ended in time, and of which nothing is known."""
    going = [each for each in seen if not seen[each].is_terminal]
    unseen = [each for each in dict.fromkeys(job_ids) if each not in seen]
    said = ((f"not ended in {time}, and going on", going), (f"not seen in {time}", unseen))
    return harmless("; ".join(f"{what}: {', '.join(ids)}" for what, ids in said if ids))


async def follow(
    job_id: str,
    /,
    *,
    after: str | None = None,
    poll: float | None = None,
    json: AsJSON = False,
    connection: Connection = Connection(),
) -> int:
    """Print the events of a job as they happen, until it has ended: 0 if it has succeeded, 1 otherwise.

    Ctrl-C detaches; the job goes on.

    Args:
        after: The id of the last event that was seen already.
        poll: Seconds between two looks; if left out, from one to thirty.
    """
    async with connection.client() as client:
        return await follow_to_end(client, job_id, after=after, poll=poll, as_json=json, connection=connection)


async def follow_to_end(
    client: "FineTuningClient",
    job_id: str,
    *,
    as_json: bool,
    connection: Connection,
    after: str | None = None,
    poll: float | None = None,
) -> int:
    """Show the events of a job until it has ended; return the exit code."""
    view, again = view_for(as_json=as_json), ["jobs", "follow", job_id]
    with _detaching(again, connection), view.opened():
        job = await client.retrieve_job(job_id)
        async for event in client.follow_events(job_id, after=after, poll=poll):
            again[3:] = ["--after", event.id]
            view.event(job, event)
        job = await client.retrieve_job(job_id)
        view.job(job)
    return _verdict([job])


@contextmanager
def _detaching(again: Sequence[str], connection: Connection) -> Iterator[None]:
    """Say how to go on, where Ctrl-C ends the wait."""
    try:
        yield
    except asyncio.CancelledError:
        if connection.forgets:
            complain("interrupted; the local server has stopped, and its jobs are gone (--db keeps them)")
        else:
            words = shlex.join(["fine-tuning", *again, *connection.words])
            complain(harmless(f"detached; what was started goes on. To come back: {words}"))
        raise


def _verdict(jobs: Sequence[FineTuningJob]) -> int:
    bad = [job for job in jobs if job.status != JobStatus.SUCCEEDED]
    for job in bad:
        complain(explain(JobFailed(job)))
    return Exit.FAILURE if bad else Exit.OK
