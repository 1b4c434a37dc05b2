"""Messages that are looked at many at a time, key by key, in loops that run in C.

What holds for a column of values holds for each. These are the rules of the single message, only stricter where
that is quicker: what is not plain here is not bad, and is looked at rule by rule.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter, methodcaller
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
from attrs import frozen

from ._messages import IMAGE_URLS, MESSAGE_KEYS, NAME, OTHER_PARTS, ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    _Object: TypeAlias = dict[str, Any]  # or whatever a row holds in the place of one

__all__ = ["NOT_PLAIN", "NotPlain", "Said", "demand", "read_messages", "read_tools"]

_PARTS = OTHER_PARTS | {"text", "image_url"}

_role, _content, _weight, _name = map(itemgetter, ("role", "content", "weight", "name"))
_id, _type, _function, _arguments = map(itemgetter, ("id", "type", "function", "arguments"))
_has_scheme = methodcaller("startswith", IMAGE_URLS)


class NotPlain(Exception):  # noqa: N818 - no error: the rows are only looked at more closely
    """Rows are of no common form."""


NOT_PLAIN = (NotPlain, AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""What looking at rows raises that are not built like plain ones."""


def demand(holds: object) -> None:
    """Go on only if this holds."""
    if not holds:
        raise NotPlain


@frozen
class Said:
    """What is in messages.

    Attributes:
        roles: The role of each.
        texts: All texts, none of them empty.
        structures: What the messages call.
        simple: Whether each message is a role and a text, so that there are as many texts as roles.
    """

    roles: Sequence[str]
    texts: Sequence[str]
    structures: Sequence[object] = ()
    simple: bool = True


def read_messages(messages: Sequence[_Object]) -> Said:
    """Return what is in messages that are plain, or raise one of NOT_PLAIN."""
    roles = list(map(_role, messages))
    demand(ROLES.issuperset(roles))
    contents: list[Any] = [each.get("content") for each in messages]
    # With these two, a message of two keys has no third.
    if sum(map(len, messages)) == 2 * len(messages) and {*map(type, contents)} == {str} and "tool" not in roles:
        demand("" not in contents)
        return Said(roles, contents)
    structures = _structures(messages)
    texts = _texts(messages, contents)
    demand("" not in texts)
    if "tool" in roles:
        demand({type(each.get("tool_call_id")) for each in messages if each["role"] == "tool"} == {str})
    return Said(roles, texts, structures, simple=False)


def read_tools(holders: Sequence[_Object]) -> list[object]:
    """Return the tools that rows offer, or raise one of NOT_PLAIN."""
    offers = [each["tools"] for each in holders if each.get("tools") is not None]
    demand({*map(type, offers)} <= {list})
    names = map(_name, map(_function, chain.from_iterable(offers)))
    demand({*map(type, names)} <= {str})
    demand({type(each.get("parallel_tool_calls")) for each in holders} <= {bool, type(None)})
    return [*filter(None, offers)]


def _structures(messages: Sequence[_Object]) -> list[object]:
    """Return what messages call, having looked at all that is in them beside role and content."""
    keys = {*chain.from_iterable(messages)}
    demand(keys <= MESSAGE_KEYS)
    found: list[object] = []
    for key in keys & _COLUMNS.keys():
        found += _COLUMNS[key]([each for each in messages if each.get(key) is not None])
    return found


def _weights(holders: Sequence[_Object]) -> tuple[()]:
    weights = list(map(_weight, holders))
    demand({*map(_role, holders)} <= {"assistant"} and {*weights} <= {0, 1} and bool not in {*map(type, weights)})
    return ()


def _names(holders: Sequence[_Object]) -> tuple[()]:
    demand(all(map(NAME.fullmatch, map(_name, holders))))
    return ()


def _tool_calls(holders: Sequence[_Object]) -> Iterable[object]:
    lists = [each["tool_calls"] for each in holders]
    demand({*map(type, lists)} <= {list})
    calls = list(chain.from_iterable(lists))
    demand({*map(type, map(_id, calls))} <= {str})
    _demand_functions(list(map(_function, calls)))
    return filter(None, lists)


def _function_calls(holders: Sequence[_Object]) -> Iterable[object]:
    functions = [each["function_call"] for each in holders]
    _demand_functions(functions)
    return functions


def _demand_functions(functions: Sequence[_Object]) -> None:
    demand({*map(type, map(_name, functions))} <= {str})
    arguments = list(map(_arguments, functions))
    demand({*map(type, arguments)} <= {str})
    for _ in map(orjson.loads, arguments):
        pass


_COLUMNS: dict[str, Callable[[Sequence[_Object]], Iterable[object]]] = {
    "weight": _weights,
    "name": _names,
    "tool_calls": _tool_calls,
    "function_call": _function_calls,
}


def _texts(messages: Sequence[_Object], contents: Sequence[object]) -> list[str]:
    texts = [each for each in contents if type(each) is str]
    if len(texts) == len(contents):
        return texts
    silent = [each for each, content in zip(messages, contents, strict=True) if content is None]
    demand(all(each.get("tool_calls") or each.get("function_call") or each.get("refusal") for each in silent))
    if len(texts) + len(silent) == len(contents):
        return texts
    holders = [each for each, content in zip(messages, contents, strict=True) if type(content) is list]
    demand(len(texts) + len(silent) + len(holders) == len(contents))
    return texts + _texts_of_parts(holders)


def _texts_of_parts(holders: Sequence[_Object]) -> list[str]:
    lists = list(map(_content, holders))
    parts = list(chain.from_iterable(lists))
    demand(all(lists) and {*map(_type, parts)} <= _PARTS)
    texts = [each["text"] for each in parts if each["type"] == "text"]
    others = [each for each in parts if each["type"] != "text"]
    demand({*map(type, texts)} <= {str} and "text" not in {*chain.from_iterable(others)})
    urls = [each["image_url"]["url"] for each in others if each["type"] == "image_url"]
    demand(all(map(_has_scheme, urls)) and (not urls or {*map(_role, holders)} == {"user"}))
    return texts
