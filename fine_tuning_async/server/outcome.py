"""What a training leaves behind: checkpoints, a model, a result file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from . import views
from .ids import OWNER
from .store import CHUNK, StoredFile

if TYPE_CHECKING:
    from .ids import Minter
    from .plan import Metrics
    from .records import Job
    from .store import Store
    from .ways import Ways

KEPT_CHECKPOINTS = 3
"""The API keeps those of the last three epochs."""

_PURPOSE, _FILENAME = "fine-tune-results", "step_metrics.csv"
_RESULT_COLUMNS = (
    "step",
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
)
_RESULT_HEADER = "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"


class Outcome:
    """Writes the products of a job into the store."""

    def __init__(self, store: Store, mint: Minter, ways: Ways) -> None:
        self._store = store
        self._mint = mint
        self._ways = ways

    def checkpoint(self, job: Job, at: float, figures: Metrics, artefact: str | None = None) -> str:
        """Keep a checkpoint after the job's step; return its name."""
        name = self._mint.snapshot(job)
        self._keep(job, at, name, figures, artefact)
        return name

    def replace(self, job: Job) -> None:
        """Forget the checkpoint that was taken after the job's step before, if any."""
        for name in self._store.jobs.drop_checkpoint(job):
            self._store.models.remove(name)

    def deliver(
        self, job: Job, at: float, figures: Metrics, artefact: str | None = None, results: bytes | None = None
    ) -> None:
        """Write the model with its checkpoint and the result file; put their names into the job."""
        model = self._mint.model(job)
        self._keep(job, at, model, figures, artefact)
        job.fine_tuned_model = model
        job.result_files = [self._write_results(job, at, results)]

    def report(self, job: Job, at: float) -> None:
        """Bring the result file up to date, where there is one while the job runs."""
        if self._ways.results_while_running:
            job.result_files = [self._write_results(job, at)]

    def _keep(self, job: Job, at: float, model: str, figures: Metrics, artefact: str | None) -> None:
        """Add a checkpoint, which is a model too; forget those that are too old."""
        checkpoint_id = self._mint.make("ftckpt_", job.seq, job.step)
        view = views.checkpoint_view(checkpoint_id, at, job, model, {**figures, "type": job.method}, artefact)
        self._store.jobs.add_checkpoint(job, checkpoint_id, model, view)
        self._store.models.add(model, views.model_view(model, int(at), OWNER, artefact))
        for name in self._store.jobs.forget_checkpoints(job, keep=KEPT_CHECKPOINTS):
            self._store.models.remove(name)

    def _write_results(self, job: Job, at: float, content: bytes | None = None) -> str:
        content = self._results(job).encode() if content is None else content
        files, size = self._store.files, len(content)
        file_id = self._mint.make("file-", "result", job.seq)
        if (former := files.find(file_id)) is not None:
            files.discard(former.seq)
        view = views.file_view(
            file_id, purpose=_PURPOSE, filename=_FILENAME, size=size, created_at=int(at), expires_at=None
        )
        seq = files.begin()
        for number, start in enumerate(range(0, size, CHUNK)):
            files.write(seq, number, content[start : start + CHUNK])
        files.finish(file_id, StoredFile(seq, _PURPOSE, _FILENAME, size, view), None)
        return file_id

    def _results(self, job: Job) -> str:
        # A trainer that went back to a checkpoint reports some steps again: the last time counts.
        lines: dict[object, str] = {}
        missing = self._ways.missing
        for view in self._store.jobs.event_views(job):
            event = orjson.loads(view)
            if event["type"] == "metrics":
                figures = event["data"]
                cells = (figures.get(column) for column in _RESULT_COLUMNS)
                lines[figures["step"]] = ",".join(missing if cell is None else str(cell) for cell in cells)
        return "\n".join((_RESULT_HEADER, *lines.values())) + "\n"
