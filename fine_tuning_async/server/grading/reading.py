"""Reads graders from a request, with the API's refusals of what is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fine_tuning_async.server import checks
from fine_tuning_async.server.answers import bad_request

from . import formula, templates
from .messages import read_messages, read_sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

OPERATIONS = ("eq", "ne", "like", "ilike")
SIMILARITIES = (
    *("fuzzy_match", "bleu", "gleu", "meteor", "cosine"),
    *("rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"),
)

LONGEST_TEXT = 256 * 1024
"""Characters of a template, or of a script."""

MOST_GRADERS = 50
"""Graders in a multi grader."""

_MOST_LABELS = 1_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares two texts: a string check by its operation, a text similarity by its metric."""

    kind: str
    name: str
    param: str
    text: str
    reference: str
    how: str


@dataclass(frozen=True, slots=True)
class Remote:
    """Needs what is not here: a model, or a sandbox where there is no model."""

    kind: str
    name: str
    param: str
    model: str | None = None
    texts: Mapping[str, str] | None = None
    """The templates of its messages, by their places."""


@dataclass(frozen=True, slots=True)
class Multi:
    """Combines several, each known to the formula by a name."""

    kind: str
    name: str
    param: str
    graders: Mapping[str, Comparison | Remote]
    formula: str


def read_grader(value: object, param: str) -> Comparison | Remote | Multi:
    """Read a grader; its templates and its formula may still be malformed.

    Raises:
        Problem: It is none, or is a `label_model`, which the specification has only within a `multi`.
    """
    grader, kind = _typed(value, param, ("string_check", "text_similarity", "python", "score_model", "multi"))
    return _multi(grader, param) if kind == "multi" else _READERS[kind](grader, param)


def check_grader(value: object, param: str) -> dict[str, object]:
    """Check a grader through and through; return it as it is.

    Raises:
        Problem: It is refused.
    """
    grader = read_grader(value, param)
    parts = grader.graders.values() if isinstance(grader, Multi) else (grader,)
    for where, template in (each for part in parts for each in _templates(part)):
        try:
            templates.read(template)
        except templates.TemplateError as error:
            raise bad_request(f"Invalid '{where}': {error}.", where, "invalid_template") from error
    if isinstance(grader, Multi):
        _check_formula(grader)
    return checks.mapping(value, param)


def _templates(grader: Comparison | Remote) -> Iterator[tuple[str, str]]:
    if isinstance(grader, Comparison):
        yield f"{grader.param}.input", grader.text
        yield f"{grader.param}.reference", grader.reference
    else:
        yield from (grader.texts or {}).items()


def _check_formula(grader: Multi) -> None:
    param = f"{grader.param}.calculate_output"
    try:
        unknown = formula.read(grader.formula).names - grader.graders.keys()
    except formula.FormulaError as error:
        raise bad_request(f"Invalid '{param}': {error}.", param, "invalid_formula") from error
    if unknown:
        known = ", ".join(f"'{name}'" for name in grader.graders)
        message = f"Invalid '{param}': no grader is named '{min(unknown)}'. The graders' names are: {known}."
        raise bad_request(message, param, "invalid_formula")


def _typed(value: object, param: str, known: tuple[str, ...]) -> tuple[dict[str, object], str]:
    if value is None:
        raise checks.missing(param)
    grader = checks.mapping(value, param)
    return grader, checks.one_of(checks.needed(grader, param, "type"), f"{param}.type", known)


def _text(grader: Mapping[str, object], param: str, key: str, *, least: int = 0) -> str:
    return checks.text(checks.needed(grader, param, key), f"{param}.{key}", least=least, most=LONGEST_TEXT)


def _comparison(kind: str, key: str, known: tuple[str, ...], grader: dict[str, object], param: str) -> Comparison:
    name = _text(grader, param, "name", least=1)
    text, reference = _text(grader, param, "input"), _text(grader, param, "reference")
    how = checks.one_of(checks.needed(grader, param, key), f"{param}.{key}", known)
    return Comparison(kind, name, param, text, reference, how)


def _string_check(grader: dict[str, object], param: str) -> Comparison:
    return _comparison("string_check", "operation", OPERATIONS, grader, param)


