"""How many tokens texts make: counted with tiktoken where it is at hand, else estimated."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Protocol

from attrs import define

__all__ = ["TokenCounter", "token_counter"]

_BYTES_PER_TOKEN = 4
"""Of English text, about; other scripts take more bytes a letter, and more tokens."""

_SAMPLE = 8 * 2**20
"""Bytes that are counted exactly, a few seconds' work; the rest is reckoned by their ratio."""

_PIECE = 5_000
"""Characters encoded at once: the time that an encoder takes grows with the square of a word's length."""

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

    def add(self, text: str) -> None:
        """Count one text."""
        # Called for every row, and so without a call of its own.
        self._size += len(text) if text.isascii() else len(text.encode())
        if self._encoding is not None and self._sampled < _SAMPLE:
            self._count(self._encoding, text[:_SAMPLE])

    def _count(self, encoding: Encoding, text: str) -> None:
        for start in range(0, len(text), _PIECE):
            self._tokens += len(encoding.encode_ordinary(text[start : start + _PIECE]))
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
    return TokenCounter(_loaded(tiktoken), "")


@cache
def _loaded(tiktoken: object) -> Encoding:
    encoding: Encoding = tiktoken.get_encoding(_NAME)  # type: ignore[attr-defined]
    return encoding


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
