"""The judgement on a training file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from .examples import Flaw, check_example, layout_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEAST_EXAMPLES = 10
"""The API's own minimum for a training file."""

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

    Args:
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
        if not line.strip():
            continue
        try:
            _check_line(line, kind, file_id)
        except Flaw as flaw:
            message = flaw.wording.format(number=number)
            return Verdict(examples, size // _BYTES_PER_TOKEN, number, flaw.code, message)
        examples += 1
        size += len(line)
    return Verdict(examples, size // _BYTES_PER_TOKEN)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    parts: list[bytes] = []
    for chunk in chunks:
        first, *rest = chunk.split(b"\n")
        parts.append(first)
        for piece in rest:
            yield b"".join(parts)
            parts = [piece]
    yield b"".join(parts)


def _check_line(line: bytes, kind: str, file_id: str) -> None:
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
