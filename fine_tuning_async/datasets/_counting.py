"""What is in the rows of a file: messages, roles, text."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

from ._messages import ROLES
from ._rows import LAYOUTS, conversations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ._plain import PlainRows
    from ._tokens import TokenCounter

__all__ = ["Counts"]


class Counts:
    """Adds up what is in rows."""

    def __init__(self, method: str, tokens: TokenCounter) -> None:
        self._layout = LAYOUTS[method]
        self.tokens = tokens
        self.messages = 0
        self.characters = 0
        self.roles: Counter[str] = Counter()

    def add_plain(self, rows: PlainRows) -> None:
        """Count what is in plain rows."""
        self.messages += len(rows.roles)
        self.roles.update(rows.roles)
        self.characters += len(rows.text)
        self.tokens.add(rows.text, rows.texts)
        self._add_structures(rows.structures)

    def add_row(self, row: Mapping[str, object]) -> None:
        """Count what is in a row, however much is wrong with it."""
        if self._layout == "completion":
            texts = [row.get("prompt"), row.get("completion")]
            self._add_texts([text for text in texts if isinstance(text, str)])
            return
        for messages in conversations(row, self._layout):
            for message in messages if isinstance(messages, list) else ():
                self._add_message(message)
        offers = row.get("input") if self._layout == "preference" else row
        if isinstance(offers, dict):
            self._add_structures(filter(None, map(offers.get, ("tools", "functions"))))

    def _add_message(self, message: object) -> None:
        if not isinstance(message, dict):
            return
        self.messages += 1
        role = message.get("role")
        if isinstance(role, str) and role in ROLES:
            self.roles[role] += 1
        self._add_texts(list(_texts(message.get("content"))))
        self._add_structures(filter(None, map(message.get, ("tool_calls", "function_call"))))

    def _add_texts(self, texts: Sequence[str]) -> None:
        text = "".join(texts)
        self.characters += len(text)
        self.tokens.add(text, texts)

    def _add_structures(self, values: Iterable[object]) -> None:
        # What is no text is read by the model all the same, in a form that nobody has published.
        with suppress(orjson.JSONEncodeError):  # nested deeper than can be written
            self.tokens.add_json(map(orjson.dumps, values))


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            yield text
