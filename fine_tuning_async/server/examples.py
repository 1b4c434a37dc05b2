"""The rules that each example of a training file must keep."""

from __future__ import annotations

import re

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_CHAT_KEYS = frozenset({"messages", "tools", "functions", "parallel_tool_calls", "metadata"})
_SPECIAL = re.compile(r"<\|(?:endoftext|endofprompt|fim_prefix|fim_middle|fim_suffix|im_start|im_end)\|>")


class Flaw(Exception):  # noqa: N818 - a finding about somebody's data
    """The first thing wrong with a data file.

    Args:
        wording: What is wrong, with `{number}` in the place of the line's number.
        code: The error code that it gives a job.
    """

    def __init__(self, wording: str, *, code: str = "invalid_training_file") -> None:
        super().__init__(wording)
        self.wording = wording
        self.code = code


def layout_of(example: dict[str, object]) -> str | None:
    """Recognise the layout of an example: chat, preference, completion, or None for no known one."""
    if "preferred_output" in example or "non_preferred_output" in example:
        return "preference"
    if "messages" in example:
        return "chat"
    return "completion" if "prompt" in example and "completion" in example else None


def check_example(example: dict[str, object], kind: str) -> None:
    """Check one example for a method.

    Raises:
        Flaw: The example breaks a rule.
    """
    if kind == "completion":
        _check_completion(example)
    elif kind == "dpo":
        _check_preference(example)
    else:
        _check_chat(example, kind)


def _check_completion(example: dict[str, object]) -> None:
    for key in ("prompt", "completion"):
        text = _required(example, key)
        if not isinstance(text, str):
            raise _flaw(f"has a '{key}' that is not a string")
        _check_text(text, f", key '{key}'")


def _check_preference(example: dict[str, object]) -> None:
    given = _required(example, "input")
    if not isinstance(given, dict):
        raise _flaw("has an 'input' that is not an object")
    _check_messages(given, "messages")
    for key in ("preferred_output", "non_preferred_output"):
        messages = _check_messages(example, key)
        if not any(message["role"] == "assistant" for message in messages):
            raise _flaw(f"has no message from the assistant in '{key}'")


def _check_chat(example: dict[str, object], kind: str) -> None:
    messages = _check_messages(example, "messages")
    if kind != "supervised":
        return
    extra = sorted(example.keys() - _CHAT_KEYS)
    if extra:
        raise _flaw(f"contains an extra key '{_safe(extra[0])}'", code="invalid_file_format")
    spoken = [message for message in messages if message["role"] == "assistant"]
    if not spoken:
        raise _flaw("must have at least one message from the assistant")
    if all(message.get("weight") == 0 for message in spoken):
        raise _flaw("must have at least one assistant message with a weight other than 0")


def _check_messages(holder: dict[str, object], key: str) -> list[dict[str, object]]:
    messages = _required(holder, key)
    if not isinstance(messages, list) or not messages:
        raise _flaw(f"must have a non-empty list in '{key}'")
    for index, message in enumerate(messages):
        _check_message(message, f", message {index}")
    return messages


def _check_message(message: object, where: str) -> None:
    if not isinstance(message, dict):
        raise _flaw("is not an object", where)
    if "role" not in message:
        raise _flaw("Discriminator 'role' is missing", where)
    if not isinstance(message["role"], str) or message["role"] not in _ROLES:
        raise _flaw("has an unknown role", where)
    weight = message.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        raise _flaw("has a weight that is neither 0 nor 1", where)
    _check_content(message, where)


def _check_content(message: dict[str, object], where: str) -> None:
    content = message.get("content")
    if isinstance(content, str):
        _check_text(content, where)
    elif isinstance(content, list):
        for part in content:
            _check_part(part, where)
    elif content is not None:
        raise _flaw("has a content that is neither a string nor a list of parts", where)
    elif not any(message.get(key) for key in ("tool_calls", "function_call", "refusal")):
        raise _flaw("has no content", where)


def _check_part(part: object, where: str) -> None:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise _flaw("has a content part without a type", where)
    if part["type"] == "text":
        if not isinstance(part.get("text"), str):
            raise _flaw("has a text part without a text", where)
        _check_text(part["text"], where)
    if part["type"] == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else None
        if not isinstance(url, str) or not url.startswith(("http://", "https://", "data:")):
            raise _flaw("has an image that is neither an http(s) nor a data URL", where)


def _check_text(text: str, where: str) -> None:
    found = _SPECIAL.search(text)
    if found is not None:
        raise _flaw(f"contains an invalid token {found[0]}", where)


def _required(holder: dict[str, object], key: str) -> object:
    if key not in holder:
        raise _flaw(f"is missing key '{key}'")
    return holder[key]


def _safe(text: str) -> str:
    return text[:64].replace("{", "{{").replace("}", "}}")


def _flaw(what: str, where: str = "", *, code: str = "invalid_training_file") -> Flaw:
    return Flaw(f"Invalid file format. Example {{number}}{where} {what}", code=code)
