"""Templates: text with variables such as `{{ item.answer }}`, filled in from a line and a sample."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMESPACES = ("item", "sample")

LONGEST = 1_000_000
"""Characters of a text once it is filled in."""

MOST_VARIABLES = 1_000
"""Variables in one template."""

_VARIABLE = re.compile(r"""(\w+)((?:\.[^\s.\[\]{}]+|\[[0-9]{1,9}\]|\["[^"]*"\]|\['[^']*'\])+)""")
_STEP = re.compile(r"""\.([^\s.\[\]{}]+)|\[([0-9]{1,9})\]|\["([^"]*)"\]|\['([^']*)'\]""")


class TemplateError(ValueError):
    """A template is malformed."""


class UnknownVariableError(LookupError):
    """A variable stands for nothing."""


class SampleParseError(UnknownVariableError):
    """A variable needs the sample to be JSON, and it is none."""


class TooLongError(ValueError):
    """A text has too many characters once it is filled in."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A place in the line or the sample: a namespace, then keys of objects and indices of arrays."""

    text: str
    namespace: str
    steps: tuple[str | int, ...]

    def value(self, namespaces: Mapping[str, Mapping[str, object]]) -> object:
        """Return what it stands for.

        Raises:
            UnknownVariableError: It stands for nothing.
        """
        value: object = namespaces[self.namespace]
        for step in self.steps:
            if isinstance(step, int) and isinstance(value, list):
                found = value[step : step + 1]
            else:
                found = [value[step]] if isinstance(value, dict) and step in value else []
            if not found:
                raise self._unknown(namespaces)
            value = found[0]
        return value

    def _unknown(self, namespaces: Mapping[str, Mapping[str, object]]) -> UnknownVariableError:
        if (self.namespace, self.steps[0]) == ("sample", "output_json") and "output_json" not in namespaces[
            "sample"
        ]:
            return SampleParseError(f"{self.text} needs a sample that is JSON")
        return UnknownVariableError(f"{self.text} stands for nothing")


def namespaces(item: Mapping[str, object], model_sample: str) -> dict[str, Mapping[str, object]]:
    """Return what variables can stand for: the line's fields, the sample as text, as JSON if it is that."""
    sample: dict[str, object] = {"output_text": model_sample}
    with suppress(orjson.JSONDecodeError):
        sample["output_json"] = orjson.loads(model_sample)
    return {"item": item, "sample": sample}


def read(template: str) -> list[str | Variable]:
    """Return the pieces of a template, in order.

    Raises:
        TemplateError: Double braces hold no variable, or are not closed.
    """
    if template.count("{{") > MOST_VARIABLES:
        raise TemplateError(f"it has more than {MOST_VARIABLES} variables")
    return list(_pieces(template))


def resolve(template: str, namespaces: Mapping[str, Mapping[str, object]]) -> None:
    """Look each variable of a template up, and leave it at that.

    Raises:
        TemplateError: It is malformed.
        UnknownVariableError: A variable stands for nothing.
    """
    for piece in read(template):
        if isinstance(piece, Variable):
            piece.value(namespaces)


def fill(template: str, namespaces: Mapping[str, Mapping[str, object]]) -> str:
    """Return a template's text; strings are put in as they are, all else as JSON.

    Raises:
        TemplateError: It is malformed.
        UnknownVariableError: A variable stands for nothing.
        TooLongError: The text is too long.
    """
    parts, length = [], 0
    for piece in read(template):
        part = piece if isinstance(piece, str) else _written(piece, namespaces)
        length += len(part)
        if length > LONGEST:
            raise TooLongError
        parts.append(part)
    return "".join(parts)


def _pieces(template: str) -> Iterator[str | Variable]:
    end = 0
    while (start := template.find("{{", end)) >= 0:
        yield template[end:start]
        end = template.find("}}", start) + 2
        if end == 1:
            raise TemplateError("a '{{' is not closed by '}}'")
        yield _variable(template[start + 2 : end - 2].strip())
    yield template[end:]


def _variable(text: str) -> Variable:
    match = _VARIABLE.fullmatch(text)
    if match is None or match[1] not in NAMESPACES:
        raise TemplateError(f"'{text[:100]}' is no variable: it must be like 'item.name' or 'sample.output_text'")
    found = _STEP.findall(match[2])
    steps = (int(index) if index else name or quoted or single for name, index, quoted, single in found)
    return Variable(text[:100], match[1], tuple(steps))


def _written(variable: Variable, namespaces: Mapping[str, Mapping[str, object]]) -> str:
    value = variable.value(namespaces)
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        # orjson reads deeper nesting than it writes.
        raise UnknownVariableError(f"{variable.text} is nested too deeply to be written") from None
