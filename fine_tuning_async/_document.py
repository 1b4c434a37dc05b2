"""JSON bytes to plain Python values and back, with every whole number exact."""

from __future__ import annotations

import json
from typing import cast

import msgspec

from .errors import InvalidArgumentError, ResponseFormatError

__all__ = ["decode", "describe", "encode"]

EXCERPT = 60
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DEEPEST = 800  # levels; less than what the oldest Python supported can decode

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_sorting_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def decode(body: bytes, *, request_id: str | None = None, what: str = "the answer") -> object:
    """Decode a JSON document, whole numbers of any size exactly.

    A byte order mark before it is passed over, as RFC 8259, 8.1, allows: servers written in C# send one.

    Raises:
        ResponseFormatError: It is no JSON, holds a number that a double cannot hold, or is nested too deeply.
    """
    try:
        document = cast("object", msgspec.json.decode(body.removeprefix(BYTE_ORDER_MARK)))
        if body.count(b"{") + body.count(b"[") > DEEPEST:
            _refuse_deep(document)
        return document  # noqa: TRY300 - what is raised above is translated too
    except (ValueError, RecursionError) as error:
        message = f"{what} is no valid JSON: {error}; it begins {describe(body[:EXCERPT])}"
        raise ResponseFormatError(message, request_id=request_id) from None


def _refuse_deep(document: object) -> None:
    """Refuse what is nested deeper than some version of Python could decode."""
    level = [document]
    for _ in range(DEEPEST + 1):
        lists = [
            each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)
        ]
        level = [inner for each in lists for inner in each]
        if not lists:
            return
    raise ValueError(f"it is nested more than {DEEPEST} levels deep")


def encode(document: object, *, sort_keys: bool = False) -> bytes:
    """Encode a JSON document as compact UTF-8.

    Raises:
        InvalidArgumentError: It holds what JSON cannot say.
    """
    encoder = _sorting_encoder if sort_keys else _encoder
    try:
        # Not msgspec, which writes NaN as null.
        return encoder.encode(document).encode()
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
