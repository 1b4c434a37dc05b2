"""The inspection of a job's files, before it is queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .datafile import LEAST_EXAMPLES, Verdict, judge

if TYPE_CHECKING:
    from .records import Job
    from .store.files import Files

JobError = dict[str, str | None]
"""A job's error object."""


def inspect(files: Files, job: Job) -> Verdict | JobError:
    """Return the verdict on the job's training file, or the error that one of its files gives it."""
    training = _look(files, job, "training_file", job.training_file)
    if not isinstance(training, Verdict):
        return training
    if training.examples < LEAST_EXAMPLES:
        said = (
            f"Training file has {training.examples} example(s), but must have at least {LEAST_EXAMPLES} examples"
        )
        return _error("invalid_n_examples", "training_file", said)
    if job.validation_file is not None:
        validation = _look(files, job, "validation_file", job.validation_file)
        if not isinstance(validation, Verdict):
            return validation
        if not validation.examples:
            said = "Validation file has 0 example(s), but must have at least 1 example"
            return _error("invalid_n_examples", "validation_file", said)
    return training


def _look(files: Files, job: Job, role: str, file_id: str) -> Verdict | JobError:
    name = role.replace("_", " ")
    verdict = _verdict(files, job, file_id)
    if verdict is None:
        return _error(f"deleted_{role}", role, f"The job failed because the {name} was deleted")
    if verdict.code is not None:
        said = f"The job failed due to an invalid {name}. {verdict.message}"
        return _error(verdict.code.replace("training_file", role), role, said)
    return verdict


def _verdict(files: Files, job: Job, file_id: str) -> Verdict | None:
    stored = files.find(file_id)
    if stored is None:
        return None
    kind = "completion" if job.model.startswith(("babbage-", "davinci-")) else job.method
    known = files.verdict(file_id, kind)
    if known is not None:
        return Verdict.load(known)
    verdict = judge(files.pieces(stored.seq), kind, file_id)
    files.save_verdict(file_id, kind, verdict.dump())
    return verdict


def _error(code: str, param: str, message: str) -> JobError:
    return {"code": code, "param": param, "message": message}
