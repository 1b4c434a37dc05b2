"""The ends that a test gives to a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import JobStateError, UnknownJobError

if TYPE_CHECKING:
    from .records import Job
    from .service import Service

CODE = "server_error"
MESSAGE = "The job failed due to an internal error."


def job_of(service: Service, job_id: str) -> Job:
    """Return a job, within a session.

    Raises:
        UnknownJobError: There is none of this id.
    """
    if not isinstance(job_id, str):
        raise TypeError(f"job_id is a {type(job_id).__name__}; it must be a string: pass the job's `id`")
    found = service.store.jobs.find(job_id)
    if found is None:
        raise UnknownJobError(f"the server holds no job {job_id!r}")
    return found


def finish(service: Service, job_id: str) -> None:
    """Walk a job to its end now.

    Raises:
        UnknownJobError: There is no such job.
        JobStateError: The job has failed or was cancelled.
    """
    with service.session() as now:
        job = job_of(service, job_id)
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
        service.progress.fail(job_of(service, job_id), now, error)
