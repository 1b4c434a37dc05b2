"""Training files as people write them: good rows of every form, rows with one thing wrong, lines oddly written."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TIDY", "broken_rows", "lines", "loose_rows", "tidy_rows", "training_files"]

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = st.SearchStrategy[Row]

# -- anything ----------------------------------------------------------------------------------------------------

scalars = st.none() | st.booleans() | st.integers(-1, 3) | st.floats(allow_nan=False) | st.text(max_size=5)
words = st.sampled_from(["", "a", "|", "<|im_end|>", "x<|fim_suffix|>", 'say "x":', "é\u2028", "{}", "\\u0022"])
values = st.recursive(scalars | words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner))
_parts = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["text", "image_url", "video"]) | values,
        "text": words | values,
        "image_url": st.fixed_dictionaries({"url": st.sampled_from(["http://x", "data:x", "x"])}) | values,
    },
)
_messages = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["system", "user", "assistant", "tool", "robot"]) | values,
        "content": words | st.lists(_parts | values, max_size=2) | values,
        "weight": st.sampled_from([0, 1, 0.0, 1.0, None, True, 2]) | values,
        "tool_calls": values,
        "refusal": values,
        "name": values,
    },
)
_turns = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.text(max_size=3)})
_talks = st.lists(_turns, max_size=3) | st.lists(_messages | values, max_size=3) | values
_optional: dict[str, Any] = {"tools": values, "extra": values, "input": values}
_loose_chats = st.fixed_dictionaries({"messages": _talks}, optional=_optional)
_loose_pairs = st.fixed_dictionaries(
    {
        "input": st.fixed_dictionaries({"messages": _talks}) | values,
        "preferred_output": _talks,
        "non_preferred_output": _talks,
    }
)
_loose_completions = st.fixed_dictionaries({"prompt": words | values, "completion": words | values})
loose_rows = _loose_chats | _loose_pairs | _loose_completions | values

# -- good rows ---------------------------------------------------------------------------------------------------

texts = st.text(min_size=1, max_size=8) | st.sampled_from(['say "x":', "a | b <|other|>", "\\u0022", "é\u2028\0"])
_names = st.from_regex(r"\A[a-zA-Z0-9_-]{1,8}\Z")
_named = {"name": _names}
# Python would write infinity, which is no JSON.
_finite = scalars.filter(lambda value: value not in {math.inf, -math.inf})
_arguments = st.dictionaries(texts, _finite, max_size=2).map(json.dumps)
_functions = st.fixed_dictionaries({"name": texts, "arguments": _arguments})
_calls = st.fixed_dictionaries({"id": texts, "type": st.just("function"), "function": _functions})
_tools = st.fixed_dictionaries(
    {"type": st.just("function"), "function": st.fixed_dictionaries({"name": texts, "parameters": values})}
)
_offers = {"tools": st.lists(_tools, max_size=2), "parallel_tool_calls": st.booleans()}
_text_parts = st.fixed_dictionaries({"type": st.just("text"), "text": texts})
_urls = st.sampled_from(["https://e.org/i.png", "http://x", "data:image/png;base64,AAAA"])
_image_parts = st.fixed_dictionaries(
    {"type": st.just("image_url"), "image_url": st.fixed_dictionaries({"url": _urls}, optional={"detail": texts})}
)


def _said(role: str, content: st.SearchStrategy[Any] = texts, **optional: st.SearchStrategy[Any]) -> Rows:
    return st.fixed_dictionaries({"role": st.just(role), "content": content}, optional=optional)


_asked = _said("user", texts | st.lists(_text_parts | _image_parts, min_size=1, max_size=2), **_named)
_assistant = {"role": st.just("assistant")}
_silent = {**_assistant, "content": st.none()}
_answered = (
    _said("assistant", **_named, weight=st.sampled_from([0, 1, None]), tool_calls=st.lists(_calls, max_size=2))
    | st.fixed_dictionaries({**_silent, "tool_calls": st.lists(_calls, min_size=1, max_size=2)})
    | st.fixed_dictionaries({**_silent, "function_call": _functions})
    | st.fixed_dictionaries({**_assistant, "refusal": texts})
)
_turn = (
    _asked
    | _answered
    | _said("system")
    | _said("developer")
    | st.fixed_dictionaries({"role": st.just("tool"), "content": texts, "tool_call_id": texts})
    | _said("function", **_named)
)
_plain_turn = _said("user") | _said("assistant")


def _talk(last: Rows) -> st.SearchStrategy[list[Row]]:
    return st.builds(lambda before, end: [*before, end], st.lists(_turn, max_size=3), last) | st.builds(
        lambda before, end: [*before, end], st.lists(_plain_turn, max_size=3), last
    )


def _outputs(text: st.SearchStrategy[str]) -> st.SearchStrategy[list[Row]]:
    return st.lists(_said("assistant", text), min_size=1, max_size=1)


TIDY: dict[str, Rows] = {
    "supervised": st.fixed_dictionaries(
        {"messages": _talk(_said("assistant"))}, optional={**_offers, "metadata": values}
    ),
    "dpo": st.fixed_dictionaries(
        {
            "input": st.fixed_dictionaries({"messages": _talk(_asked)}, optional=_offers),
            "preferred_output": _outputs(texts.map("a{}".format)),
            "non_preferred_output": _outputs(texts.map("b{}".format)),
        }
    ),
    "reinforcement": st.fixed_dictionaries(
        {"messages": _talk(_asked)}, optional={**_offers, "reference": values, "target": values}
    ),
    "completion": st.fixed_dictionaries({"prompt": texts | st.just(""), "completion": texts}),
}
"""For each method rows in which neither a problem nor anything odd is to be found."""

tidy_rows = st.one_of(*TIDY.values())

# -- rows with one thing wrong, or odd ---------------------------------------------------------------------------


def _places(value: object) -> Iterator[tuple[Any, Any]]:
    """Give every holder in a value, with each key or index in it."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):  # type: ignore[arg-type]
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


