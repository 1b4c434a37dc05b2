"""The end of a job that did not succeed, as an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.errors import FineTuningError

if TYPE_CHECKING:
    from .jobs import FineTuningJob

__all__ = ["JobFailed"]


class JobFailed(FineTuningError):  # noqa: N818 - the name is part of the public face
    """A job that was waited for ended otherwise than succeeded: it failed, or was cancelled.

    Attributes:
        job: The job as it ended.
        code: The server's machine-readable code, such as `invalid_n_examples`, if it gave one.
        message: The server's own words, if it gave any.
    """

    def __init__(self, job: FineTuningJob) -> None:
        self.job = job
        self.code: str | None = job.error.code if job.error else None
        self.message: str | None = job.error.message if job.error else None
        reason = ": ".join(part for part in (self.code, self.message) if part)
        super().__init__(f"job {job.id} ended as {job.status}: {reason or 'the server gives no reason'}")
