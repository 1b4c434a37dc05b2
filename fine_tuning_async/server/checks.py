"""Checks of single JSON values, each refusing in the API's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answers import Problem, bad_request

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_KINDS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


def wrong_type(value: object, param: str, wanted: str) -> Problem:
    """Return the refusal of a value of the wrong JSON type."""
    message = f"Invalid type for '{param}': expected {wanted}, but got {_KINDS[type(value)]} instead."
    return bad_request(message, param, "invalid_type")


def missing(param: str) -> Problem:
    """Return the refusal of a request without a parameter that it needs."""
    return bad_request(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")


def needed(value: Mapping[str, object], param: str, key: str) -> object:
    """Return what an object has under a key; null is as good as nothing."""
    if value.get(key) is None:
        raise missing(f"{param}.{key}")
    return value[key]


def text(value: object, param: str, *, least: int = 0, most: int | None = None) -> str:
    """Return a string of a length within bounds."""
    if not isinstance(value, str):
        raise wrong_type(value, param, "a string")
    length = len(value)
    if length < least:
        message = f"Invalid '{param}': string too short. Expected a string with minimum length {least}."
        raise bad_request(message, param, "string_below_min_length")
    if most is not None and length > most:
        message = (
            f"Invalid '{param}': string too long. Expected a string with maximum length {most},"
            f" but got a string with length {length} instead."
        )
        raise bad_request(message, param, "string_above_max_length")
    return value


def integer(value: object, param: str, *, least: int, most: int | None = None) -> int:
    """Return a whole number within bounds: 5.0 is one, as JSON has but one kind of number; true is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(value, param, "an integer")
    if value < least:
        message = f"Invalid '{param}': integer below minimum value. Expected a value >= {least}, got {value}."
        raise bad_request(message, param, "integer_below_min_value")
    if most is not None and value > most:
        message = f"Invalid '{param}': integer above maximum value. Expected a value <= {most}, got {value}."
        raise bad_request(message, param, "integer_above_max_value")
    return value


def decimal(value: object, param: str, *, above: float, most: float | None = None) -> float:
    """Return a number above a bound, and not over another."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(value, param, "a number")
    if value <= above:
        message = f"Invalid '{param}': decimal below minimum value. Expected a value > {above}, got {value}."
        raise bad_request(message, param, "decimal_below_min_value")
    if most is not None and value > most:
        message = f"Invalid '{param}': decimal above maximum value. Expected a value <= {most}, got {value}."
        raise bad_request(message, param, "decimal_above_max_value")
    return value


def one_of(value: object, param: str, allowed: Collection[str]) -> str:
    """Return a string that is among those allowed."""
    if not isinstance(value, str):
        raise wrong_type(value, param, "a string")
    if value not in allowed:
        names = ", ".join(f"'{name}'" for name in allowed)
        raise bad_request(f"Invalid value: '{value}'. Supported values are: {names}.", param, "invalid_value")
    return value


def mapping(value: object, param: str) -> dict[str, object]:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise wrong_type(value, param, "an object")
    return value


def array(value: object, param: str, *, most: int) -> list[object]:
    """Return a JSON array of at most so many items."""
    if not isinstance(value, list):
        raise wrong_type(value, param, "an array")
    if len(value) > most:
        message = (
            f"Invalid '{param}': array too long. Expected an array with maximum length {most},"
            f" but got an array with length {len(value)} instead."
        )
        raise bad_request(message, param, "array_above_max_length")
    return value


def only(value: Mapping[str, object], param: str, known: Collection[str]) -> None:
    """Refuse keys that are not known; without a `param`, the object is the whole body."""
    for key in value:
        if key not in known:
            place = f"{param}.{key}" if param else key
            raise bad_request(f"Unknown parameter: '{place}'.", place, "unknown_parameter")
