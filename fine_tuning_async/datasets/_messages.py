"""The rules that each message keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._ledger import shown
from ._tools import check_calls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._ledger import Ledger

__all__ = [
    "IMAGE_URLS",
    "MESSAGE_KEYS",
    "NAME",
    "OTHER_PARTS",
    "ROLES",
    "check_message",
    "check_text",
    "special_token",
]

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

MESSAGE_KEYS = frozenset(
    {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal", "audio"}
)
_KNOWN_KEYS = f"only {', '.join(sorted(MESSAGE_KEYS))}"
_KNOWN_ROLES = f"one of {', '.join(sorted(ROLES))}"
_SPOKEN = ("tool_calls", "function_call", "refusal")
"""What may stand in place of a content."""

# The control tokens of the published encodings; the API refuses text that spells one out.
_SPECIAL = re.compile(r"<\|(?:endoftext|endofprompt|fim_prefix|fim_middle|fim_suffix|im_start|im_end)\|>")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
IMAGE_URLS = ("http://", "https://", "data:")
OTHER_PARTS = frozenset({"input_audio", "file", "refusal"})


def check_message(message: object, at: str, ledger: Ledger) -> None:
    """Check one message that stands at a place of its row."""
    if not isinstance(message, dict):
        ledger.problem("wrong_type", at, "an object", shown(message))
        return
    _check_role(message, at, ledger)
    _check_weight(message, at, ledger)
    _check_content(message, at, ledger)
    check_calls(message, at, ledger)
    name = message.get("name")
    if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
        ledger.likely("bad_name", f"{at}.name", "1 to 64 letters, digits, _ or -", shown(name))
    for key in sorted(message.keys() - MESSAGE_KEYS):
        ledger.likely("extra_message_key", at, _KNOWN_KEYS, shown(key))


def _check_role(message: Mapping[str, object], at: str, ledger: Ledger) -> None:
    if "role" not in message:
        ledger.problem("missing_role", f"{at}.role", "a role", "none")
        return
    role = message["role"]
    if not isinstance(role, str) or role not in ROLES:
        ledger.problem("unknown_role", f"{at}.role", _KNOWN_ROLES, shown(role))


def _check_weight(message: Mapping[str, object], at: str, ledger: Ledger) -> None:
    weight = message.get("weight")
    if weight is None:
        return
    if isinstance(weight, bool) or weight not in (0, 1):
        ledger.problem("bad_weight", f"{at}.weight", "0 or 1", shown(weight))
    role = message.get("role")
    if isinstance(role, str) and role != "assistant":
        ledger.likely(
            "weight_not_on_assistant", f"{at}.weight", "weights on messages of the assistant", shown(role)
        )


def _check_content(message: Mapping[str, object], at: str, ledger: Ledger) -> None:
    content, place = message.get("content"), f"{at}.content"
    if isinstance(content, str):
        check_text(content, place, ledger)
    elif isinstance(content, list):
        if not content:
            ledger.likely("empty_content", place, "some text", "an empty list")
        for index, part in enumerate(content):
            _check_part(part, f"{place}[{index}]", message.get("role"), ledger)
    elif content is not None:
        ledger.problem("wrong_type", place, "a string or a list of parts", shown(content))
    elif not any(message.get(key) for key in _SPOKEN):
        ledger.problem("missing_content", place, f"a content, or one of {', '.join(_SPOKEN)}", "none")


def check_text(text: str, place: str, ledger: Ledger) -> None:
    """Check a text that is trained on, or answered."""
    if not text:
        ledger.likely("empty_content", place, "some text", "an empty string")
    special = special_token(text)
    if special is not None:
        ledger.problem("special_token", place, "text without control tokens", special)


def special_token(text: str) -> str | None:
    """Return the first control token that a text spells out."""
    found = _SPECIAL.search(text) if "|" in text else None  # the test is many times faster than the search
    return None if found is None else found[0]


def _check_part(part: object, place: str, role: object, ledger: Ledger) -> None:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        ledger.problem("bad_content_part", place, "an object with a type", shown(part))
    elif part["type"] == "text":
        if isinstance(part.get("text"), str):
            check_text(part["text"], f"{place}.text", ledger)
        else:
            ledger.problem("bad_content_part", f"{place}.text", "a string", shown(part.get("text")))
    elif part["type"] == "image_url":
        _check_image(part.get("image_url"), place, role, ledger)
    elif part["type"] not in OTHER_PARTS:
        ledger.likely("unknown_part_type", f"{place}.type", "text or image_url", shown(part["type"]))


def _check_image(image: object, place: str, role: object, ledger: Ledger) -> None:
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str) or not url.startswith(IMAGE_URLS):
        ledger.problem(
            "bad_image", f"{place}.image_url", "an object with an http(s) or data URL", shown(url or image)
        )
    if isinstance(role, str) and role != "user":
        ledger.likely("image_not_from_user", place, "images in messages of the user", f"one of the {shown(role)}")
