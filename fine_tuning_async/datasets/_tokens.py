"""How many tokens texts make: counted with tiktoken where it is at hand, else estimated."""

from __future__ import annotations

import hashlib
import os
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from attrs import define

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["TokenCounter", "token_counter"]

_BYTES_PER_TOKEN = 4
"""Of English text, about; other scripts take more bytes a letter, and more tokens."""

_SAMPLE = 8 * 2**20
"""Bytes that are counted exactly, a few seconds' work; the rest is reckoned by their ratio."""

_PIECE = 5_000
"""Characters encoded at once: with older tiktokens, the time grows with the square of a word's length."""

_NAME = "o200k_base"  # of gpt-4o and all later models
_SOURCE = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"  # as tiktoken itself demands it


class Encoding(Protocol):
    """What is needed of tiktoken's Encoding."""

    def encode_ordinary(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        ...


@define
class TokenCounter:
    """Adds up the tokens of texts."""

    _encoding: Encoding | None
    _why: str
    _size: int = 0
    _tokens: int = 0
    _sampled: int = 0  # bytes

    def add(self, text: str, texts: Sequence[str]) -> None:
        """Count texts, given also as one."""
        self._size += len(text) if text.isascii() else len(text.encode())
        if self._encoding is not None and self._sampled < _SAMPLE:
            for each in texts:
                self._count(self._encoding, each[:_SAMPLE])

    def add_json(self, texts: Iterable[bytes]) -> None:
        """Count texts that are JSON."""
        if self._encoding is None or self._sampled >= _SAMPLE:
            self._size += sum(map(len, texts))
            return
        for text in texts:
            self._size += len(text)
            self._count(self._encoding, text[:_SAMPLE].decode(errors="ignore"))

    def _count(self, encoding: Encoding, text: str) -> None:
        self._tokens += sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))
        self._sampled += len(text.encode())

    @property
    def total(self) -> int:
        """How many tokens there are, about."""
        if not self._sampled:
            return -(-self._size // _BYTES_PER_TOKEN)
        return round(self._tokens * self._size / self._sampled)

    @property
    def source(self) -> str:
        """Say how the total came about."""
        if self._encoding is None:
            return f"an estimate, {_BYTES_PER_TOKEN} bytes a token: {self._why}"
        if self._sampled < self._size:
            return f"an estimate, from the first {self._sampled} bytes counted with tiktoken, {_NAME}"
        return f"counted with tiktoken, {_NAME}"


def token_counter() -> TokenCounter:
    """Return a counter that is as good as can be had without the network."""
    try:
        tiktoken = import_module("tiktoken")
    except ImportError:
        return TokenCounter(None, "tiktoken is not installed")
    # tiktoken would fetch what it has not, or finds damaged.
    if not _is_cached():
        return TokenCounter(None, f"tiktoken has {_NAME} not in its cache")
    try:
        return TokenCounter(tiktoken.get_encoding(_NAME), "")
    except (ImportError, LookupError, OSError, ValueError):  # as where the cache is emptied at this moment
        return TokenCounter(None, f"tiktoken cannot load {_NAME}")


def _pieces(text: str) -> Iterator[str]:
    """Cut a text before a space, where no token goes on."""
    start = 0
    while start < len(text):
        end = start + _PIECE
        space = text.rfind(" ", start + 1, end) if end < len(text) else -1
        end = end if space < 0 else space
        yield text[start:end]
        start = end


def _is_cached() -> bool:
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":
        return False  # told not to keep anything, tiktoken always fetches
    home = Path(folder) if folder else Path(tempfile.gettempdir(), "data-gym-cache")
    name = hashlib.sha1(_SOURCE.encode(), usedforsecurity=False).hexdigest()
    try:
        return hashlib.sha256((home / name).read_bytes()).hexdigest() == _SHA256
    except (OSError, ValueError):
        return False
