"""The kinds of server that the local server can pass for."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from .azure import Azure
from .base import Personality
from .gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PERSONALITIES", "Like", "Personality", "personality"]

Like = Literal["openai", "azure", "gateway"]
"""The names."""

PERSONALITIES: Mapping[str, type[Personality]] = MappingProxyType(
    {each.name: each for each in (Personality, Azure, Gateway)}
)
"""Each by its name."""


def personality(like: str) -> Personality:
    """Return the personality of this name.

    Raises:
        ValueError: There is none.
    """
    if like not in PERSONALITIES:
        raise ValueError(f"like must be one of {', '.join(PERSONALITIES)}, not {like!r}")
    return PERSONALITIES[like]()
