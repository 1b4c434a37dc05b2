"""The ranges that the API's specification sets for what a caller sends."""

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Protocol, cast, get_args, get_origin, get_type_hints, runtime_checkable

from attrs import frozen

from fine_tuning_async.errors import InvalidArgumentError

from ._base import WireObject, wire_names

__all__ = ["Bounds", "Fraction", "Items", "Limit", "OneOf", "Text", "Whole", "check", "check_metadata", "require"]

AUTO = "auto"
MAX_DOUBLE = sys.float_info.max


@runtime_checkable
class Limit(Protocol):
    """A bound on one field; its text completes the sentence "it must be ..."."""

    def admits(self, value: object) -> bool:
        """Tell whether the value may be sent."""
        ...


@frozen
class Whole:
    """A whole number within bounds, both included."""

    minimum: int
    maximum: int | None = None
    auto: bool = True

    def admits(self, value: object) -> bool:
        """Tell whether the value may be sent."""
        if self.auto and value == AUTO:
            return True
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return value >= self.minimum and (self.maximum is None or value <= self.maximum)

    def __str__(self) -> str:
        bounds = (
            f"of at least {self.minimum}" if self.maximum is None else f"from {self.minimum} to {self.maximum}"
        )
        return f"a whole number {bounds}" + (f", or {AUTO!r}" if self.auto else "")


@frozen
class Fraction:
    """A finite number above a bound, up to and including another."""

    above: float
    maximum: float | None = None

    def admits(self, value: object) -> bool:
        """Tell whether the value may be sent."""
        if value == AUTO:
            return True
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= MAX_DOUBLE:
            return False
        return value > self.above and (self.maximum is None or value <= self.maximum)

    def __str__(self) -> str:
        upper = "" if self.maximum is None else f" and at most {self.maximum:g}"
        return f"a number above {self.above:g}{upper}, or {AUTO!r}"


@frozen
class Text:
    """A string with a bounded number of characters."""

    minimum: int
    maximum: int

    def admits(self, value: object) -> bool:
        """Tell whether the value may be sent."""
        return isinstance(value, str) and self.minimum <= len(value) <= self.maximum

    def __str__(self) -> str:
        return f"a string of {self.minimum} to {self.maximum} characters"


@frozen
class OneOf:
    """One of a closed list of strings."""

    choices: tuple[str, ...]

    def admits(self, value: object) -> bool:
        """Tell whether the value may be sent."""
        return value in self.choices

    def __str__(self) -> str:
        return "one of " + ", ".join(map(repr, self.choices))


@frozen
class Items:
    """A list with a bounded number of entries."""

    maximum: int

    def admits(self, value: object) -> bool:
        """Tell whether the value may be sent."""
        return isinstance(value, list | tuple) and len(value) <= self.maximum

    def __str__(self) -> str:
        return f"a list of at most {self.maximum} entries"


@frozen
class Bounds:
    """A range: two finite numbers, the lower one first."""

    def admits(self, value: object) -> bool:
        """Tell whether the value may be sent."""
        match value:
            case [int() | float() as low, int() | float() as high]:
                plain = not isinstance(low, bool) and not isinstance(high, bool)
                return plain and -MAX_DOUBLE <= low < high <= MAX_DOUBLE
        return False

    def __str__(self) -> str:
        return "a list of two numbers, the lower one first"


METADATA_PAIRS = 16  # facts of the API: the schema Metadata
METADATA_KEY = Text(1, 64)
METADATA_VALUE = Text(0, 512)


def require(limit: Limit, value: object, name: str) -> None:
    """Raise InvalidArgumentError, naming field, value and range, unless the limit admits the value."""
    if not limit.admits(value):
        raise InvalidArgumentError(f"{name} is {_excerpt(value)}; it must be {limit}")


def check(value: object, name: str) -> None:
    """Hold every field of a model, at every depth, against its limit.

    Raises:
        InvalidArgumentError: A value is out of range; the message names the field, the value and the range.
    """
    for path, each, limit in _limited(value, name):
        require(limit, each, path)


def check_metadata(metadata: Mapping[str, str], name: str = "metadata", *, pairs: int = METADATA_PAIRS) -> None:
    """Hold metadata against the schema Metadata: 16 pairs, keys of 64 and values of 512 characters."""
    if not isinstance(metadata, Mapping):
        raise InvalidArgumentError(f"{name} is {_excerpt(metadata)}; it must be a mapping of strings to strings")
    if len(metadata) > pairs:
        raise InvalidArgumentError(f"{name} has {len(metadata)} pairs; it may have at most {pairs}")
    for key, value in metadata.items():
        require(METADATA_KEY, key, f"a key of {name}")
        require(METADATA_VALUE, value, f"{name}[{key!r}]")


def _limited(value: object, path: str) -> Iterator[tuple[str, object, Limit]]:
    if isinstance(value, WireObject):
        for wire_name, attribute, limits in _table(cast("Any", type(value))):
            each = getattr(value, attribute)
            if each is None:
                continue
            where = f"{path}.{wire_name}"
            yield from ((where, each, limit) for limit in limits)
            yield from _limited(each, where)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _limited(each, f"{path}[{key!r}]")
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _limited(each, f"{path}[{index}]")


@cache
def _table(cls: Any) -> tuple[tuple[str, str, tuple[Limit, ...]], ...]:
    """The JSON keys of a model, with attribute and limits; kept, because reading annotations is slow."""
    hints = get_type_hints(cls, include_extras=True)
    return tuple((key, name, tuple(_limits_of(hints[name]))) for key, name in wire_names(cls).items())


def _limits_of(hint: object) -> Iterator[Limit]:
    if get_origin(hint) is Annotated:
        yield from (each for each in get_args(hint)[1:] if isinstance(each, Limit))


def _excerpt(value: object, length: int = 80) -> str:
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply; a number of thousands of digits
        return "too large to show"
    return text if len(text) <= length else f"{text[:length]}... ({len(text)} characters)"
