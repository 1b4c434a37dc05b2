"""The strict hooks of the converter: how each type of a model is made of JSON."""

from __future__ import annotations

from functools import cache
from operator import is_
from typing import TYPE_CHECKING, Any, cast, get_args

from ._generate import Hook, Mismatch, as_object, model_hook, step
from .models import (
    Grader,
    LabelModelGrader,
    MultiGrader,
    PythonGrader,
    ScoreModelGrader,
    SingleGrader,
    StringCheckGrader,
    TextSimilarityGrader,
    UnknownGrader,
    WireObject,
)

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["Hook", "Mismatch", "converter", "each_of", "hook_for", "is_model"]

# Beyond it a double no longer tells neighbouring whole numbers apart (IEEE 754, binary64).
EXACT_FLOAT = 2.0**53


def _string(value: object, _: object) -> str:
    if isinstance(value, str):
        return value
    raise Mismatch.of("a string", value)


def _whole(value: object, _: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT_FLOAT:
        return int(value)
    raise Mismatch.of("a whole number", value)


def _number(value: object, _: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise Mismatch.of("a number", value)


def _boolean(value: object, _: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Mismatch.of("true or false", value)


def _or(kind: type, hook: Hook, expected: str) -> Hook:
    """Return the hook of a union: of what is taken as it is, and of what another hook makes."""

    def structure_either(value: object, hint: object) -> object:
        if isinstance(value, kind):
            return value
        try:
            return hook(value, hint)
        except Mismatch:
            raise Mismatch.of(expected, value) from None

    return structure_either


def _anything(value: object, _: object) -> object:
    return value


def _list_hook(hint: Any) -> Hook:
    (inner,) = get_args(hint)
    hook = hook_for(inner)

    def structure_list(value: object, _: object) -> list[object]:
        if not isinstance(value, list):
            raise Mismatch.of("a list", value)
        result = each_of(value, hook, inner)
        # What needed no conversion stays the very list, by which to_dict sees that nothing changed.
        return value if all(map(is_, result, value)) else result

    return structure_list


def each_of(values: list[Any], hook: Hook, cls: object) -> list[Any]:
    """Return what a hook makes of each value; a mismatch says of which."""
    result: list[Any] = []
    try:
        # The bound append, in a loop, so that the index of a failure is the number of what went before it.
        append = result.append
        for value in values:
            append(hook(value, cls))
    except Mismatch as mismatch:
        raise mismatch.inside(f"[{len(result)}]") from None
    return result


def _dict_hook(hint: Any) -> Hook:
    _, inner = get_args(hint)
    if inner is object:
        return lambda value, _: as_object(value)
    hook = hook_for(inner)

    def structure_dict(value: object, _: object) -> dict[str, object]:
        result = {}
        for key, each in as_object(value).items():
            try:
                result[key] = hook(each, inner)
            except Mismatch as mismatch:
                raise mismatch.inside(step(key)) from None
        return result

    return structure_dict


_GRADERS: dict[str, type[WireObject]] = {
    "string_check": StringCheckGrader,
    "text_similarity": TextSimilarityGrader,
    "python": PythonGrader,
    "score_model": ScoreModelGrader,
    "label_model": LabelModelGrader,
    "multi": MultiGrader,
}


def _grader(value: object, _: object) -> WireObject:
    tag = as_object(value).get("type")
    cls = _GRADERS.get(tag, UnknownGrader) if isinstance(tag, str) else UnknownGrader
    return cast("WireObject", hook_for(cls)(value, cls))


def _single_grader(value: object, hint: object) -> WireObject:
    if as_object(value).get("type") == "multi":
        return cast("WireObject", hook_for(UnknownGrader)(value, UnknownGrader))
    return _grader(value, hint)


def _graders(value: object, _: object) -> object:
    # The specification says one grader and shows a list; its other examples and the server say a mapping.
    if isinstance(value, list):
        return hook_for(list[SingleGrader])(value, list[SingleGrader])
    if isinstance(as_object(value).get("type"), str):
        return _single_grader(value, SingleGrader)
    return hook_for(dict[str, SingleGrader])(value, dict[str, SingleGrader])


def _is_list(hint: Any) -> bool:
    return getattr(hint, "__origin__", None) is list


def _is_dict(hint: Any) -> bool:
    return getattr(hint, "__origin__", None) is dict


def is_model(hint: Any) -> bool:
    """Tell whether a type is a model of our own."""
    return isinstance(hint, type) and issubclass(hint, WireObject)


def hook_for(hint: Any) -> Hook:
    """Return the hook that structures a type."""
    return converter().get_structure_hook(hint)


_PLAIN: dict[Any, Hook] = {
    str: _string,
    int: _whole,
    float: _number,
    bool: _boolean,
    int | str: _or(str, _whole, "a whole number or a string"),
    int | dict[str, object]: _or(dict, _whole, "a whole number or an object"),
    float | str: _or(str, _number, "a number or a string"),
    Grader: _grader,
    SingleGrader: _single_grader,
    dict[str, SingleGrader] | list[SingleGrader] | SingleGrader: _graders,
}


@cache
def converter() -> Converter:
    """Return the one converter, with all hooks."""
    from cattrs import Converter  # noqa: PLC0415 - most programs never read what needs a hook, and start faster

    made = Converter()
    for hint, hook in _PLAIN.items():
        made.register_structure_hook(hint, hook)
    made.register_structure_hook_func(lambda hint: hint is object, _anything)
    made.register_structure_hook_factory(_is_list, _list_hook)
    made.register_structure_hook_factory(_is_dict, _dict_hook)
    made.register_structure_hook_factory(is_model, lambda cls: model_hook(cls, hook_for))
    return made