_ADDED = ("weight", "content", "tools", "extra", "refusal", "messages", "name", "input")


@st.composite
def broken_rows(draw: st.DrawFn, rows: Rows) -> Row:
    """Draw a row of which something is left out, put in, or replaced."""
    row = deepcopy(draw(rows))
    holder, key = draw(st.sampled_from(list(_places(row))))
    match draw(st.sampled_from(["drop", "add", "replace"])):
        case "drop":
            del holder[key]
        case "add" if isinstance(holder, dict):
            holder[draw(st.sampled_from(["weight", "content", "tools", "extra", "refusal", "messages"]))] = draw(
                values
            )
        case _:
            holder[key] = draw(values | _messages | st.sampled_from(["assistant", "user", 0]))
    return row


# -- lines -------------------------------------------------------------------------------------------------------

_ODD_LINES = [
    b"",
    b" \t",
    b"null",
    b"17",
    b'{"messages": [',
    b'{"messages": NaN}',
    b'{"messages": [], "n": ' + b"1" * 5_000 + b"}",
    b'{"messages": 1e999}',
    b"[" * 2_000,
    b'{"messages": ' + b"[" * 300 + b"]" * 300 + b"}",
    b'\xef\xbb\xbf{"messages": []}',
    b'{"a": "\xe9"}',
    b"\xff\xfe{\0",
    b'{"a": "\\ud800"}',
    b"{} {}",
    b'{"prompt": "p", "completion": "c"}',
]


def _plainly(row: object) -> bytes:
    return json.dumps(row).encode()


def _compactly(row: object) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def _loosely(row: object) -> bytes:
    return json.dumps(row, separators=(" , ", " : ")).encode()


@st.composite
def lines(draw: st.DrawFn, rows: st.SearchStrategy[Any]) -> bytes:
    """Draw a row as a line: written in one way or another, a key named twice, a byte wrong."""
    row = draw(rows)
    line = draw(st.sampled_from([_plainly(row), _compactly(row), _loosely(row)]))
    match draw(st.sampled_from(["as it is"] * 5 + ["escaped", "twice", "damaged", "odd"])):
        case "escaped":
            return line.replace(b'\\"', b"\\u0022").replace(b"role", b"r\\u006fle")
        case "twice" if line.startswith(b'{"'):
            return b'{"%s":%s,' % (draw(st.sampled_from([b"messages", b"prompt", b"x"])), b'"y"') + line[1:]
        case "damaged" if line:
            at = draw(st.integers(0, len(line) - 1))
            return line[:at] + draw(st.binary(max_size=2)) + line[at + 1 :]
        case "odd":
            return draw(st.sampled_from(_ODD_LINES))
    return line


@st.composite
def training_files(draw: st.DrawFn, method: str) -> bytes:
    """Draw a file for a method: good rows, with a few others among them, and ended as on any system."""
    good = [draw(lines(TIDY[method]) if draw(st.booleans()) else TIDY[method].map(_plainly)) for _ in range(2)]
    count = draw(st.sampled_from([10, 10, 10, 8, 11, 0]))
    found = [good[number % 2] for number in range(count)]
    other = lines(broken_rows(TIDY[method]) | loose_rows | tidy_rows)
    for line in draw(st.lists(other, max_size=2)):
        found.insert(draw(st.integers(0, len(found))), line)
    newline = draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
    start = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return start + newline.join(found) + draw(st.sampled_from([b"", b"\n", b"\r\n\r\n"]))
