"""Rows of the plain form, in which nothing can be wrong: nearly all of a good file, and quick to see.

What is not plain is not bad: it is looked at rule by rule.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from ._parsing import KEY, has_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["NOT_PLAIN", "PlainRows"]

_ROLES = frozenset({"system", "developer", "user", "assistant"})  # the others need more than role and content
_LAST = {"supervised": "assistant", "reinforcement": "user"}
_MOST_SHAPES = _LONGEST_SHAPE = 1_000

_role, _content = itemgetter("role"), itemgetter("content")
_messages, _final = itemgetter("messages"), itemgetter(-1)
_preference = itemgetter("input", "preferred_output", "non_preferred_output")
_completion = itemgetter("prompt", "completion")

NOT_PLAIN = (LookupError, TypeError, ValueError)
"""What looking at a row raises that is not built like a plain one."""

_Row = dict[str, Any]  # anything may be in it
_Way: TypeAlias = "Callable[[_Row, bytes], str | None]"


class PlainRows:
    """Tells which rows are plain, and counts the messages of those.

    The sequence of a conversation's roles is its shape. A file has few, so that each is looked at once.

    Attributes:
        text_of: Returns all text of a plain row, given the row and its line. If the row is not plain, it returns
            None or raises one of NOT_PLAIN.
        roles: How many messages of each role there were in the rows that were taken many at a time.
    """

    def __init__(self, method: str) -> None:
        self._last = _LAST.get(method)
        self._shapes: dict[tuple[str, ...], int] = {}
        ways: dict[str, _Way] = {"dpo": self._preference, "completion": self._completion}
        self.roles: Counter[str] = Counter()
        self.text_of = ways.get(method, self._chat)

    @property
    def shapes(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Each sequence of roles, with the number of conversations that have it."""
        return iter(self._shapes.items())

    def text_of_all(self, rows: Sequence[_Row], lines: Sequence[bytes]) -> str | None:
        """Return all text of many rows at once, if every one is plain; else None, or raise one of NOT_PLAIN.

        It asks of all what `text_of` asks of each, in loops that run in C and take half the time. A row has at
        least the one key, a message the two, so that the sums tell that none has more.
        """
        if self._last is None:
            return None
        talks = list(map(_messages, rows))
        messages = list(chain.from_iterable(talks))
        roles, texts = list(map(_role, messages)), list(map(_content, messages))
        text = "".join(texts)
        if (
            sum(map(len, rows)) != len(rows)
            or sum(map(len, messages)) != 2 * len(messages)
            or {*map(_role, map(_final, talks))} != {self._last}
            or not _ROLES.issuperset(roles)
            or ("|" in text and "<|" in text)
            or "" in texts
            or not has_keys(lines, len(rows) + 2 * len(messages))
        ):
            return None
        self.roles.update(roles)
        return text

    def _chat(self, row: _Row, line: bytes) -> str | None:
        messages = row["messages"]
        roles, texts = tuple(map(_role, messages)), list(map(_content, messages))
        text = "".join(texts)
        if (
            len(row) != 1
            or "|" in text
            or "" in texts
            or sum(map(len, messages)) != 2 * len(roles)
            or (line.count(KEY) != 1 + 2 * len(roles) and not has_keys([line], 1 + 2 * len(roles)))
        ):
            return None
        if roles in self._shapes:
            self._shapes[roles] += 1
            return text
        return text if self._admitted(roles) else None

    def _preference(self, row: _Row, line: bytes) -> str | None:
        given, (preferred,), (other,) = _preference(row)
        messages = [*given["messages"], preferred, other]
        roles, texts = tuple(map(_role, messages)), list(map(_content, messages))
        text = "".join(texts)
        if (
            len(row) != 3  # noqa: PLR2004 - the three keys above
            or len(given) != 1
            or len(roles) == 2  # noqa: PLR2004 - the two outputs, and no input
            or roles[-2:] != ("assistant", "assistant")
            or "|" in text
            or "" in texts
            or texts[-1] == texts[-2]
            or sum(map(len, messages)) != 2 * len(roles)
            or not has_keys([line], 4 + 2 * len(roles))
        ):
            return None
        if roles in self._shapes:
            self._shapes[roles] += 1
            return text
        return text if self._admitted(roles) else None

    def _completion(self, row: _Row, line: bytes) -> str | None:
        prompt, completion = _completion(row)
        text: str = prompt + completion
        if len(row) != 2 or not completion or type(text) is not str or "|" in text or not has_keys([line], 2):  # noqa: PLR2004 - prompt, completion
            return None
        return text

    def _admitted(self, roles: tuple[str, ...]) -> bool:
        good = 0 < len(roles) <= _LONGEST_SHAPE and _ROLES.issuperset(roles)
        if not good or len(self._shapes) >= _MOST_SHAPES or self._last not in {None, roles[-1]}:
            return False
        self._shapes[roles] = 1
        return True
