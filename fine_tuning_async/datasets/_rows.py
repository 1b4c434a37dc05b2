"""The rules that each row keeps, by method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._ledger import shown
from ._messages import check_message, check_text
from ._tools import check_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._ledger import Ledger

    Row = Mapping[str, object]

__all__ = ["LAYOUTS", "PREFERENCE_KEYS", "SUPERVISED_KEYS", "check_row", "conversations"]

LAYOUTS = {"supervised": "chat", "dpo": "preference", "reinforcement": "chat", "completion": "completion"}
"""The layout of the rows that each method needs."""

_OUTPUTS = ("preferred_output", "non_preferred_output")
SUPERVISED_KEYS = frozenset({"messages", "tools", "functions", "parallel_tool_calls", "metadata"})
PREFERENCE_KEYS = frozenset({"input", *_OUTPUTS, "metadata"})
_COMPLETION = frozenset({"prompt", "completion"})


def check_row(row: Row, method: str, ledger: Ledger) -> None:
    """Check one row, whatever is in it."""
    wanted, found = LAYOUTS[method], _layout(row)
    if found is not None and found != wanted:
        expected = f"the {wanted} format, which method {method!r} needs"
        ledger.problem("wrong_format", "", expected, f"the {found} format")
    else:
        _RULES[method](row, ledger)


def conversations(row: Row, layout: str) -> list[object]:
    """Return everything in a row that should be a list of messages."""
    if layout == "preference":
        given = row.get("input")
        return [given.get("messages") if isinstance(given, dict) else None, *(row.get(key) for key in _OUTPUTS)]
    return [row.get("messages")]


def _layout(row: Row) -> str | None:
    if any(key in row for key in _OUTPUTS):
        return "preference"
    if "messages" in row:
        return "chat"
    return "completion" if "prompt" in row and "completion" in row else None


def _check_supervised(row: Row, ledger: Ledger) -> None:
    if not _has(row, "messages", "", ledger):
        return
    for key in sorted(row.keys() - SUPERVISED_KEYS):
        ledger.problem("extra_key", "", f"only {', '.join(sorted(SUPERVISED_KEYS))}", shown(key))
    check_tools(row, "", ledger)
    messages = _check_messages(row["messages"], "messages", ledger)
    if not messages:
        return
    spoken = [each for each in messages if isinstance(each, dict) and each.get("role") == "assistant"]
    _check_spoken(spoken, "messages", ledger)
    if spoken and all(each.get("weight") == 0 for each in spoken):
        expected = "a message of the assistant whose weight is not 0"
        ledger.problem("nothing_trained", "messages", expected, "weight 0 on each of them")
    _check_last(messages, "assistant", ledger)


def _check_reinforcement(row: Row, ledger: Ledger) -> None:
    if not _has(row, "messages", "", ledger):
        return
    check_tools(row, "", ledger)
    messages = _check_messages(row["messages"], "messages", ledger)
    if messages:
        _check_last(messages, "user", ledger)


def _check_preference(row: Row, ledger: Ledger) -> None:
    if _has(row, "input", "", ledger):
        _check_input(row["input"], ledger)
    for key in (each for each in _OUTPUTS if _has(row, each, "", ledger)):
        messages = _check_messages(row[key], key, ledger)
        if messages:
            _check_spoken([each for each in messages if _role(each) == "assistant"], key, ledger)
        if len(messages) > 1:
            ledger.likely("several_outputs", key, "one message", f"{len(messages)}")
    if _same(row.get(_OUTPUTS[0]), row.get(_OUTPUTS[1])):
        ledger.likely("same_outputs", _OUTPUTS[1], "something else than in preferred_output", "the same")
    _check_unused(row, PREFERENCE_KEYS, ledger)


def _check_input(given: object, ledger: Ledger) -> None:
    if not isinstance(given, dict):
        ledger.problem("wrong_type", "input", "an object", shown(given))
    elif _has(given, "messages", "input.", ledger):
        check_tools(given, "input.", ledger)
        _check_messages(given["messages"], "input.messages", ledger)


def _check_completion(row: Row, ledger: Ledger) -> None:
    for key in (each for each in ("prompt", "completion") if _has(row, each, "", ledger)):
        text = row[key]
        if not isinstance(text, str):
            ledger.problem("wrong_type", key, "a string", shown(text))
        elif text or key == "completion":  # an empty prompt is the documented way to train on open text
            check_text(text, key, ledger)
    _check_unused(row, _COMPLETION, ledger)


def _has(holder: Row, key: str, at: str, ledger: Ledger) -> bool:
    if key not in holder:
        ledger.problem("missing_key", f"{at}{key}", f"the key {key!r}", "none")
    return key in holder


def _check_messages(messages: object, at: str, ledger: Ledger) -> list[object]:
    if not isinstance(messages, list):
        ledger.problem("wrong_type", at, "a list of messages", shown(messages))
        return []
    if not messages:
        ledger.problem("empty_messages", at, "at least one message", "none")
    for index, message in enumerate(messages):
        check_message(message, f"{at}[{index}]", ledger)
    return messages


def _check_spoken(spoken: list[object] | list[dict[str, object]], at: str, ledger: Ledger) -> None:
    if not spoken:
        ledger.problem("no_assistant_message", at, "at least one message of the assistant", "none")


def _check_last(messages: list[object], role: str, ledger: Ledger) -> None:
    found = _role(messages[-1])
    if found is not None and found != role:
        ledger.likely(f"last_message_not_{role}", f"messages[{len(messages) - 1}].role", role, shown(found))


def _check_unused(row: Row, known: frozenset[str], ledger: Ledger) -> None:
    for key in sorted(row.keys() - known):
        ledger.likely("unused_key", "", f"only {', '.join(sorted(known))}", shown(key))


def _same(one: object, other: object) -> bool:
    try:
        return bool(one) and one == other
    except RecursionError:  # nested deeper than Python compares
        return False


def _role(message: object) -> object:
    return message.get("role") if isinstance(message, dict) else None


_RULES: dict[str, Callable[[Row, Ledger], None]] = {
    "supervised": _check_supervised,
    "dpo": _check_preference,
    "reinforcement": _check_reinforcement,
    "completion": _check_completion,
}
