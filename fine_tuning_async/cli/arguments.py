"""Values of options that are more than one word: pairs, JSON, numbers that may be left to the server."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from .failure import Misuse

Whole: TypeAlias = int | Literal["auto"]
Fraction: TypeAlias = float | Literal["auto"]


def pairs(values: Sequence[str], option: str) -> dict[str, str] | None:
    """Return what `KEY=VALUE`, given once or more, says; None where it was not given.

    Raises:
        Misuse: A value is no pair, or a key comes twice.
    """
    found: dict[str, str] = {}
    for each in values:
        key, equals, value = each.partition("=")
        if not equals or not key or key in found:
            raise Misuse(f"{option} is {each!r}; it is KEY=VALUE, each key once")
        found[key] = value
    return found or None


def json_value(text: str | None, option: str) -> object:
    """Return a JSON value that is given as it is or by the path of a file; None where it was not given.

    Raises:
        Misuse: There is no such file, or it holds no JSON.
    """
    if text is None:
        return None
    try:
        is_inline = text.lstrip()[:1] in {"{", "["}
        return json.loads(text if is_inline else Path(text).read_text("utf-8"))
    except OSError as error:
        raise Misuse(f"{option} is {text!r}; it is JSON, or a file with JSON in it: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # the latter for what is nested too deeply
        raise Misuse(f"{option} is no JSON: {error}") from None


def json_object(text: str | None, option: str) -> dict[str, object] | None:
    """Return a JSON object, given as in `json_value`.

    Raises:
        Misuse: It is none.
    """
    value = json_value(text, option)
    if value is not None and not isinstance(value, dict):
        raise Misuse(f"{option} is to be a JSON object, and is not")
    return value
