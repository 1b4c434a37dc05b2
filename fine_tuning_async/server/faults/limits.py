"""Checks of what a fault is told, each naming the argument at fault."""

from __future__ import annotations

from math import isfinite

from fine_tuning_async.server.errors import LocalServerError

_LONGEST = 365 * 86_400
"""Seconds; longer than any test waits, and a number that every timer takes."""


class FaultError(LocalServerError, ValueError):
    """A fault, or the rule that scripts it, says something that cannot be.

    Attributes:
        param: The argument at fault.
    """

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message, param)
        self.param = param

    def __str__(self) -> str:
        return str(self.args[0])


def check_seconds(value: object, param: str, *, least: float = 0) -> float:
    """Return a time in seconds that a timer takes."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise FaultError(f"{param} is {value!r}; it must be a number", param)
    if not least <= value <= _LONGEST:
        raise FaultError(f"{param} is {value!r}; it must be {least:g} to {_LONGEST}", param)
    return value


def check_whole(value: object, param: str, least: int, most: int) -> None:
    """Refuse what is no whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise FaultError(f"{param} is {value!r}; it must be a whole number from {least} to {most}", param)


def check_flag(value: object, param: str) -> None:
    """Refuse what is neither true nor false."""
    if not isinstance(value, bool):
        raise FaultError(f"{param} is {value!r}; it must be true or false", param)


def check_text(value: object, param: str) -> None:
    """Refuse what is neither text nor None."""
    if value is not None and not isinstance(value, str):
        raise FaultError(f"{param} is {value!r}; it must be text", param)


def check_name(value: object) -> None:
    """Refuse what is no name."""
    if not isinstance(value, str) or not value:
        raise FaultError(f"name is {value!r}; it must be a name", "name")
