"""The rules for tools and for the calls of them.

Nobody has published what the API says to a call that is out of shape: it is only likely to be refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from ._ledger import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._ledger import Ledger

__all__ = ["check_calls", "check_tools"]


def check_tools(row: Mapping[str, object], at: str, ledger: Ledger) -> None:
    """Check what a row offers to call."""
    tools = row.get("tools")
    if tools is not None and not isinstance(tools, list):
        ledger.likely("bad_tools", f"{at}tools", "a list", shown(tools))
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            ledger.likely(
                "bad_tools", f"{at}tools[{index}]", "an object with a function that has a name", shown(tool)
            )
    parallel = row.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        ledger.likely("bad_tools", f"{at}parallel_tool_calls", "true or false", shown(parallel))


def check_calls(message: Mapping[str, object], at: str, ledger: Ledger) -> None:
    """Check what a message calls, or which call it answers."""
    calls = message.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        ledger.likely("bad_tool_call", f"{at}.tool_calls", "a list", shown(calls))
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        _check_call(call, f"{at}.tool_calls[{index}]", ledger)
    if message.get("function_call") is not None:
        _check_function(message["function_call"], f"{at}.function_call", ledger)
    if message.get("role") == "tool" and not isinstance(message.get("tool_call_id"), str):
        found = shown(message.get("tool_call_id"))
        ledger.likely("missing_tool_call_id", f"{at}.tool_call_id", "the id of the call that it answers", found)


def _check_call(call: object, place: str, ledger: Ledger) -> None:
    if not isinstance(call, dict):
        ledger.likely("bad_tool_call", place, "an object", shown(call))
        return
    if not isinstance(call.get("id"), str):
        ledger.likely("bad_tool_call", f"{place}.id", "a string", shown(call.get("id")))
    _check_function(call.get("function"), f"{place}.function", ledger)


def _check_function(function: object, place: str, ledger: Ledger) -> None:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        ledger.likely("bad_tool_call", place, "an object with a name", shown(function))
        return
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        ledger.likely("bad_tool_call", f"{place}.arguments", "JSON in a string", shown(arguments))
    elif not _is_json(arguments):
        ledger.likely("bad_tool_call", f"{place}.arguments", "JSON in a string", "a string that is no JSON")


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
