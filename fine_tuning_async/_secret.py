"""The key, so that nothing shows it."""

from __future__ import annotations

from ._values import value
from .errors import InvalidArgumentError

__all__ = ["Authorization", "Secret", "checked_key", "wrapped"]

# What stands behind a text that was cut for an error message, within quotes or not.
CUTS = ("...", "'...", '"...')
# A shorter key, such as those that local servers are given, guards nothing, and may be part of any word.
SHORTEST_SECRET = 6


class Secret:
    """A value that no repr, pickle or traceback shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")

    def reveal(self) -> str:
        """Return the value."""
        return self._value

    def is_printable(self) -> bool:
        """Tell whether a header can carry it as it is."""
        return self._value.isascii() and self._value.isprintable() and self._value == self._value.strip()

    def redact_error(self, error: BaseException) -> None:
        """Take the value out of the texts of an error, and of those that led to it."""
        seen: BaseException | None = error
        while seen is not None:
            seen.args = tuple(map(self._without, seen.args))
            for name, held in vars(seen).items():
                setattr(seen, name, self._without(held))
            seen = seen.__cause__

    def _without(self, value: object) -> object:
        if isinstance(value, bytes):
            return self.redact(value)
        return self.redact_text(value) if isinstance(value, str) else value

    def redact(self, text: bytes) -> bytes:
        """Return the text without the value, should a server have echoed it."""
        if len(self._value) < SHORTEST_SECRET:
            return text
        return text.replace(self._value.encode(), b"[redacted]")

    def redact_text(self, text: str) -> str:
        """Return the text without the value; a header may hold bytes that are no UTF-8 (PEP 383).

        Where the text was cut in the middle of the value, its beginning is taken out too.
        """
        text = self.redact(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
        if CUTS[0] in text:
            for length in range(len(self._value) - 1, SHORTEST_SECRET - 1, -1):
                for cut in CUTS:
                    text = text.replace(self._value[:length] + cut, f"[redacted]{cut}")
        return text


@value
class Authorization:
    """The header that carries the key."""

    name: str
    scheme: str
    secret: Secret

    def reveal(self) -> str:
        """Return the header's value."""
        return self.scheme + self.secret.reveal()


def wrapped(key: object) -> Secret:
    """Return whatever was given as a key as a secret, so that from here on nothing can show it."""
    return Secret(key if isinstance(key, str) else "")


def checked_key(secret: Secret, advice: str) -> Secret:
    """Return a secret that can be sent as a key; the advice is for those who have none.

    Raises:
        InvalidArgumentError: It is empty, or has characters that no header may have.
    """
    if not secret.reveal().strip():
        raise InvalidArgumentError(f"the API key is no string or is empty; {advice}")
    if not secret.is_printable():
        raise InvalidArgumentError(
            "the API key has white space around it, a line break or characters that a header cannot carry; "
            "it was probably read from a file: strip it"
        )
    return secret
