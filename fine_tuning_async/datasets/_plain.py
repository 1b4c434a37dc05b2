"""Rows of the common forms, in which nothing can be wrong: nearly all of a good file, and quick to see.

What is not plain is not bad: it is looked at rule by rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter, ne
from typing import Any, TypeAlias

from attrs import frozen

from ._columns import Said, demand, read_messages, read_tools
from ._messages import special_token
from ._parsing import QUOTATION_MARK
from ._repeats import canonical, fingerprints_of_talks
from ._rows import PREFERENCE_KEYS, SUPERVISED_KEYS

__all__ = ["READERS", "PlainRows"]

Rows: TypeAlias = Sequence[dict[str, Any]]  # or whatever a line holds in the place of an object

_messages, _final, _role = itemgetter("messages"), itemgetter(-1), itemgetter("role")
_input, _prompt, _completion = itemgetter("input"), itemgetter("prompt"), itemgetter("completion")
_outputs = itemgetter("preferred_output", "non_preferred_output")

_KEYS_OF_A_MESSAGE = 2
_STRINGS_OF_A_MESSAGE = 4
"""Two keys and their values."""


@frozen
class PlainRows:
    """What is in rows that are plain.

    Attributes:
        roles: The role of each message.
        texts: What a model reads or learns.
        text: All of that.
        structures: The tools and calls that a model reads beside.
        prints: The fingerprint of each row.
        marks: How many quotation marks their lines have, if no key is named twice.
    """

    roles: Sequence[str]
    texts: Sequence[str]
    text: str
    structures: Sequence[object]
    prints: Sequence[int]
    marks: int


def _read_supervised(rows: Rows) -> PlainRows:
    talks = list(map(_messages, rows))
    finals = list(map(_final, talks))
    demand({*map(_role, finals)} == {"assistant"})
    said = read_messages(list(chain.from_iterable(talks)))
    if said.simple and sum(map(len, rows)) == len(rows):
        return _simple(talks, said)
    demand({*chain.from_iterable(rows)} <= SUPERVISED_KEYS)
    demand(0 not in [each.get("weight") for each in finals])  # so that something is trained
    return _structured(rows, said, _offers(rows))


def _read_reinforcement(rows: Rows) -> PlainRows:
    talks = list(map(_messages, rows))
    demand({*map(_role, map(_final, talks))} == {"user"})
    said = read_messages(list(chain.from_iterable(talks)))
    if said.simple and sum(map(len, rows)) == len(rows):
        return _simple(talks, said)
    return _structured(rows, said, _offers(rows))


def _read_preference(rows: Rows) -> PlainRows:
    given = list(map(_input, rows))
    talks = list(map(_messages, given))
    preferred, others = zip(*map(_outputs, rows), strict=True)
    outputs = preferred + others
    demand(all(talks) and {*map(len, outputs)} == {1} and all(map(ne, preferred, others)))
    demand({*chain.from_iterable(rows)} <= PREFERENCE_KEYS)
    said = read_messages(list(chain.from_iterable([*talks, *outputs])))
    demand({*said.roles[-len(outputs) :]} == {"assistant"})
    return _structured(rows, said, _offers(given))


def _read_completion(rows: Rows) -> PlainRows:
    completions = list(map(_completion, rows))
    demand("" not in completions and {*map(len, rows)} == {2})
    return _structured(rows, Said([], [*map(_prompt, rows), *completions]), [])


READERS: dict[str, Callable[[Rows], PlainRows]] = {
    "supervised": _read_supervised,
    "dpo": _read_preference,
    "reinforcement": _read_reinforcement,
    "completion": _read_completion,
}
"""For each method what reads rows that are plain for it, and raises one of NOT_PLAIN if any is not."""


def _offers(holders: Rows) -> list[object]:
    return [*read_tools(holders), *(each["functions"] for each in holders if each.get("functions"))]


def _simple(talks: Sequence[Sequence[object]], said: Said) -> PlainRows:
    """Finish what has messages of a role and a text each, and nothing else."""
    text = _joined(said.texts)
    marks = 2 * (len(talks) + _STRINGS_OF_A_MESSAGE * len(said.roles)) + text.count('"')
    prints = fingerprints_of_talks(list(map(len, talks)), said.roles, said.texts)
    return PlainRows(said.roles, said.texts, text, (), prints, marks)


def _structured(rows: Rows, said: Said, offers: Sequence[object]) -> PlainRows:
    text = _joined(said.texts)
    prints, marks = [], 0
    for row in rows:
        written = canonical(row)  # one at a time: to hold all takes three times as long
        prints.append(_fingerprint_of_talk(row["messages"]) if _is_simple(row) else hash(written))
        marks += written.count(QUOTATION_MARK)
    return PlainRows(said.roles, said.texts, text, [*offers, *said.structures], prints, marks)


def _is_simple(row: dict[str, Any]) -> bool:
    """Tell whether a row is simple among others that are: its fingerprint must be the same here and there."""
    return len(row) == 1 and all(
        len(each) == _KEYS_OF_A_MESSAGE and type(each.get("content")) is str for each in row["messages"]
    )


def _fingerprint_of_talk(talk: Rows) -> int:
    contents: list[str] = [each["content"] for each in talk]
    (print_,) = fingerprints_of_talks([len(talk)], list(map(_role, talk)), contents)
    return print_


def _joined(texts: Sequence[str]) -> str:
    text = "".join(texts)
    demand(special_token(text) is None)
    return text
