"""The ends that a test gives to a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import JobStateError

if TYPE_CHECKING:
    from .service import Service

CODE = "server_error"
MESSAGE = "The job failed due to an internal error."


def finish(service: Service, job_id: str) -> None:
    """Walk a job to its end now.

    Raises:
        UnknownJobError: There is no such job.
        JobStateError: The job has failed or was cancelled.
    """
    with service.session() as now:
        job = service.job(job_id)
        if job.status in {"failed", "cancelled"}:
            raise JobStateError(f"job {job_id} is {job.status}: it cannot succeed any more")
        service.progress.finish(job, now)


def fail(service: Service, job_id: str, error: dict[str, str | None]) -> None:
    """Let a job fail now, for the reason that is given.

    Raises:
        UnknownJobError: There is no such job.
        JobStateError: The job has ended already.
    """
    with service.session() as now:
        service.progress.fail(service.job(job_id), now, error)
