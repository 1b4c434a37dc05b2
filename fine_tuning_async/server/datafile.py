"""The judgement on a training file."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from .examples import Flaw, check_example, layout_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEAST_EXAMPLES = 10
"""The API's own minimum for a training file."""

LONGEST_LINE = 64 * 2**20
"""Bytes; the server's own bound, so that no file fills its memory."""

_NAMES = {"chat": "fine-tune-chat", "preference": "fine-tune-preference", "completion": "fine-tune-completion"}
_WANTED = {
    "supervised": "chat",
    "reinforcement": "chat",
    "dpo": "preference",
    "completion": "completion",
}
_BYTES_PER_TOKEN = 4
"""Of English text, about."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at a data file found; with a defect, counting stopped there.

    Attributes:
        examples: How many examples the file holds.
        tokens: How many tokens they have, by estimate.
        line: The line of the first defect, from 1.
        code: The error code that the defect gives a job.
        message: What was wrong, in the API's words.
    """

    examples: int
    tokens: int
    line: int | None = None
    code: str | None = None
    message: str | None = None

    def dump(self) -> bytes:
        """Return the verdict as JSON, for the store."""
        return orjson.dumps(self)

    @classmethod
    def load(cls, text: bytes) -> Verdict:
        """Return the verdict that `dump` wrote."""
        return cls(**orjson.loads(text))


def judge(chunks: Iterable[bytes], kind: str, file_id: str) -> Verdict:
    """Read a data file and return the verdict on it.

    Args:
        chunks: The file's content, cut anywhere; one line at a time is held.
        kind: The method that it is for, or `completion` for a base model of that format.
        file_id: The name by which a message calls the file.
    """
    examples = size = 0
    for number, line in enumerate(_lines(chunks), 1):
        if line is not None and not line.strip():
            continue
        try:
            _check_line(line, kind, file_id)
        except Flaw as flaw:
            message = flaw.wording.format(number=number)
            return Verdict(examples, size // _BYTES_PER_TOKEN, number, flaw.code, message)
        examples += 1
        size += len(line or b"")
    return Verdict(examples, size // _BYTES_PER_TOKEN)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """Give each line, and None for one that is too long to be held."""
    parts: list[bytes] = []
    length = 0
    for chunk in _unmarked(chunks):
        first, *rest = chunk.split(b"\n")
        for piece in (first, *rest[:-1]) if rest else ():
            yield _line(parts, piece, length + len(piece))
            parts, length = [], 0
        piece = rest[-1] if rest else first
        length += len(piece)
        parts = [*parts, piece] if length <= LONGEST_LINE else []
    yield _line(parts, b"", length)


def _line(parts: list[bytes], last: bytes, length: int) -> bytes | None:
    return b"".join((*parts, last)) if length <= LONGEST_LINE else None


def _unmarked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # Editors on Windows put a byte order mark at the start, and Azure's guide asks for one.
    start = b""
    rest = iter(chunks)
    for chunk in rest:
        start += chunk
        if len(start) >= len(BOM_UTF8):
            break
    yield start.removeprefix(BOM_UTF8)
    yield from rest


def _check_line(line: bytes | None, kind: str, file_id: str) -> None:
    if line is None:
        raise Flaw(f"{_CANNOT} line is longer than {LONGEST_LINE} bytes (line {{number}})")
    example = _parse(line)
    wanted, found = _WANTED[kind], layout_of(example)
    if found is not None and found != wanted:
        raise Flaw(
            f"Input file {file_id} is in the {_NAMES[found]} format, but a file in the {_NAMES[wanted]}"
            f" format is needed (provided method={'supervised' if kind == 'completion' else kind})",
            code="invalid_file_format",
        )
    check_example(example, kind)


def _parse(line: bytes) -> dict[str, object]:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise Flaw(f"{_CANNOT} line is not valid UTF-8 at byte {error.start} (line {{number}})") from error
    try:
        example = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Flaw(f"{_CANNOT} line contains invalid json: {_reason(text, error)} (line {{number}})") from error
    if not isinstance(example, dict):
        raise Flaw(f"{_CANNOT} line is not a JSON object (line {{number}})")
    return example


_CANNOT = "Invalid file format. Example {number} cannot be parsed. Error:"


def _reason(text: str, error: orjson.JSONDecodeError) -> str:
    # The API words syntax errors as Python's own parser does; that parser forgives what orjson does not.
    try:
        json.loads(text)
    except ValueError as known:
        error_text = str(known)
    except RecursionError:
        error_text = "nested too deeply"
    else:
        error_text = str(error)
    return error_text.replace("{", "{{").replace("}", "}}")
