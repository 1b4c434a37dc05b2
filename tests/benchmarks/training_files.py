"""Training files of every kind, for benchmarks: good ones, without a duplicate."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["KINDS", "write"]

Row = dict[str, Any]

_WORDS = "the capital city answer model training question please explain python list of and in 1987 é".split()  # noqa: SIM905 - read best so


def write(path: Path, kind: str, size: int) -> None:
    """Write rows of one kind until the file has this many bytes."""
    chance = random.Random(1)
    make = KINDS[kind][1]
    written = number = 0
    with path.open("wb") as file:
        while written < size:
            written += file.write(json.dumps(make(chance, number), ensure_ascii=False).encode() + b"\n")
            number += 1


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words))


def _says(role: str, content: object, **more: object) -> Row:
    return {"role": role, "content": content, **more}


def _short(chance: random.Random, number: int) -> Row:
    return {"messages": [_says("user", f"{number}"), _says("assistant", chance.choice(_WORDS))]}


def _usual(chance: random.Random, number: int) -> Row:
    turns = [_says("system", _text(chance, 10)), _says("user", f"{number} {_text(chance, 20)}")]
    return {"messages": [*turns, _says("assistant", _text(chance, chance.randint(20, 60)))]}


def _long(chance: random.Random, number: int) -> Row:
    turns = [_says("system", _text(chance, 50)), _says("user", f"{number} {_text(chance, 250)}")]
    return {"messages": [*turns, _says("assistant", _text(chance, 700))]}


def _talk(chance: random.Random, number: int) -> Row:
    turns = [_says(role, f"{number} {_text(chance, 15)}") for role in ("user", "assistant") * 6]
    return {"messages": [_says("system", _text(chance, 20)), *turns]}


def _weighted(chance: random.Random, number: int) -> Row:
    *turns, first, question, last = _talk(chance, number)["messages"]
    return {"messages": [*turns, {**first, "weight": 0}, question, {**last, "weight": 1}]}


_PLACE = {"type": "string", "description": "The city and state, e.g. San Francisco, CA"}
_PARAMETERS = {"type": "object", "properties": {"location": _PLACE, "format": {"type": "string"}}}
_WEATHER = {"name": "get_current_weather", "description": "Get the current weather", "parameters": _PARAMETERS}
_TOOLS = [{"type": "function", "function": _WEATHER}]


def _tools(chance: random.Random, number: int) -> Row:
    arguments = json.dumps({"location": f"{number}, {chance.choice(_WORDS)}", "format": "celsius"})
    function = {"name": "get_current_weather", "arguments": arguments}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    turns = [
        _says("user", _text(chance, 15)),
        {"role": "assistant", "tool_calls": [call]},
        _says("tool", _text(chance, 5), tool_call_id=call["id"]),
        _says("assistant", _text(chance, 30)),
    ]
    return {"messages": turns, "parallel_tool_calls": False, "tools": _TOOLS}


def _vision(chance: random.Random, number: int, url: str = "https://example.org/{}.jpg") -> Row:
    image = {"type": "image_url", "image_url": {"url": url.format(number)}}
    asked = _says("user", [{"type": "text", "text": _text(chance, 10)}, image])
    return {"messages": [_says("system", _text(chance, 20)), asked, _says("assistant", _text(chance, 30))]}


def _images(chance: random.Random, number: int) -> Row:
    return _vision(chance, number, "data:image/jpeg;base64," + b64encode(chance.randbytes(75_000)).decode())


def _preference(chance: random.Random, number: int) -> Row:
    outputs = {
        key: [_says("assistant", _text(chance, 40))] for key in ("preferred_output", "non_preferred_output")
    }
    return {"input": {"messages": [_says("user", f"{number} {_text(chance, 20)}")]}, **outputs}


def _preference_with_tools(chance: random.Random, number: int) -> Row:
    row = _preference(chance, number)
    row["input"] |= {"tools": _TOOLS, "parallel_tool_calls": True}
    return row


def _reinforcement(chance: random.Random, number: int) -> Row:
    asked = [_says("developer", _text(chance, 20)), _says("user", _text(chance, 40))]
    return {"messages": asked, "reference_answer": {"target": number, "steps": [1, 2, 3]}, "nums": [1, 2]}


def _completion(chance: random.Random, number: int) -> Row:
    return {"prompt": f"{number} {_text(chance, 20)}", "completion": _text(chance, 40)}


KINDS: dict[str, tuple[str, Callable[[random.Random, int], Row]]] = {
    "chat, short": ("supervised", _short),
    "chat": ("supervised", _usual),
    "chat, 1,000 words": ("supervised", _long),
    "chat, 13 turns": ("supervised", _talk),
    "chat, weights": ("supervised", _weighted),
    "tools": ("supervised", _tools),
    "vision, by URL": ("supervised", _vision),
    "vision, 100 kB within": ("supervised", _images),
    "preference": ("dpo", _preference),
    "preference, tools": ("dpo", _preference_with_tools),
    "reinforcement": ("reinforcement", _reinforcement),
    "completion": ("completion", _completion),
}
"""For each kind the method that it is for, and how a row is made from chance and its number."""
