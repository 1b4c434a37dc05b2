"""JSON bytes to plain Python values and back, with every whole number exact."""

from __future__ import annotations

import json
import re
from typing import NoReturn, cast

import orjson

from .errors import ResponseFormatError

__all__ = ["decode", "describe", "encode"]

EXCERPT = 60

# orjson reads a whole number of more than 64 bits as a float. Folding all digits into one makes the runs that
# could be such a number findable by a plain search: 19 digits are the fewest that can overflow.
_FOLD_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_SUSPICIOUS = b"0" * 19
_LONG_WHOLE_NUMBER = re.compile(rb"(?<![\d.])\d{19,}(?![\d.eE])")


def decode(body: bytes, *, request_id: str | None = None) -> object:
    """Decode a JSON document, whole numbers of any size exactly.

    Raises:
        ResponseFormatError: It is no JSON, or holds a number that a double cannot hold.
    """
    try:
        if _SUSPICIOUS in body.translate(_FOLD_DIGITS) and _LONG_WHOLE_NUMBER.search(body):
            return json.loads(body, parse_constant=_no_constant, parse_float=_finite)
        return cast("object", orjson.loads(body))
    except (ValueError, RecursionError) as error:
        message = f"the answer is no valid JSON: {error}; it begins {describe(body[:EXCERPT])}"
        raise ResponseFormatError(message, request_id=request_id) from None


def encode(document: object) -> bytes:
    """Encode a JSON document as compact UTF-8.

    Raises:
        TypeError: It holds what JSON cannot say.
    """
    return orjson.dumps(document)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(f"{text} is too large for a double")
    return number


def describe(value: object) -> str:
    """Name a JSON value for an error message: its kind, and how it begins."""
    if value is None:
        return "null"
    text = repr(value)
    kind = _KINDS.get(type(value), type(value).__name__)
    return f"the {kind} {text}" if len(text) <= EXCERPT else f"the {kind} {text[:EXCERPT]}..."


_KINDS = {str: "string", dict: "object", bool: "boolean", int: "number", float: "number"}
