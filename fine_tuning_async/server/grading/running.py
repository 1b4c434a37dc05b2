"""Runs graders: what can be computed here is, the rest is answered as the API does when it cannot."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fine_tuning_async.server.answers import Problem, bad_request

from . import formula, templates
from .reading import Comparison, Multi, Remote
from .similarity import LONGEST, METRICS, MissingLibraryError, similarity

if TYPE_CHECKING:
    from collections.abc import Mapping

    Namespaces = Mapping[str, Mapping[str, object]]

_FLAGS = (
    *("formula_parse_error", "sample_parse_error", "truncated_observation_error", "unresponsive_reward_error"),
    *("invalid_variable_error", "other_error", "python_grader_server_error", "python_grader_runtime_error"),
    *("model_grader_server_error", "model_grader_refusal_error", "model_grader_parse_error"),
)
_DETAILS = (
    *("python_grader_server_error_type", "python_grader_runtime_error_details"),
    "model_grader_server_error_details",
)


_MOST_COMPARED = 10 * LONGEST
"""Characters compared by all metrics of a run: seconds of work, for which a stop of the server has to wait."""


@dataclass(slots=True)
class _Run:
    """One run: what its variables stand for, what was compared, what went wrong so far."""

    namespaces: Namespaces
    compared: int = 0
    errors: dict[str, bool | str | None] = field(default_factory=lambda: dict.fromkeys(_FLAGS, False))

    def __post_init__(self) -> None:
        self.errors |= dict.fromkeys(_DETAILS)


def run(grader: Comparison | Remote | Multi, item: Mapping[str, object], model_sample: str) -> dict[str, object]:
    """Score a sample; return the answer (schema RunGraderResponse).

    It takes up to seconds, and is to be called in a thread.

    Raises:
        Problem: A library is not installed, or a text is too long.
    """
    start = time.perf_counter()
    state = _Run(templates.namespaces(item, model_sample))
    parts = {key: _score(each, state) for key, each in grader.graders.items()} if isinstance(grader, Multi) else {}
    reward = _combined(grader, parts, state) if isinstance(grader, Multi) else _score(grader, state)
    return {
        "reward": reward,
        "metadata": {
            "name": grader.name,
            "type": grader.kind,
            "errors": state.errors,
            "execution_time": time.perf_counter() - start,
            "scores": {},
            "token_usage": None,
            "sampled_model_name": None,
        },
        "sub_rewards": parts,
        "model_grader_token_usage_per_model": {},
    }


def _combined(grader: Multi, scores: Mapping[str, float], state: _Run) -> float:
    try:
        return formula.read(grader.formula).value(scores)
    except formula.FormulaError:
        state.errors["formula_parse_error"] = True
        return 0.0


def _score(grader: Comparison | Remote, state: _Run) -> float:
    """Return a score; 0 where something goes wrong, which the run then says."""
    try:
        if isinstance(grader, Comparison):
            text = _filled(grader.text, f"{grader.param}.input", state)
            reference = _filled(grader.reference, f"{grader.param}.reference", state)
            return _compared(grader, text, reference, state)
        for template in (grader.texts or {}).values():
            templates.resolve(template, state.namespaces)
    except templates.SampleParseError:
        state.errors["sample_parse_error"] = True
    except (templates.UnknownVariableError, templates.TemplateError):
        state.errors["invalid_variable_error"] = True
    else:
        _give_up(grader, state)
    return 0.0


def _filled(template: str, param: str, state: _Run) -> str:
    try:
        return templates.fill(template, state.namespaces)
    except templates.TooLongError as error:
        raise _too_long(param, templates.LONGEST) from error


def _give_up(grader: Remote, state: _Run) -> None:
    if grader.kind == "python":
        state.errors["python_grader_server_error"] = True
        state.errors["python_grader_server_error_type"] = "The local server has no sandbox to run Python in."
        return
    _miss_model(f"The local server has no model to ask: {grader.kind} needs {grader.model}.", state)


def _miss_model(details: str, state: _Run) -> None:
    state.errors["model_grader_server_error"] = True
    state.errors["model_grader_server_error_details"] = details


def _compared(grader: Comparison, text: str, reference: str, state: _Run) -> float:
    if grader.kind == "string_check":
        return float(_checked(grader.how, text, reference))
    if grader.how not in METRICS:
        _miss_model(f"The local server has no model to ask: {grader.how} needs one for embeddings.", state)
        return 0.0
    for name, each in (("input", text), ("reference", reference)):
        if len(each) > LONGEST:
            raise _too_long(f"{grader.param}.{name}", LONGEST)
    state.compared += len(text) + len(reference)
    if state.compared > _MOST_COMPARED:
        message = f"Invalid 'grader.graders': they compare more than {_MOST_COMPARED} characters in all."
        raise bad_request(message, "grader.graders", "string_above_max_length")
    try:
        return similarity(grader.how, text, reference)
    except MissingLibraryError as error:
        message = (
            f"The metric '{grader.how}' needs {error}, which is not installed where this server runs:"
            " pip install 'fine-tuning-async[graders]'"
        )
        param = f"{grader.param}.evaluation_metric"
        raise Problem(501, message, param=param, code="missing_library", kind="server_error") from error


def _checked(operation: str, text: str, reference: str) -> bool:
    """Tell whether a string check passes; by OpenAI's guide, `like` looks for the reference in the input."""
    if operation == "ilike":
        return reference.casefold() in text.casefold()
    if operation == "like":
        return reference in text
    return (text == reference) is (operation == "eq")


def _too_long(param: str, most: int) -> Problem:
    message = f"Invalid '{param}': string too long once its variables are filled in. At most {most} characters."
    return bad_request(message, param, "string_above_max_length")
