"""Mirrors each model as a struct that JSON text is decoded into, and generates what makes the model of one.

Decoding into structs whose types are checked on the way, and building the models of them, costs half as much as
decoding into dictionaries and looking through those: a page of jobs has thousands of fields. What a struct cannot
say (lists of models, graders that are told apart by their type) comes as plain JSON, and goes through the hooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast, get_origin, get_type_hints

import msgspec
from attrs import NOTHING, Attribute, define, field, fields

from ._generate import Hook, split_optional
from ._hooks import is_model
from .models import FineTuningJob, WireObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from .models._base import Origin

__all__ = ["Build", "built_by", "mirrored"]

Build: TypeAlias = "Callable[[msgspec.Struct, Origin], WireObject]"
"""Makes a model of its mirror and of the text that this came from."""

# What a struct checks just as the hooks do. It would read the whole number 1 as 1.0 where only float is named.
_CHECKED: dict[Any, Any] = {
    str: str,
    int: int,
    float: int | float,
    bool: bool,
    int | str: int | str,
    float | str: int | float | str,
    list[str]: list[str],
    dict[str, str]: dict[str, str],
    object: Any,
}


# Fields beyond the models' that servers are known to send. Named, they are decoded and thereby checked.
_SEEN: dict[type[WireObject], tuple[str, ...]] = {
    FineTuningJob: ("eval_id", "shared_with_openai", "suffix", "trained_steps", "trainingType", "usage_metrics"),
}


def mirrored(cls: type[WireObject], *, exact: bool) -> type[msgspec.Struct]:
    """Return the struct of a model: a field for each of its own, under its JSON key.

    One that is exact refuses all other fields; else they are skipped, and nobody looks into them.
    """
    members: list[Any] = [(f"u{index}", Any, None) for index, _ in enumerate(_SEEN.get(cls, ()))]
    keys = {f"u{index}": key for index, key in enumerate(_SEEN.get(cls, ()))}
    for name, attribute, hint in _members(cls):
        inner, optional = split_optional(hint)
        kind = mirrored(inner, exact=exact) if is_model(inner) else _kind(inner)
        kind = kind | None if optional else kind
        members.append((name, kind) if attribute.default is NOTHING else (name, kind, attribute.default))
        keys[name] = cast("str", attribute.alias)
    # JSON has no cycles: the garbage collector need not look for any.
    return msgspec.defstruct(
        cls.__name__, members, rename=keys, forbid_unknown_fields=exact, kw_only=True, gc=False
    )


def built_by(cls: type[WireObject], hook_for: Callable[[Any], Hook]) -> Build:
    """Generate the function that makes a model, and those within it, of its mirror."""
    source = _Source(hook_for)
    source.line(0, "def build(struct, origin):")
    made = source.construction(cls, "struct", (), 1)
    source.line(1, f"return {made}")
    exec("\n".join(source.lines), source.names)  # noqa: S102 - made of the field names of our own classes alone
    return cast("Build", source.names["build"])


def _members(cls: type[WireObject]) -> list[tuple[str, Attribute[Any], Any]]:
    """Return name, attribute and type of each field; JSON keys need not be names that a struct may have."""
    hints = get_type_hints(cls)
    known = [each for each in fields(cls) if each.name != "_raw"]
    return [(f"f{index}", each, hints[each.name]) for index, each in enumerate(known)]


def _kind(hint: Any) -> Any:
    # Of what goes through the hooks, a struct can tell a list; most lists of models are empty.
    return list[Any] if get_origin(hint) is list and hint not in _CHECKED else _CHECKED.get(hint, Any)


@define
class _Source:
    """The source of a build function, as far as it is written, and the values that it names.

    A model is filled without its `__init__`, which would do the same assignments, and take twice as long to be
    called with so many arguments. Models that check or convert what they are given could not be made like this.
    """

    hook_for: Callable[[Any], Hook]
    lines: list[str] = field(factory=list)
    names: dict[str, Any] = field(factory=lambda: {"new": object.__new__})

    def construction(self, cls: type[WireObject], struct: str, path: tuple[str, ...], depth: int) -> str:
        """Write what makes the model of a struct; return the variable that it is in."""
        assert not hasattr(cls, "__attrs_post_init__")
        made = f"m{len(self.lines)}"
        self.line(depth, f"{made} = new({self.named(cls)})")
        for name, attribute, hint in _members(cls):
            assert attribute.validator is None
            assert attribute.converter is None
            value = self.value(f"{struct}.{name}", attribute, hint, path, depth)
            self.line(depth, f"{made}.{attribute.name} = {value}")
        self.line(depth, f"{made}._raw = {f'(origin, {path!r})' if path else 'origin'}")
        return made

    def value(self, source: str, attribute: Attribute[Any], hint: Any, path: tuple[str, ...], depth: int) -> str:
        """Return what stands for a field; what needs more than a copy goes through a variable."""
        inner, optional = split_optional(hint)
        if inner in _CHECKED:
            return source
        variable = f"v{len(self.lines)}"
        # A null is for the hook to refuse, unless there may be none, or the struct has refused it.
        there = "" if _kind(inner) == list[Any] else " is not None" if optional or is_model(inner) else " or True"
        self.line(depth, f"if ({variable} := {source}){there}:")
        if is_model(inner):
            below = (*path, cast("str", attribute.alias))
            self.line(depth + 1, f"{variable} = {self.construction(inner, variable, below, depth + 1)}")
        else:
            # Asked for when it is needed: most answers need none.
            hook_for, kind = self.named(self.hook_for), self.named(inner)
            self.line(depth + 1, f"{variable} = {hook_for}({kind})({variable}, {kind})")
        return variable

    def line(self, depth: int, text: str) -> None:
        """Write a line."""
        self.lines.append("    " * depth + text)

    def named(self, value: object) -> str:
        """Return the name of a value in the source."""
        name = f"n{len(self.names)}"
        self.names[name] = value
        return name
