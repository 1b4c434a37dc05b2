"""Checks the models that a caller hands over, in types and ranges, before they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fine_tuning_async._codec import to_dict
from fine_tuning_async._hooks import Mismatch, hook_for
from fine_tuning_async.errors import InvalidArgumentError
from fine_tuning_async.models import WireObject
from fine_tuning_async.models._limits import check

if TYPE_CHECKING:
    from types import UnionType

__all__ = ["checked_document"]


def checked_document(
    hint: type[WireObject] | UnionType, value: WireObject | Mapping[str, object], name: str, *, what: str
) -> dict[str, object]:
    """Return a model, or the JSON object of one, as the object to be sent, with types and ranges checked.

    Args:
        hint: What the converter is to read it as: a class of models, or a union of some.
        value: What the caller gave.
        name: The caller's name for it.
        what: What it should have been, for the caller to read.

    Raises:
        InvalidArgumentError: It is something else, or a value in it is of the wrong type or out of range.
    """
    if not isinstance(value, hint) and not isinstance(value, Mapping):
        raise InvalidArgumentError(f"{name} is {value!r}; it must be {what} or the JSON object of one")
    document = to_dict(value) if isinstance(value, WireObject) else dict(value)
    try:
        check(hook_for(hint)(document, hint), name)
    except Mismatch as mismatch:
        raise InvalidArgumentError(f"{name}{mismatch.path[1:]} {mismatch.complaint}") from None
    return document
