"""Reads what graders that ask a model send it: messages, sampling parameters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fine_tuning_async.server import checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROLES = ("user", "assistant", "system", "developer")
_FORMATS = ("mp3", "wav")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_MOST = 1_000
"""Messages, and parts of one message's content."""


def read_messages(value: object, param: str) -> dict[str, str]:
    """Check messages (schema EvalItem); return the texts that may be templates, by their places.

    Raises:
        Problem: They are refused.
    """
    texts: dict[str, str] = {}
    for index, each in enumerate(checks.array(value, param, most=_MOST)):
        where = f"{param}[{index}]"
        message = checks.mapping(each, where)
        checks.one_of(checks.needed(message, where, "role"), f"{where}.role", _ROLES)
        if "type" in message:
            checks.one_of(message["type"], f"{where}.type", ("message",))
        texts.update(_contents(checks.needed(message, where, "content"), f"{where}.content"))
    return texts


def read_sampling(value: object, param: str) -> None:
    """Check the sampling parameters of a model; each may be null.

    Raises:
        Problem: They are refused.
    """
    given = checks.mapping(value, param)
    for name, setting in given.items():
        where = f"{param}.{name}"
        if setting is None:
            continue
        if name in {"top_p", "temperature"}:
            checks.decimal(setting, where, above=-math.inf)
        elif name == "seed":
            checks.integer(setting, where, least=1 - 2**63, most=2**63 - 1)
        elif name == "max_completions_tokens":
            checks.integer(setting, where, least=1)
        elif name == "reasoning_effort":
            checks.one_of(setting, where, _EFFORTS)


def _contents(value: object, param: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a content: a string, a part, or an array of both."""
    if not isinstance(value, list):
        yield from _part(value, param)
        return
    for index, each in enumerate(checks.array(value, param, most=_MOST)):
        yield from _part(each, f"{param}[{index}]")


def _part(value: object, param: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield param, value
        return
    part = checks.mapping(value, param)
    kind = checks.one_of(checks.needed(part, param, "type"), f"{param}.type", tuple(_TEXTS))
    key = _TEXTS[kind]
    _check_extras(kind, part, param)
    if kind == "input_audio":
        part, param = checks.mapping(checks.needed(part, param, kind), f"{param}.{kind}"), f"{param}.{kind}"
        checks.one_of(checks.needed(part, param, "format"), f"{param}.format", _FORMATS)
    yield f"{param}.{key}", checks.text(checks.needed(part, param, key), f"{param}.{key}")


def _check_extras(kind: str, part: Mapping[str, object], param: str) -> None:
    """Check what a part may have besides its text."""
    if kind == "input_image" and "detail" in part:
        checks.text(part["detail"], f"{param}.detail")
    if kind == "input_text" and "prompt_cache_breakpoint" in part:
        where = f"{param}.prompt_cache_breakpoint"
        mark = checks.mapping(part["prompt_cache_breakpoint"], where)
        checks.one_of(mark.get("mode"), f"{where}.mode", ("explicit",))


_TEXTS = {"input_text": "text", "output_text": "text", "input_image": "image_url", "input_audio": "data"}
"""Where each kind of part has its text."""
