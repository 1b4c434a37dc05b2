"""The commands that change the state of jobs."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fine_tuning_async.cli.connection import Connection
from fine_tuning_async.cli.nouns import JOBS
from fine_tuning_async.cli.printing import Printing
from fine_tuning_async.models import FineTuningJob

if TYPE_CHECKING:
    from fine_tuning_async.client import FineTuningClient


async def cancel(
    *job_id: Annotated[str, Parameter(required=True)],
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """Cancel jobs."""
    await _steer(lambda client, each: client.cancel_job(each), job_id, printing, connection)


async def pause(
    *job_id: Annotated[str, Parameter(required=True)],
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """Pause running jobs."""
    await _steer(lambda client, each: client.pause_job(each), job_id, printing, connection)


async def resume(
    *job_id: Annotated[str, Parameter(required=True)],
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """Resume paused jobs."""
    await _steer(lambda client, each: client.resume_job(each), job_id, printing, connection)


async def _steer(
    change: Callable[["FineTuningClient", str], Awaitable[FineTuningJob]],
    job_ids: tuple[str, ...],
    printing: Printing,
    connection: Connection,
) -> None:
    rows = printing.rows(JOBS)
    async with connection.client() as client:
        for job_id in job_ids:
            rows.write([await change(client, job_id)])
