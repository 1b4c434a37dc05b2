"""What the events of a job say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .plan import describe

if TYPE_CHECKING:
    from .plan import Metrics
    from .records import Job


class Wording:
    """OpenAI's words, as recorded. What happens at one moment may be several events, oldest first."""

    pausing: str = "Pausing the job"
    paused: str = "The job was paused"
    resumed: str = "The job was resumed"
    cancelled: str = "The job was cancelled"
    failed: str = "The job failed"

    def created(self, job: Job) -> tuple[str, ...]:
        """Say that there is a job."""
        also = f" and validation file: {job.validation_file}" if job.validation_file else ""
        return (
            f"Created fine-tuning job: {job.id}",
            f"Validating training file: {job.training_file}{also}",
        )

    def validated(self) -> str:
        """Say that the files are good."""
        return "Files validated, moving job to queued state"

    def started(self) -> str:
        """Say that the training begins."""
        return "Fine-tuning job started"

    def step(self, figures: Metrics) -> str:
        """Say how a step went."""
        return describe(figures)

    def checkpoint(self, step: int, name: str) -> str:
        """Say that a checkpoint was taken."""
        return f"Checkpoint created at step {step} with Snapshot ID: {name}"

    def succeeded(self, job: Job) -> tuple[str, ...]:
        """Say that the job is done."""
        return (
            f"New fine-tuned model created: {job.fine_tuned_model}",
            "The job has successfully completed",
        )
