"""Text that can be stored, sent."""

from __future__ import annotations


def storable(text: str) -> str:
    """Return text without the lone surrogates that undecodable bytes become; SQLite, JSON take none."""
    return text.encode(errors="replace").decode()
