"""The formulas of multi graders: what they are worth, and what is none."""

from __future__ import annotations

import math

import pytest

from fine_tuning_async.server.grading.formula import LONGEST, FormulaError, read

SCORES = {"a": 4.0, "b": 0.5, "zero": 0.0, "größe": 2.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        (" 1.5\t", 1.5),
        ("1.", 1),
        (".5", 0.5),
        ("2e-1", 0.2),
        ("1 +\n2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("a - b - 1", 2.5),
        ("8 / 4 / 2", 1),
        ("8 / (4 / 2)", 4),
        ("2 + b ^ 2", 2.25),
        ("2 * a ^ 0.5", 4),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("(-2) ^ 2", 4),
        ("2 ^ -1", 0.5),
        ("- - +a", 4),
        ("1 - -1", 2),
        ("min(a, b, 3)", 0.5),
        ("max(a, b, 3)", 4),
        ("max(b)", 0.5),
        ("abs(b - a)", 3.5),
        ("floor(-b)", -1),
        ("ceil(b)", 1),
        ("exp(zero)", 1),
        ("sqrt(a)", 2),
        ("log(exp(2))", 2),
        ("max(min(a, 1), b) * 10", 10),
        ("0.5 * a + 0.5 * b", 2.25),
        ("größe * 2", 4),
        ("+".join(["1"] * 2_000), 2_000),
    ],
)
def test_a_formula_has_the_value_that_mathematics_gives_it(text: str, value: float) -> None:
    assert read(text).value(SCORES) == pytest.approx(value, rel=1e-15)


def test_a_function_and_a_score_of_the_same_name_are_told_apart_by_the_bracket() -> None:
    assert read("max(max, 1)").value({"max": 0.25}) == 1
    assert read("max").value({"max": 0.25}) == 0.25
    assert read("max(max, 1) + min").names == {"max", "min"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "it ends too early"),
        ("  ", "it ends too early"),
        ("1 +", "it ends too early"),
        ("(1", "it ends too early"),
        ("0.5 * a + 0.5 * b)", "')' at character 18 is unexpected"),
        ("a b", "'b' at character 3 is unexpected"),
        ("2 a", "'a' at character 3 is unexpected"),
        ("1 ** 2", "'*' at character 4 is unexpected"),
        ("a % b", "'%' at character 3 is unexpected"),
        ("a.b", "'.' at character 2 is unexpected"),
        ("a[0]", "'[' at character 2 is unexpected"),
        ("'a'", "''' at character 1 is unexpected"),
        ("a if b else a", "'if' at character 3 is unexpected"),
        ("lambda: 1", "':' at character 7 is unexpected"),
        ("1, 2", "',' at character 2 is unexpected"),
        ("min()", "')' at character 5 is unexpected"),
        ("sqrt(1, 2)", "',' at character 7 is unexpected"),
        ("pow(2, 3)", "there is no function 'pow'; there are min, max"),
        ("__import__('os')", "there is no function '__import__'"),
        ("1e999", "1e999 is too large a number"),
        ("-" * 100 + "1", "nested deeper than 32 levels"),
        ("(" * 100, "nested deeper than 32 levels"),
        ("2^" * 100 + "2", "nested deeper than 32 levels"),
        ("1" * (LONGEST + 1), "it has 4097 characters; at most 4096"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(FormulaError) as caught:
        read(text)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["1 / zero", "zero / zero", "(-8) ^ (1 / 3)", "zero ^ -1", "exp(1000)", "9 ^ 9 ^ 9", "log(zero)", "sqrt(-a)"],
)
def test_a_value_that_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(FormulaError, match="is no finite number"):
        read(text).value(SCORES)


def test_a_score_that_is_not_there_is_named() -> None:
    formula = read("a + missing")
    assert formula.names == {"a", "missing"}
    with pytest.raises(FormulaError, match="no grader is named 'missing'"):
        formula.value(SCORES)


def test_sums_and_products_of_great_numbers_stay_finite() -> None:
    with pytest.raises(FormulaError):
        read("1e308 * 10 - 1e308 * 10").value({})
    assert math.isfinite(read("1e308 + 1").value({}))
