"""The one cattrs converter: decoded JSON to models and back, strict in types and lossless in content."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import fields

from ._hooks import Mismatch, each_of, hook_for
from .errors import ResponseFormatError
from .models import WireObject, copied, sent

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["from_dict", "structure", "structure_page", "to_dict"]

M = TypeVar("M", bound=WireObject)


def structure(cls: type[M], document: object, *, request_id: str | None = None, what: str = "the answer") -> M:
    """Make a model of a decoded JSON document, which it keeps.

    Raises:
        ResponseFormatError: The document does not fit; the message names the path, what was expected and found.
    """
    try:
        return cast("M", hook_for(cls)(document, cls))
    except Mismatch as mismatch:
        raise _format_error(mismatch, "$", request_id, what) from None


def structure_page(cls: type[M], documents: list[object], *, request_id: str | None = None) -> list[M]:
    """Make models of the `data` of a list."""
    try:
        return each_of(documents, hook_for(cls), cls)
    except Mismatch as mismatch:
        raise _format_error(mismatch, "$.data", request_id, "the answer") from None


def from_dict(cls: type[M], data: Mapping[str, object]) -> M:
    """Make a model of a JSON object, of which it keeps a copy.

    Raises:
        ResponseFormatError: The data does not fit; the message names the JSON path, what was expected and found.
    """
    # What is no mapping goes to `structure` as it is, which says what is wrong with it.
    return structure(cls, copied(dict(data) if isinstance(data, Mapping) else data), what="the data")


def to_dict(model: WireObject) -> dict[str, object]:
    """Return a model as the JSON object that it stands for.

    A model that came from a server comes back exactly, with unknown fields, and nulls and absent fields told
    apart; a field changed through `attrs.evolve` is the only difference. Of a model that the caller built, the
    fields that are None are left out.
    """
    origin = sent(model)
    result = copied(origin or {})
    for attribute in fields(type(model)):
        if attribute.name == "_raw":
            continue
        value, key = getattr(model, attribute.name), cast("str", attribute.alias)
        if origin and value is origin.get(key, origin):
            continue
        if _said(value, key, attribute, origin):
            result[key] = _unstructure(value, result.get(key))
    return result


def _said(value: object, key: str, attribute: Attribute[Any], origin: dict[str, object] | None) -> bool:
    if origin is None:
        return value is not None
    return key in origin or value != attribute.default


def _unstructure(value: object, before: object) -> object:
    # 5.0 where a whole number was expected reads as 5, and goes back as it came.
    if type(value) is int and type(before) is float and value == before:
        return before
    top = [value]
    todo: list[Any] = [top]  # without recursion, as in `copied`
    while todo:
        container = todo.pop()
        for key, each in container.items() if isinstance(container, dict) else enumerate(container):
            container[key] = plain = _one_level(each)
            if isinstance(plain, dict | list) and not isinstance(each, WireObject):
                todo.append(plain)
    return top[0]


def _one_level(value: object) -> object:
    if isinstance(value, WireObject):
        return to_dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return value.value if isinstance(value, Enum) else value


def _format_error(mismatch: Mismatch, at: str, request_id: str | None, what: str) -> ResponseFormatError:
    path = at + mismatch.path[1:]
    request = f" (request {request_id})" if request_id else ""
    return ResponseFormatError(
        f"{what} does not fit: {path} {mismatch.complaint}{request}", path=path, request_id=request_id
    )
