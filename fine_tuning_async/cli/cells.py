"""Cells: what a table shows of a JSON object's fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from .output import harmless

ABSENT = "-"
TIMES = ("_at", "created", "estimated_finish")
"""How the names of fields end that hold a Unix time."""


def value_at(document: object, path: str) -> object:
    """Return what stands at a dotted path, as in `method.type`; None where there is nothing."""
    for name in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def cell(name: str, value: object) -> str:
    """Return a field's value as a person reads it, in one line; times in UTC."""
    if value is None or value == "":
        return ABSENT
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith(TIMES):
        return _time(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return harmless(json.dumps(value, ensure_ascii=False))


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):  # milliseconds, from some servers
        return str(seconds)
