"""The commands that read jobs."""

from fine_tuning_async.api._metadata import NO_METADATA
from fine_tuning_async.cli.arguments import pairs
from fine_tuning_async.cli.connection import Connection
from fine_tuning_async.cli.nouns import CHECKPOINTS, EVENTS, JOBS
from fine_tuning_async.cli.paging import LARGE_PAGE, Paging
from fine_tuning_async.cli.printing import Printing


async def list_jobs(
    *,
    metadata: tuple[str, ...] = (),
    paging: Paging = Paging(),
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """List jobs, newest first, however many there are.

    Args:
        metadata: Only jobs with this pair, KEY=VALUE; may be given several times. `null` for those without any.
    """
    wanted = NO_METADATA if metadata == (NO_METADATA.value,) else pairs(metadata, "--metadata")
    async with connection.client() as client:
        listing = client.list_jobs(metadata=wanted, **paging.part(LARGE_PAGE))
        await printing.all(listing, JOBS)


async def get(job_id: str, /, *, printing: Printing = Printing(), connection: Connection = Connection()) -> None:
    """Show a job with all its fields."""
    async with connection.client() as client:
        printing.one(await client.retrieve_job(job_id), JOBS)


async def events(
    job_id: str,
    /,
    *,
    paging: Paging = Paging(),
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """List the events of a job, newest first; `jobs follow` gives them as they happen."""
    async with connection.client() as client:
        await printing.all(client.list_events(job_id, **paging.part(LARGE_PAGE)), EVENTS)


async def checkpoints(
    job_id: str,
    /,
    *,
    paging: Paging = Paging(),
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """List the checkpoints of a job, newest first."""
    async with connection.client() as client:
        await printing.all(client.list_checkpoints(job_id, **paging.part()), CHECKPOINTS)
