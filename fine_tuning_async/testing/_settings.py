"""What a test says about the server that it wants, by its marker or in the ini file."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fine_tuning_async.server.personalities import Like

__all__ = ["INI", "MARKER", "Settings", "settings_of"]

NAME = "fine_tuning"

MARKER = (
    f"{NAME}(like='openai', seed=0, advance_per_poll=0, environment=True): what fine_tuning_server is: "
    "an openai, azure or gateway; what its ids and losses are drawn from; by how many seconds each look at jobs "
    "moves its clock; whether the environment leads clients to it."
)

INI: Mapping[str, str] = MappingProxyType(
    {
        f"{NAME}_like": "the kind of server that fine_tuning_server passes for: openai, azure or gateway",
        f"{NAME}_seed": "what ids and losses of fine_tuning_server are drawn from: a whole number",
        f"{NAME}_advance_per_poll": "by how many seconds each look at jobs moves the clock of fine_tuning_server",
        f"{NAME}_environment": "whether the environment leads clients to fine_tuning_server: true or false",
    }
)
"""The options of the ini file, with what is said about each."""


class Settings(NamedTuple):
    """What a test wants.

    Attributes:
        like: The kind of server.
        seed: What ids and losses are drawn from.
        advance_per_poll: Seconds by which each look at jobs moves the clock.
        environment: Whether the environment leads clients to the server.
    """

    like: Like = "openai"
    seed: int = 0
    advance_per_poll: float = 0.0
    environment: bool = True


class _Option(NamedTuple):
    read: Callable[[str], object]
    fits: Callable[[object], bool]
    wanted: str


def settings_of(request: pytest.FixtureRequest) -> Settings:
    """Return the settings of a test: what its nearest marker says, or else the ini file.

    A test with an option that cannot be understood fails here, with what is wrong.
    """
    said = _from_ini(request.config)
    for marker in reversed(list(request.node.iter_markers(NAME))):  # the nearest last
        said |= _from_marker(marker)
    return Settings()._replace(**said)


def _from_ini(config: pytest.Config) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, option in _OPTIONS.items():
        text = str(config.getini(f"{NAME}_{name}")).strip()
        if text:
            try:
                value = option.read(text)
            except (KeyError, ValueError):
                value = text
            said[name] = _checked(name, value, f"{NAME}_{name} in the ini file")
    return said


def _from_marker(marker: pytest.Mark) -> dict[str, Any]:
    if marker.args:
        _refuse(f"@pytest.mark.{NAME} takes its options by name, as in {NAME}(like='azure')")
    for name in marker.kwargs:
        if name not in _OPTIONS:
            _refuse(f"@pytest.mark.{NAME} has no option {name!r}; there are {', '.join(_OPTIONS)}")
    return {name: _checked(name, value, f"{name} of the marker {NAME}") for name, value in marker.kwargs.items()}


def _checked(name: str, value: object, where: str) -> object:
    option = _OPTIONS[name]
    if not option.fits(value):
        _refuse(f"{where} must be {option.wanted}, not {value!r}")
    return value


def _refuse(text: str) -> None:
    pytest.fail(text, pytrace=False)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _FOREVER


_FOREVER = 1e11
"""Seconds: three thousand years, within what a calendar holds."""

_TRUTH = {"true": True, "false": False}

_OPTIONS: Mapping[str, _Option] = MappingProxyType(
    {
        "like": _Option(str, ("openai", "azure", "gateway").__contains__, "openai, azure or gateway"),
        "seed": _Option(int, lambda value: type(value) is int, "a whole number"),
        "advance_per_poll": _Option(float, _is_seconds, "a number of seconds, 0 or above"),
        "environment": _Option(_TRUTH.__getitem__, lambda value: type(value) is bool, "true or false"),
    }
)
