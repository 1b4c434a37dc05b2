"""The API's words for what is not there, and for what went wrong on this side."""

from __future__ import annotations

from .answers import Problem


def job_not_found(job_id: str) -> Problem:
    """Return the refusal of a job id that is not known."""
    message = f"Could not find fine tune: {job_id}"
    return Problem(404, message, param="fine_tune_id", code="fine_tune_not_found")


def file_not_found(file_id: str) -> Problem:
    """Return the refusal of a file id that is not known."""
    return Problem(404, f"No such File object: {file_id}", param="id")


def model_not_found(model: str, param: str = "model") -> Problem:
    """Return the refusal of the name of a model, or of a checkpoint, that is not known."""
    return Problem(404, f"The model '{model}' does not exist", param=param, code="model_not_found")


def checkpoint_not_found(checkpoint: str) -> Problem:
    """Return the refusal of a checkpoint that is not known: a model, as it is used like one."""
    return model_not_found(checkpoint, "fine_tuned_model_checkpoint")


def broken_down() -> Problem:
    """Return the answer to a request in which the server itself has failed."""
    message = "The server had an error while processing your request. Sorry about that!"
    return Problem(500, message, kind="server_error")
