"""Tasks and reports as lines of JSON."""

from __future__ import annotations

from pathlib import Path

import orjson

from .protocol import Checkpoint, Finished, Note, Report, Step, TrainingFailed, TrainingTask

_KINDS: dict[str, type[Step | Checkpoint | Note | Finished]] = {
    "step": Step,
    "checkpoint": Checkpoint,
    "note": Note,
    "finished": Finished,
}

PAUSE = b'{"pause":true}\n'
"""Tells a trainer that its job is to pause."""


def write_task(task: TrainingTask, folder: Path) -> bytes:
    """Save a task's files in a folder; return the line that tells of it."""
    validation = task.validation_file
    task.training_file.save(folder / "training.jsonl")
    if validation is not None:
        validation.save(folder / "validation.jsonl")
    told = {
        "job_id": task.job_id,
        "model": task.model,
        "method": task.method,
        "hyperparameters": dict(task.hyperparameters),
        "seed": task.seed,
        "training_file": str(folder / "training.jsonl"),
        "validation_file": None if validation is None else str(folder / "validation.jsonl"),
        "suffix": task.suffix,
        "grader": task.grader,
        "metadata": dict(task.metadata),
        "checkpoint": task.checkpoint,
    }
    return orjson.dumps(told) + b"\n"


def read_report(line: bytes) -> Report:
    """Return the report that a line tells of.

    Raises:
        TrainingFailed: The line says so, or is no report.
    """
    try:
        said = orjson.loads(line)
        kind = said.pop("report")
        if kind == "failed":
            raise TrainingFailed(**said)
        report = _KINDS[kind](**said)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        shown = line[:200].decode(errors="replace").strip()
        raise TrainingFailed(f"the trainer wrote a line that is no report: {shown}") from error
    return _with_content(report)


def _with_content(report: Report) -> Report:
    """Return a report with its result file's content, of which the line has the path."""
    if not isinstance(report, Finished) or report.result_file is None:
        return report
    path = str(report.result_file)
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # the latter for what can be no path
        raise TrainingFailed(f"the trainer's result file cannot be read: {error}") from error
    return Finished(report.metrics, report.artefact, report.trained_tokens, content)
