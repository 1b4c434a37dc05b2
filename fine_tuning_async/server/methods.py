"""The checks of a training method's settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from . import checks
from .answers import bad_request
from .grading.reading import check_grader

_Check = Callable[[object, str], object]

_COMMON: dict[str, _Check] = {
    "n_epochs": partial(checks.integer, least=1, most=50),
    "batch_size": partial(checks.integer, least=1, most=256),
    "learning_rate_multiplier": partial(checks.decimal, above=0),
}
_EFFORTS = ("default", "low", "medium", "high")

# The bounds are those of the published specification.
HYPERPARAMETERS: dict[str, dict[str, _Check]] = {
    "supervised": _COMMON,
    "dpo": {"beta": partial(checks.decimal, above=0, most=2), **_COMMON},
    "reinforcement": {
        **_COMMON,
        "eval_interval": partial(checks.integer, least=1),
        "eval_samples": partial(checks.integer, least=1),
        "compute_multiplier": partial(checks.decimal, above=0.00001, most=10),
        "reasoning_effort": partial(checks.one_of, allowed=_EFFORTS),
    },
}
"""For each method the hyperparameters that it knows, each with its check."""


def check_method(value: object) -> tuple[str, dict[str, object]]:
    """Check a request's `method`; return its type with its settings, defaults filled in."""
    method = checks.mapping(value, "method")
    if "type" not in method:
        raise checks.missing("method.type")
    kind = checks.one_of(method["type"], "method.type", tuple(HYPERPARAMETERS))
    for key in method:
        if key not in {"type", kind}:
            message = f"'method.{key}' does not go with method.type '{kind}'."
            raise bad_request(message, f"method.{key}", "invalid_value")
    param = f"method.{kind}"
    given = checks.mapping(method.get(kind, {}), param)
    checks.only(given, param, ("hyperparameters", *(("grader", "response_format") * (kind == "reinforcement"))))
    chosen = check_hyperparameters(kind, given.get("hyperparameters", {}), f"{param}.hyperparameters")
    if kind != "reinforcement":
        return kind, {"hyperparameters": chosen}
    grader = check_grader(given.get("grader"), f"{param}.grader")
    return kind, {"hyperparameters": chosen, "grader": grader, "response_format": given.get("response_format")}


def check_hyperparameters(kind: str, value: object, param: str) -> dict[str, object]:
    """Check a method's hyperparameters; those that are not given are `auto`."""
    given = checks.mapping(value, param)
    table = HYPERPARAMETERS[kind]
    checks.only(given, param, table)
    chosen: dict[str, object] = dict.fromkeys(table, "auto")
    if kind == "reinforcement":
        chosen["reasoning_effort"] = "default"
    for name, setting in given.items():
        if setting != "auto" or name == "reasoning_effort":
            chosen[name] = table[name](setting, f"{param}.{name}")
    return chosen
