"""The base of all models: an attrs class that mirrors one JSON object and keeps what it does not know."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from attrs import define, field, fields

from fine_tuning_async._document import decode
from fine_tuning_async.errors import ResponseFormatError

__all__ = ["JSON", "JSONObject", "Origin", "WireObject", "copied", "instant", "model", "sent", "wire_names"]

JSON: TypeAlias = object
"""A decoded JSON value: None, bool, int, float, str, or a list or dict of them."""

JSONObject: TypeAlias = dict[str, JSON]

Origin: TypeAlias = JSONObject | bytes | tuple[bytes, tuple[str, ...]]
"""What a model came from: a JSON object, its text, or the text of a larger one and the keys that lead to it there.

Texts are decoded when somebody asks: most models are read for their fields alone.
"""

T = TypeVar("T")

if TYPE_CHECKING:
    # Models are values: a type checker refuses to assign to them. At run time they are plain `define` classes,
    # because building a frozen class of twenty fields costs five times as much.
    from attrs import frozen as model
else:
    model = define


@model
class WireObject:
    """One JSON object of the API.

    Fields that this library does not know are kept and come back from `to_dict`; `extra` shows them.
    Two objects are equal when their known fields are. Use `attrs.evolve` to change one.
    """

    # What it came from; None for one that the caller built. `sent` reads it.
    _raw: Origin | None = field(default=None, kw_only=True, repr=False, eq=False, alias="_raw")

    @property
    def extra(self) -> JSONObject:
        """The fields that the server sent beyond those named here, as a copy."""
        known = wire_names(type(self))
        return copied({key: value for key, value in (sent(self) or {}).items() if key not in known})


def sent(model: WireObject) -> JSONObject | None:
    """Return the JSON object that a model came from, which it keeps; None for one that the caller built."""
    origin = model._raw  # noqa: SLF001 - the base class keeps it for this function alone
    if origin is None or isinstance(origin, dict):
        return origin
    text, path = (origin, ()) if isinstance(origin, bytes) else origin
    found: Any = decode(text)
    for key in path:
        found = found[key]
    model._raw = found  # type: ignore[misc]  # noqa: SLF001 - to a type checker, models cannot be assigned to
    return cast("JSONObject", found)


def wire_names(cls: type[WireObject]) -> Mapping[str, str]:
    """Map the JSON keys of a model to its attribute names, in the order of the fields."""
    return {each.alias or each.name: each.name for each in fields(cls) if each.name != "_raw"}


def instant(seconds: float) -> datetime:
    """Return a Unix time in seconds as an aware datetime in UTC.

    Raises:
        ResponseFormatError: It lies outside the years 1 to 9999, as milliseconds do.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ResponseFormatError(f"{seconds!r} is no Unix time in seconds: {error}") from None


def copied(document: T) -> T:
    """Copy a JSON value through and through, without recursion: a server may nest deeper than Python's stack."""
    top = [document]
    todo: list[Any] = [top]  # lists and dicts alike, which share no type for what is assigned below
    while todo:
        container = todo.pop()
        for key, each in container.items() if isinstance(container, dict) else enumerate(container):
            if isinstance(each, dict | list):
                container[key] = each.copy()
                todo.append(container[key])
    return top[0]
