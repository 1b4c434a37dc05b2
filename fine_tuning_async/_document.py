"""JSON bytes to plain Python values and back, with every whole number exact."""

from __future__ import annotations

import json
import re
from typing import cast

import orjson

from .errors import InvalidArgumentError, ResponseFormatError

__all__ = ["decode", "describe", "encode"]

EXCERPT = 60

# orjson reads a whole number of more than 64 bits as a float. Folding all digits into one makes the runs that
# could be such a number findable by a plain search: 19 digits are the fewest that can overflow.
_FOLD_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_SUSPICIOUS = b"0" * 19
_LONG_WHOLE_NUMBER = re.compile(rb"(?<![\d.])\d{19,}(?![\d.eE])")


def decode(body: bytes, *, request_id: str | None = None, what: str = "the answer") -> object:
    """Decode a JSON document, whole numbers of any size exactly.

    Raises:
        ResponseFormatError: It is no JSON, or holds a number that a double cannot hold.
    """
    try:
        document = cast("object", orjson.loads(body))
        if _SUSPICIOUS in body.translate(_FOLD_DIGITS) and _LONG_WHOLE_NUMBER.search(body):
            # Exact, but lax: byte order marks and lone surrogates would pass, had orjson not refused them above.
            return cast("object", json.loads(body))
        return document  # noqa: TRY300 - what json raises is translated too
    except (ValueError, RecursionError) as error:
        message = f"{what} is no valid JSON: {error}; it begins {describe(body[:EXCERPT])}"
        raise ResponseFormatError(message, request_id=request_id) from None


def encode(document: object, *, sort_keys: bool = False) -> bytes:
    """Encode a JSON document as compact UTF-8.

    Raises:
        InvalidArgumentError: It holds what JSON cannot say.
    """
    try:
        # Not orjson, which writes NaN as null and refuses whole numbers of more than 64 bits.
        compact = (",", ":")
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=compact, sort_keys=sort_keys)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"the body to be sent cannot be written as JSON: {error}") from None


def describe(value: object) -> str:
    """Name a JSON value for an error message: its kind, and how it begins."""
    if value is None:
        return "null"
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply; a number of thousands of digits
        text = "too large to show"
    kind = _KINDS.get(type(value), type(value).__name__)
    return f"the {kind} {text}" if len(text) <= EXCERPT else f"the {kind} {text[:EXCERPT]}..."


_KINDS = {str: "string", dict: "object", bool: "boolean", int: "number", float: "number"}
