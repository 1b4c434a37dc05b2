"""Fine-tuning jobs."""

from datetime import datetime
from enum import StrEnum

from ._base import WireObject, instant, model
from .integrations import Integration
from .methods import Method, SupervisedHyperparameters

__all__ = ["STATUSES_AFTER", "TERMINAL_STATUSES", "FineTuningJob", "JobError", "JobStatus"]


class JobStatus(StrEnum):
    """The statuses that servers are known to send; a job's `status` is a plain string and may be another."""

    VALIDATING_FILES = "validating_files"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    CREATED = "created"
    """OpenAI, in 2023."""
    PENDING = "pending"
    """Azure, as the three below."""
    NOT_RUNNING = "notRunning"
    CANCELING = "canceling"
    CANCELED = "canceled"


TERMINAL_STATUSES: frozenset[str] = frozenset(
    {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.CANCELED}
)
"""A job in one of these will not change again. A status that is not known is not terminal."""

STATUSES_AFTER: dict[str, frozenset[str]] = {
    "cancel": frozenset({JobStatus.CANCELING, JobStatus.CANCELLED, JobStatus.CANCELED}),
    "pause": frozenset({JobStatus.PAUSING, JobStatus.PAUSED}),
    "resume": frozenset(
        {JobStatus.VALIDATING_FILES, JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED, JobStatus.FAILED}
    ),
}
"""In or past the state that was asked for, by the word in the path of the request."""


@model
class JobError(WireObject):
    """Why a job failed. Some servers send it empty for healthy jobs: then it is false in a condition."""

    code: str | None = None
    message: str | None = None
    param: str | None = None

    def __bool__(self) -> bool:
        return bool(self.code or self.message or self.param)


@model
class FineTuningJob(WireObject):
    """A fine-tuning job (schema FineTuningJob).

    Times are Unix seconds; `created` and `finished` give them as datetimes. What a server left out or sent as
    null is None. `finished_at` stays None on jobs that failed or were cancelled: ask `is_terminal`.
    """

    id: str
    created_at: int
    model: str
    status: str
    training_file: str | None = None
    validation_file: str | None = None
    fine_tuned_model: str | None = None
    finished_at: int | None = None
    estimated_finish: int | None = None
    trained_tokens: int | None = None
    result_files: list[str] | None = None
    organization_id: str | None = None
    seed: int | None = None
    hyperparameters: SupervisedHyperparameters | None = None
    method: Method | None = None
    integrations: list[Integration] | None = None
    metadata: dict[str, str] | None = None
    error: JobError | None = None
    user_provided_suffix: str | None = None
    object: str | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the job will not change again."""
        return self.status in TERMINAL_STATUSES

    @property
    def created(self) -> datetime:
        """When the job was created, in UTC."""
        return instant(self.created_at)

    @property
    def finished(self) -> datetime | None:
        """When the job finished, in UTC; None if it did not, or if the server does not say."""
        return None if self.finished_at is None else instant(self.finished_at)
