"""What is in the rows of a file: messages, roles, text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import orjson

from ._messages import ROLES
from ._rows import LAYOUTS, conversations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ._tokens import TokenCounter

__all__ = ["Counts"]


class Counts:
    """Adds up what is in the rows that are not plain."""

    def __init__(self, method: str, tokens: TokenCounter) -> None:
        self._layout = LAYOUTS[method]
        self.tokens = tokens
        self.messages = 0
        self.characters = 0
        self.roles: Counter[str] = Counter()

    def add_shapes(self, shapes: Iterable[tuple[tuple[str, ...], int]]) -> None:
        """Count the messages of conversations that have these sequences of roles, so many of each."""
        for roles, count in shapes:
            self.messages += len(roles) * count
            for role in roles:
                self.roles[role] += count

    def add_text(self, text: str) -> None:
        """Count text that a model reads or learns."""
        self.characters += len(text)
        self.tokens.add(text)

    def add_row(self, row: Mapping[str, object]) -> None:
        """Count what is in a row, however much is wrong with it."""
        if self._layout == "completion":
            for text in (row.get("prompt"), row.get("completion")):
                self.add_text(text if isinstance(text, str) else "")
            return
        for messages in conversations(row, self._layout):
            for message in messages if isinstance(messages, list) else ():
                self._add_message(message)
        for key in ("tools", "functions"):
            if row.get(key):
                self._add_json(row[key])

    def _add_message(self, message: object) -> None:
        if not isinstance(message, dict):
            return
        self.messages += 1
        role = message.get("role")
        if isinstance(role, str) and role in ROLES:
            self.roles[role] += 1
        self.add_text("".join(_texts(message.get("content"))))
        for key in ("tool_calls", "function_call"):
            if message.get(key):
                self._add_json(message[key])

    def _add_json(self, value: object) -> None:
        # What is no text is read by the model all the same, in a form that nobody has published.
        try:
            self.tokens.add(orjson.dumps(value).decode())
        except orjson.JSONEncodeError:  # nested deeper than can be written
            return


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            yield text
