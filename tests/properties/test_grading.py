"""Whatever formulas and templates hold: their own errors, or a sound result."""

from __future__ import annotations

import math
import string
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from fine_tuning_async.server.grading import formula, templates
from fine_tuning_async.server.grading.similarity import METRICS, similarity

# The first use of a metric imports its library; and a busy machine may stop for long anywhere.
unhurried = settings(deadline=None)

PIECES = (
    *("+", "-", "*", "/", "^", "(", ")", ",", " ", "\n", ".", "1", "2.5", "1e3", "9e307", "0"),
    *("a", "b", "min", "max(", "abs(", "floor(", "exp(", "sqrt(", "log(", "pow(", "'", "[", "é"),
)
SCORES = {"a": 0.25, "b": 1.0}
formula_like = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=60)

# Floats all through, so that Python's whole numbers, which are exact, make no difference.
leaves = st.sampled_from(["a", "b", "1.0", "2.5", "9."])


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from("+-*"), inner).map("".join)
    largest = st.lists(inner, min_size=2, max_size=3).map(lambda each: f"max({', '.join(each)})")
    power = st.tuples(leaves, st.sampled_from("23")).map("^".join)
    return (
        pairs | inner.map("({})".format) | inner.map("-{}".format) | inner.map("abs({})".format) | largest | power
    )


formulas = st.recursive(leaves, _joined, max_leaves=12)


@unhurried
@given(formula_like)
def test_a_formula_is_read_and_valued_or_refused(text: str) -> None:
    value = 0.0
    with suppress(formula.FormulaError):
        value = formula.read(text).value(SCORES)
    assert isinstance(value, float)
    assert math.isfinite(value)


@unhurried
@given(formulas)
def test_a_formula_is_worth_what_python_makes_of_it(text: str) -> None:
    python = text.replace("^", "**")
    wanted = eval(python, {"__builtins__": {}}, {**SCORES, "max": max, "abs": abs})  # noqa: S307 - made just above
    found = formula.read(text).value(SCORES)
    assert found == wanted


names = st.text(string.ascii_letters + "_- .[]{}\"'0", max_size=8)
template_like = st.lists(
    st.sampled_from(
        ["{{", "}}", "{", "}", "item", "sample", ".", "[0]", "['a']", "output_json", "output_text", "a"]
    )
    | names,
    max_size=20,
).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@unhurried
@given(template_like, st.dictionaries(names, values, max_size=3), st.text(max_size=20) | st.just('{"a": [1]}'))
def test_a_template_is_filled_in_or_refused(template: str, item: dict[str, object], sample: str) -> None:
    text = template
    with suppress(templates.TemplateError, templates.UnknownVariableError):
        text = templates.fill(template, templates.namespaces(item, sample))
    assert isinstance(text, str)
    assert text == template or "{{" in template


@unhurried
@given(st.dictionaries(st.text("abc", min_size=1), st.text(), min_size=1))
def test_each_string_of_a_line_is_put_in_as_it_is(item: dict[str, str]) -> None:
    namespaces = templates.namespaces(item, "")
    template = "".join(f"<{{{{ item.{name} }}}}>" for name in item)
    assert templates.fill(template, namespaces) == "".join(f"<{text}>" for text in item.values())


@unhurried
@given(st.sampled_from(list(METRICS)), st.text(max_size=40), st.text(max_size=40))
def test_a_metric_is_a_number_from_0_to_1(metric: str, text: str, reference: str) -> None:
    assert 0 <= similarity(metric, text, reference) <= 1
