"""Rows of training files, good and bad, with what is to be found in them."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["ASKED", "BAD", "CHAT", "FINE", "GOOD", "ODD", "as_line"]

USER = {"role": "user", "content": "q"}
ASSISTANT = {"role": "assistant", "content": "a"}
CHAT: dict[str, Any] = {"messages": [USER, ASSISTANT]}
ASKED: dict[str, Any] = {"messages": [USER]}
PAIR: dict[str, Any] = {
    "input": ASKED,
    "preferred_output": [ASSISTANT],
    "non_preferred_output": [{"role": "assistant", "content": "b"}],
}
COMPLETION = {"prompt": "p", "completion": "c"}
GOOD: dict[str, Any] = {"supervised": CHAT, "dpo": PAIR, "reinforcement": ASKED, "completion": COMPLETION}

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://e.org/i.png"}}


def saying(**message: Any) -> dict[str, Any]:
    """A good row for supervised training whose question is another one."""
    return {"messages": [{**USER, **message}, ASSISTANT]}


def answering(**message: Any) -> dict[str, Any]:
    """A row for supervised training whose answer is another one."""
    return {"messages": [USER, {**ASSISTANT, **message}]}


def without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


def as_line(row: object) -> bytes:
    return row if isinstance(row, bytes) else json.dumps(row).encode()


Found = tuple[str, str]  # code and place

# Method, row, problems, likely problems.
Case = tuple[str, object, list[Found], list[Found]]

FINE: list[Case] = [
    *((method, row, [], []) for method, row in GOOD.items()),
    ("supervised", {"messages": [{"role": "system", "content": "s"}, USER, ASSISTANT, USER, ASSISTANT]}, [], []),
    ("supervised", {"messages": [{"role": "developer", "content": "s"}, USER, ASSISTANT]}, [], []),
    ("supervised", answering(content=None, tool_calls=[CALL, {**CALL, "id": "call_2"}]), [], []),
    ("supervised", {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}], "tools": [TOOL]}, [], []),
    ("supervised", answering(content=None, function_call={"name": "f", "arguments": "{}"}), [], []),
    ("supervised", answering(content=None, refusal="no"), [], []),
    ("supervised", answering(weight=1, name="marv"), [], []),
    ("supervised", answering(weight=None), [], []),
    ("supervised", {"messages": [USER, {**ASSISTANT, "weight": 0}, USER, ASSISTANT]}, [], []),
    ("supervised", {**CHAT, "tools": [TOOL], "parallel_tool_calls": False, "metadata": {"a": 1}}, [], []),
    ("supervised", {"messages": [USER, {"role": "tool", "content": "1", "tool_call_id": "x"}, ASSISTANT]}, [], []),
    ("supervised", {"messages": [USER, {"role": "function", "name": "f", "content": "1"}, ASSISTANT]}, [], []),
    ("supervised", saying(content=[{"type": "text", "text": "t"}, IMAGE]), [], []),
    ("supervised", saying(content=[{"type": "input_audio", "input_audio": {}}]), [], []),
    ("supervised", saying(content="a | b <|other|>"), [], []),
    ("supervised", b'\t{"messages" : [' + as_line(USER) + b" , " + as_line(ASSISTANT) + b"]} \r", [], []),
    ("supervised", answering(content='{"a": "b", "c": {"d": 1}}'), [], []),
    ("reinforcement", {**ASKED, "target": "89", "tools": [TOOL]}, [], []),
    ("dpo", {**PAIR, "input": {**ASKED, "tools": [TOOL], "parallel_tool_calls": True}}, [], []),
    ("completion", {"prompt": "", "completion": "open text"}, [], []),
]

BAD: list[Case] = [
    ("supervised", b"\xff\xfe{\x00", [("not_utf8", "byte 0")], []),
    ("supervised", b'{"a": "\xe9"}', [("not_utf8", "byte 7")], []),
    ("supervised", b'{"a" 1}', [("invalid_json", "column 6")], []),
    ("supervised", b'{"a": "\x00"}', [("invalid_json", "column 8")], []),
    ("supervised", b'{"a": NaN}', [("invalid_json", "column 7")], []),
    ("supervised", b'\xef\xbb\xbf{"a": 1}', [("invalid_json", "column 1")], []),
    ("supervised", b"[" * 5_000, [("invalid_json", "column 1026")], []),
    ("supervised", b"[]", [("not_an_object", "")], []),
    ("supervised", b"17", [("not_an_object", "")], []),
    ("supervised", {}, [("missing_key", "messages")], []),
    ("supervised", {"item": {}}, [("missing_key", "messages")], []),
    ("reinforcement", {"item": {}}, [("missing_key", "messages")], []),
    ("supervised", PAIR, [("wrong_format", "")], []),
    ("supervised", COMPLETION, [("wrong_format", "")], []),
    ("dpo", CHAT, [("wrong_format", "")], []),
    ("completion", CHAT, [("wrong_format", "")], []),
    ("supervised", {"messages": None}, [("wrong_type", "messages")], []),
    ("supervised", {"messages": {}}, [("wrong_type", "messages")], []),
    ("supervised", {"messages": []}, [("empty_messages", "messages")], []),
    ("reinforcement", {"messages": []}, [("empty_messages", "messages")], []),
    ("supervised", {"messages": [1, USER, ASSISTANT]}, [("wrong_type", "messages[0]")], []),
    (
        "supervised",
        {"messages": [USER, {"content": "a"}]},
        [("missing_role", "messages[1].role"), ("no_assistant_message", "messages")],
        [],
    ),
    ("supervised", saying(role="robot"), [("unknown_role", "messages[0].role")], []),
    ("supervised", saying(role=None), [("unknown_role", "messages[0].role")], []),
    ("supervised", saying(role=["user"]), [("unknown_role", "messages[0].role")], []),
    ("supervised", answering(weight=2), [("bad_weight", "messages[1].weight")], []),
    ("supervised", answering(weight=0.5), [("bad_weight", "messages[1].weight")], []),
    ("supervised", answering(weight=True), [("bad_weight", "messages[1].weight")], []),
    ("supervised", answering(weight="1"), [("bad_weight", "messages[1].weight")], []),
    ("supervised", answering(weight=0), [("nothing_trained", "messages")], []),
    (
        "supervised",
        ASKED,
        [("no_assistant_message", "messages")],
        [("last_message_not_assistant", "messages[0].role")],
    ),
    ("supervised", saying(content=None), [("missing_content", "messages[0].content")], []),
    ("supervised", answering(content=None, tool_calls=[]), [("missing_content", "messages[1].content")], []),
    ("supervised", saying(content=1), [("wrong_type", "messages[0].content")], []),
    ("supervised", saying(content=["t"]), [("bad_content_part", "messages[0].content[0]")], []),
    ("supervised", saying(content=[{"text": "t"}]), [("bad_content_part", "messages[0].content[0]")], []),
    ("supervised", saying(content=[{"type": "text"}]), [("bad_content_part", "messages[0].content[0].text")], []),
    (
        "supervised",
        saying(content=[{"type": "image_url", "image_url": {"url": "i.png"}}]),
        [("bad_image", "messages[0].content[0].image_url")],
        [],
    ),
    (
        "supervised",
        saying(content=[{"type": "image_url", "image_url": "https://e.org/i.png"}]),
        [("bad_image", "messages[0].content[0].image_url")],
        [],
    ),
    ("supervised", answering(content="<|fim_suffix|>"), [("special_token", "messages[1].content")], []),
    (
        "supervised",
        saying(content=[{"type": "text", "text": "<|im_end|>"}]),
        [("special_token", "messages[0].content[0].text")],
        [],
    ),
    ("supervised", {**CHAT, "weight": 1}, [("extra_key", "")], []),
    ("supervised", {**CHAT, "b": 1, "a": 1}, [("extra_key", ""), ("extra_key", "")], []),
    # A space before the colon hides a key from who counts them.
    ("supervised", as_line(CHAT)[:-1] + b', "weight" : 1}', [("extra_key", "")], []),
    (
        "supervised",
        as_line(CHAT).replace(b'"a"}', b'"a", "weight" : 2}'),
        [("bad_weight", "messages[1].weight")],
        [],
    ),
    ("dpo", {}, [("missing_key", key) for key in PAIR], []),
    *(("dpo", without(PAIR, key), [("missing_key", key)], []) for key in PAIR),
    ("dpo", {**PAIR, "input": []}, [("wrong_type", "input")], []),
    ("dpo", {**PAIR, "input": {}}, [("missing_key", "input.messages")], []),
    ("dpo", {**PAIR, "input": {"messages": []}}, [("empty_messages", "input.messages")], []),
    ("dpo", {**PAIR, "preferred_output": []}, [("empty_messages", "preferred_output")], []),
    ("dpo", {**PAIR, "preferred_output": "a"}, [("wrong_type", "preferred_output")], []),
    ("dpo", {**PAIR, "non_preferred_output": [USER]}, [("no_assistant_message", "non_preferred_output")], []),
    (
        "dpo",
        {**PAIR, "preferred_output": [{**ASSISTANT, "content": "<|endoftext|>"}]},
        [("special_token", "preferred_output[0].content")],
        [],
    ),
    ("completion", {"prompt": "p"}, [("missing_key", "completion")], []),
    ("completion", {}, [("missing_key", "prompt"), ("missing_key", "completion")], []),
    ("completion", {"prompt": 1, "completion": "c"}, [("wrong_type", "prompt")], []),
    (
        "completion",
        {"prompt": ["p"], "completion": ["c"]},
        [("wrong_type", "prompt"), ("wrong_type", "completion")],
        [],
    ),
    ("completion", {"prompt": "p", "completion": "<|endoftext|>"}, [("special_token", "completion")], []),
]

ODD: list[Case] = [
    ("supervised", saying(weight=1), [], [("weight_not_on_assistant", "messages[0].weight")]),
    ("supervised", saying(content=""), [], [("empty_content", "messages[0].content")]),
    ("supervised", saying(content=[]), [], [("empty_content", "messages[0].content")]),
    ("supervised", answering(content="", weight=1), [], [("empty_content", "messages[1].content")]),
    (
        "supervised",
        saying(content=[{"type": "text", "text": ""}]),
        [],
        [("empty_content", "messages[0].content[0].text")],
    ),
    ("supervised", saying(name="a b"), [], [("bad_name", "messages[0].name")]),
    ("supervised", saying(name=1), [], [("bad_name", "messages[0].name")]),
    ("supervised", saying(date="today"), [], [("extra_message_key", "messages[0]")]),
    (
        "supervised",
        saying(content=[{"type": "video"}]),
        [],
        [("unknown_part_type", "messages[0].content[0].type")],
    ),
    ("supervised", answering(content=[IMAGE]), [], [("image_not_from_user", "messages[1].content[0]")]),
    ("supervised", {"messages": [ASSISTANT, USER]}, [], [("last_message_not_assistant", "messages[1].role")]),
    ("reinforcement", CHAT, [], [("last_message_not_user", "messages[1].role")]),
    ("supervised", answering(tool_calls={"id": 1}), [], [("bad_tool_call", "messages[1].tool_calls")]),
    ("supervised", answering(tool_calls=[1]), [], [("bad_tool_call", "messages[1].tool_calls[0]")]),
    (
        "supervised",
        answering(tool_calls=[without(CALL, "id")]),
        [],
        [("bad_tool_call", "messages[1].tool_calls[0].id")],
    ),
    (
        "supervised",
        answering(tool_calls=[without(CALL, "function")]),
        [],
        [("bad_tool_call", "messages[1].tool_calls[0].function")],
    ),
    (
        "supervised",
        answering(tool_calls=[{**CALL, "function": {"name": "f", "arguments": {"a": 1}}}]),
        [],
        [("bad_tool_call", "messages[1].tool_calls[0].function.arguments")],
    ),
    (
        "supervised",
        answering(function_call={"name": "f", "arguments": "{a}"}),
        [],
        [("bad_tool_call", "messages[1].function_call.arguments")],
    ),
    (
        "supervised",
        {"messages": [USER, {"role": "tool", "content": "1"}, ASSISTANT]},
        [],
        [("missing_tool_call_id", "messages[1].tool_call_id")],
    ),
    ("supervised", {**CHAT, "tools": {}}, [], [("bad_tools", "tools")]),
    ("reinforcement", {**ASKED, "tools": [{"name": "f"}]}, [], [("bad_tools", "tools[0]")]),
    ("dpo", {**PAIR, "input": {**ASKED, "tools": [1]}}, [], [("bad_tools", "input.tools[0]")]),
    ("dpo", as_line(PAIR).replace(b'"q"}]', b'"q"}], "tools" : 1'), [], [("bad_tools", "input.tools")]),
    ("supervised", {**CHAT, "parallel_tool_calls": "no"}, [], [("bad_tools", "parallel_tool_calls")]),
    ("supervised", b'{"messages": [], ' + as_line(CHAT)[1:], [], [("duplicate_key", "")]),
    (
        "supervised",
        as_line(CHAT).replace(b'"role": "user"', b'"role": "user", "role": "user"'),
        [],
        [("duplicate_key", "")],
    ),
    (
        "supervised",
        as_line(CHAT).replace(b'"role": "user"', b'"role" : "user", "role" : "user"'),
        [],
        [("duplicate_key", "")],
    ),
    ("completion", b'{"prompt": "p", "completion": "b", "completion": "c"}', [], [("duplicate_key", "")]),
    ("dpo", {**PAIR, "preferred_output": [ASSISTANT, ASSISTANT]}, [], [("several_outputs", "preferred_output")]),
    ("dpo", {**PAIR, "non_preferred_output": [ASSISTANT]}, [], [("same_outputs", "non_preferred_output")]),
    ("dpo", {**PAIR, "id": 1}, [], [("unused_key", "")]),
    ("completion", {**COMPLETION, "id": 1}, [], [("unused_key", "")]),
    ("completion", {"prompt": "p", "completion": ""}, [], [("empty_content", "completion")]),
]
