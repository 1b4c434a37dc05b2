"""The parameters of the lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from fine_tuning_async.server.answers import bad_request
from fine_tuning_async.server.wellformed import storable

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

T = TypeVar("T")

_LONGEST_NUMBER = 9
"""Digits: more are above every maximum, and int() refuses thousands of them."""

_MOST_PAIRS = 16
"""A job has no more."""

NO_METADATA: list[tuple[str, str]] = []
"""The filter of `metadata=null`: jobs without any."""


def page_size(request: web.Request, *, default: int, most: int) -> int:
    """Return `limit`, a whole number from 1 to `most`."""
    given = request.query.get("limit")
    if given is None:
        return default
    digits = given.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise bad_request(
            f"Invalid type for 'limit': expected an integer, got {given!r}.", "limit", "invalid_type"
        )
    limit = int(given) if len(digits) <= _LONGEST_NUMBER else -1 if given.startswith("-") else most + 1
    if limit < 1:
        message = f"Invalid 'limit': integer below minimum value. Expected a value >= 1, got {given[:20]}."
        raise bad_request(message, "limit", "integer_below_min_value")
    if limit > most:
        message = f"Invalid 'limit': integer above maximum value. Expected a value <= {most}, got {given[:20]}."
        raise bad_request(message, "limit", "integer_above_max_value")
    return limit


def position(request: web.Request, find: Callable[[str], T | None]) -> T | None:
    """Return the place of the thing that `after` names; None without `after`.

    A cursor that names nothing is refused: to begin anew would silently send a client round in circles.
    """
    after = request.query.get("after")
    if not after:
        return None
    found = find(storable(after))
    if found is None:
        raise bad_request(f"Invalid 'after': no such object: {after}", "after", "invalid_value")
    return found


def choice(request: web.Request, name: str, allowed: tuple[str, ...]) -> str:
    """Return a parameter that is one of a few words, by default the first."""
    given = request.query.get(name, allowed[0])
    if given not in allowed:
        names = ", ".join(f"'{word}'" for word in allowed)
        message = f"Invalid value: '{given}'. Supported values are: {names}."
        raise bad_request(message, name, "invalid_value")
    return given


def metadata_filter(request: web.Request) -> list[tuple[str, str]] | None:
    """Return the pairs of `metadata[key]=value`, NO_METADATA for `metadata=null`, None without a filter."""
    pairs = [
        (storable(name[9:-1]), storable(value))
        for name, value in request.query.items()
        if name.startswith("metadata[") and name.endswith("]")
    ]
    if len(pairs) > _MOST_PAIRS:
        message = f"Invalid 'metadata': too many properties. Expected at most {_MOST_PAIRS}, got {len(pairs)}."
        raise bad_request(message, "metadata", "object_above_max_properties")
    plain = request.query.get("metadata")
    if plain not in {None, "null"} or (plain and pairs) or any(map(_is_nested, pairs)):
        message = (
            "Invalid 'metadata': give metadata[key]=value for each pair, or metadata=null for jobs without any."
        )
        raise bad_request(message, "metadata", "invalid_value")
    return NO_METADATA if plain else pairs or None


def _is_nested(pair: tuple[str, str]) -> bool:
    """Tell whether a pair is none: `metadata[]=` adds to an array, and `metadata[a][b]=` goes into an object."""
    return not pair[0] or "][" in pair[0]