def _text_similarity(grader: dict[str, object], param: str) -> Comparison:
    return _comparison("text_similarity", "evaluation_metric", SIMILARITIES, grader, param)


def _python(grader: dict[str, object], param: str) -> Remote:
    name = _text(grader, param, "name", least=1)
    _text(grader, param, "source", least=1)
    if "image_tag" in grader:
        _text(grader, param, "image_tag", least=1)
    return Remote("python", name, param)


def _asking(kind: str, grader: dict[str, object], param: str) -> Remote:
    name, model = _text(grader, param, "name", least=1), _text(grader, param, "model", least=1)
    texts = read_messages(checks.needed(grader, param, "input"), f"{param}.input")
    return Remote(kind, name, param, model, texts)


def _score_model(grader: dict[str, object], param: str) -> Remote:
    read_sampling(grader.get("sampling_params", {}), f"{param}.sampling_params")
    if "range" in grader:
        _check_range(grader["range"], f"{param}.range")
    return _asking("score_model", grader, param)


def _check_range(value: object, param: str) -> None:
    bounds = [
        checks.decimal(each, f"{param}[{index}]", above=-math.inf)
        for index, each in enumerate(checks.array(value, param, most=2))
    ]
    if len(bounds) != 2 or bounds[0] >= bounds[1]:  # noqa: PLR2004 - a range has two ends
        raise bad_request(f"Invalid '{param}': expected two numbers, the lower one first.", param, "invalid_value")


def _label_model(grader: dict[str, object], param: str) -> Remote:
    labels, passing = _labels(grader, param, "labels"), _labels(grader, param, "passing_labels")
    if not passing <= labels:
        message = f"Invalid '{param}.passing_labels': '{min(passing - labels)}' is not among the labels."
        raise bad_request(message, f"{param}.passing_labels", "invalid_value")
    return _asking("label_model", grader, param)


def _labels(grader: dict[str, object], param: str, key: str) -> set[str]:
    where = f"{param}.{key}"
    given = checks.array(checks.needed(grader, param, key), where, most=_MOST_LABELS)
    if not given:
        raise bad_request(f"Invalid '{where}': empty array. Expected at least one label.", where, "empty_array")
    return {checks.text(each, f"{where}[{index}]", least=1) for index, each in enumerate(given)}


def _multi(grader: dict[str, object], param: str) -> Multi:
    name, combined = _text(grader, param, "name", least=1), _text(grader, param, "calculate_output", least=1)
    parts: dict[str, Comparison | Remote] = {}
    for known_by, where, each in _parts(checks.needed(grader, param, "graders"), f"{param}.graders"):
        part, kind = _typed(each, where, tuple(_READERS))
        read = _READERS[kind](part, where)
        key = read.name if known_by is None else known_by
        if key in parts:
            message = f"Invalid '{where}.name': another grader is named '{read.name}', and the formula needs one."
            raise bad_request(message, f"{where}.name", "invalid_value")
        parts[key] = read
    return Multi("multi", name, param, parts, combined)


def _parts(value: object, param: str) -> list[tuple[str | None, str, object]]:
    """Return name, place, value of each part: of a mapping, as the guide has it; of a list; of one bare grader.

    Only a mapping gives names; the others are known by their own.
    """
    found: list[tuple[str | None, str, object]]
    if isinstance(value, list):
        found = [(None, f"{param}[{index}]", each) for index, each in enumerate(value)]
    elif isinstance(checks.mapping(value, param).get("type"), str):
        found = [(None, param, value)]
    else:
        found = [(key, f"{param}.{key}", each) for key, each in checks.mapping(value, param).items()]
    if not 1 <= len(found) <= MOST_GRADERS:
        message = f"Invalid '{param}': expected 1 to {MOST_GRADERS} graders, got {len(found)}."
        raise bad_request(message, param, "invalid_value")
    return found


_READERS: dict[str, Callable[[dict[str, object], str], Comparison | Remote]] = {
    "string_check": _string_check,
    "text_similarity": _text_similarity,
    "python": _python,
    "score_model": _score_model,
    "label_model": _label_model,
}
"""The graders that may be part of a multi grader."""
