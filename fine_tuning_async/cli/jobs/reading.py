"""The commands that read jobs."""

from fine_tuning_async.api._metadata import NO_METADATA
from fine_tuning_async.cli.arguments import pairs
from fine_tuning_async.cli.connection import Connection
from fine_tuning_async.cli.nouns import CHECKPOINTS, EVENTS, JOBS
from fine_tuning_async.cli.printing import Printing

LARGE_PAGE = 100  # the most that OpenAI gives at once


async def list_jobs(
    *,
    metadata: tuple[str, ...] = (),
    after: str | None = None,
    limit: int = LARGE_PAGE,
    max_items: int | None = None,
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """List jobs, newest first, however many there are.

    Args:
        metadata: Only jobs with this pair, KEY=VALUE; may be given several times. `null` for those without any.
        after: The id of the job after which to go on.
        limit: The size of a page.
        max_items: How many jobs at most.
    """
    wanted = NO_METADATA if metadata == (NO_METADATA.value,) else pairs(metadata, "--metadata")
    async with connection.client() as client:
        listing = client.list_jobs(after=after, limit=limit, metadata=wanted, max_items=max_items)
        await printing.all(listing, JOBS)


async def get(job_id: str, /, *, printing: Printing = Printing(), connection: Connection = Connection()) -> None:
    """Show a job with all its fields."""
    async with connection.client() as client:
        printing.one(await client.retrieve_job(job_id), JOBS)


async def events(
    job_id: str,
    /,
    *,
    after: str | None = None,
    limit: int = LARGE_PAGE,
    max_items: int | None = None,
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """List the events of a job, newest first; `jobs follow` gives them as they happen.

    Args:
        after: The id of the event after which to go on, towards older ones.
        limit: The size of a page.
        max_items: How many events at most.
    """
    async with connection.client() as client:
        await printing.all(client.list_events(job_id, after=after, limit=limit, max_items=max_items), EVENTS)


async def checkpoints(
    job_id: str,
    /,
    *,
    after: str | None = None,
    limit: int | None = None,
    max_items: int | None = None,
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """List the checkpoints of a job, newest first.

    Args:
        after: The id of the checkpoint after which to go on, towards older ones.
        limit: The size of a page.
        max_items: How many checkpoints at most.
    """
    async with connection.client() as client:
        listing = client.list_checkpoints(job_id, after=after, limit=limit, max_items=max_items)
        await printing.all(listing, CHECKPOINTS)
