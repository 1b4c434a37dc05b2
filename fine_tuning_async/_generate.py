"""Generates the function that makes one model of its JSON object."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_
from types import NoneType
from typing import TYPE_CHECKING, Any, cast, get_args, get_type_hints

from attrs import NOTHING, Attribute, fields

from ._document import describe

if TYPE_CHECKING:
    from .models import WireObject

__all__ = ["Hook", "Mismatch", "as_object", "model_hook", "split_optional", "step"]

Hook = Callable[[Any, Any], Any]


class Mismatch(Exception):  # noqa: N818 - internal; always turned into a ResponseFormatError
    """What is wrong with a value, with the path to it, innermost step first."""

    def __init__(self, complaint: str) -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.steps: list[str] = []

    @classmethod
    def of(cls, expected: str, value: object) -> Mismatch:
        """Return the mismatch of a value that is of another type than expected."""
        return cls(f"should be {expected}, but is {describe(value)}")

    def inside(self, step: str) -> Mismatch:
        """Return this mismatch, seen from one level further out."""
        self.steps.append(step)
        return self

    @property
    def path(self) -> str:
        """The JSON path, from the root."""
        return "$" + "".join(reversed(self.steps))


def step(key: str) -> str:
    """Return a key as one step of a JSON path."""
    return f".{key}" if key.isidentifier() else f"[{key!r}]"


def as_object(value: object) -> dict[str, Any]:
    """Return the value if it is a JSON object, else raise Mismatch."""
    if isinstance(value, dict):
        return value
    raise Mismatch.of("an object", value)


# The exact classes that a generated hook takes as they are, so that a value of the right type costs no call.
# bool is none of them, although it is an int.
_AS_IT_IS: dict[Any, tuple[str, ...]] = {
    str: ("str",),
    int: ("int",),
    float: ("float", "int"),
    bool: ("bool",),
    int | str: ("int", "str"),
    float | str: ("float", "int", "str"),
}


def model_hook(cls: type[WireObject], hook_for: Callable[[Any], Hook]) -> Hook:
    """Generate the structure hook of a model.

    The code is generated because a loop over the fields costs three times as much: a page of jobs has two
    thousand of them. Each field becomes one lookup, one inline type test and one positional argument.
    """
    hints = get_type_hints(cls)
    names: dict[str, Any] = {"cls": cls, "Mismatch": Mismatch, "as_object": as_object, "missing": _missing}
    lines = ["if value.__class__ is not dict: as_object(value)", "get = value.get"]
    arguments = []
    for index, attribute in enumerate(each for each in fields(cls) if each.name != "_raw"):
        variable, (hint, optional) = f"f{index}", split_optional(hints[attribute.name])
        lines.append(_lookup(variable, attribute, names))
        if hint is not object:
            names |= {f"hook_{variable}": hook_for(hint), f"type_{variable}": hint}
            lines += _conversion(variable, attribute, _condition(variable, hint, optional=optional))
        arguments.append(f"{attribute.alias}={variable}" if attribute.kw_only else variable)
    lines.append(f"return cls({', '.join(arguments)}, _raw=value)")
    source = "def structure_model(value, _):\n    " + "\n    ".join(lines)
    exec(source, names)  # noqa: S102 - made of the field names of our own classes alone
    return cast("Hook", names["structure_model"])


def _lookup(variable: str, attribute: Attribute[Any], names: dict[str, Any]) -> str:
    key = attribute.alias
    if attribute.default is NOTHING:
        # The class itself stands for absence, because no JSON value is a class.
        return f"{variable} = get({key!r}, cls)\n    if {variable} is cls: raise missing({key!r})"
    if attribute.default is None:
        return f"{variable} = get({key!r})"
    names[f"default_{variable}"] = attribute.default
    return f"{variable} = get({key!r}, default_{variable})"


def _condition(variable: str, hint: Any, *, optional: bool) -> str:
    tests = [f"{variable} is not None"] if optional else []
    tests += [f"{variable}.__class__ is not {name}" for name in _AS_IT_IS.get(hint, ())]
    return " and ".join(tests) or "True"


def _conversion(variable: str, attribute: Attribute[Any], condition: str) -> list[str]:
    return [
        f"if {condition}:",
        f"    try: {variable} = hook_{variable}({variable}, type_{variable})",
        f"    except Mismatch as mismatch: raise mismatch.inside({step(attribute.alias or '')!r}) from None",
    ]


def _missing(key: str) -> Mismatch:
    return Mismatch(f"has no field {key!r}")


def split_optional(hint: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether None was part of it."""
    members = get_args(hint)
    if NoneType not in members:
        return hint, False
    return reduce(or_, (each for each in members if each is not NoneType)), True
