"""Runs of graders: what scoring one sample came to."""

from ._base import JSONObject, WireObject, model, wire_names
from .graders import Grader

__all__ = ["GraderErrors", "GraderRun", "GraderRunMetadata", "GraderValidation"]


@model(kw_only=True)
class GraderErrors(WireObject):
    """What went wrong in a run, as flags; `raised` names those that are set."""

    formula_parse_error: bool | None = None
    sample_parse_error: bool | None = None
    truncated_observation_error: bool | None = None
    unresponsive_reward_error: bool | None = None
    invalid_variable_error: bool | None = None
    other_error: bool | None = None
    python_grader_server_error: bool | None = None
    python_grader_server_error_type: str | None = None
    python_grader_runtime_error: bool | None = None
    python_grader_runtime_error_details: str | None = None
    model_grader_server_error: bool | None = None
    model_grader_refusal_error: bool | None = None
    model_grader_parse_error: bool | None = None
    model_grader_server_error_details: str | None = None

    @property
    def raised(self) -> list[str]:
        """The names of the flags that are set, those included that this library does not know."""
        known = {name: getattr(self, name) for name in wire_names(type(self))}
        return [name for name, value in (known | self.extra).items() if value is True]


@model(kw_only=True)
class GraderRunMetadata(WireObject):
    """How a run went.

    `execution_time` is in seconds. `token_usage` is a number in the specification, and an object in its example.
    """

    name: str | None = None
    type: str | None = None
    errors: GraderErrors | None = None
    execution_time: float | None = None
    scores: JSONObject | None = None
    token_usage: int | JSONObject | None = None
    sampled_model_name: str | None = None


@model
class GraderRun(WireObject):
    """What a grader made of a sample (schema RunGraderResponse).

    A grader that could not score gives a reward of 0 too: `metadata.errors` tells the one from the other.
    """

    reward: float
    metadata: GraderRunMetadata | None = None
    sub_rewards: JSONObject | None = None
    model_grader_token_usage_per_model: JSONObject | None = None


@model
class GraderValidation(WireObject):
    """The answer to a validation (schema ValidateGraderResponse)."""

    grader: Grader | None = None
