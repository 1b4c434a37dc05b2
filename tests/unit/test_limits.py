"""The ranges of what a caller sends: at each bound and beyond it, and what the message says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fine_tuning_async import InvalidArgumentError, Method, StringCheckGrader, TextSimilarityGrader
from fine_tuning_async.models import LabelModelGrader, MultiGrader
from fine_tuning_async.models._limits import (
    Bounds,
    Fraction,
    Items,
    OneOf,
    Text,
    Whole,
    check,
    check_metadata,
    require,
)

GRADER = StringCheckGrader(name="n", input="i", reference="r", operation="eq")
NAN, INF = float("nan"), float("inf")

Build = Callable[..., Method]


def reinforcement(**settings: Any) -> Method:
    return Method.reinforcement(GRADER, **settings)


BUILDERS: dict[str, Build] = {
    "supervised": Method.supervised,
    "dpo": Method.dpo,
    "reinforcement": reinforcement,
}
# The field, the methods that have it, what it may be at its bounds, what it may not be beyond them.
RANGES: list[tuple[str, list[str], list[object], list[object], str]] = [
    ("n_epochs", list(BUILDERS), [1, 50, "auto"], [0, 51, -1], "from 1 to 50"),
    ("batch_size", list(BUILDERS), [1, 256, "auto"], [0, 257, -1], "from 1 to 256"),
    ("learning_rate_multiplier", list(BUILDERS), [5e-324, 1, 1e308, "auto"], [0, 0.0, -0.1], "above 0"),
    ("beta", ["dpo"], [5e-324, 2, 2.0, "auto"], [0, 2.0000000000000004, 3, -1], "above 0 and at most 2"),
    (
        "compute_multiplier",
        ["reinforcement"],
        [1.1e-05, 10, "auto"],
        [1e-05, 0, 10.1],
        "above 1e-05 and at most 10",
    ),
    ("eval_interval", ["reinforcement"], [1, 10**9, "auto"], [0, -1], "of at least 1"),
    ("eval_samples", ["reinforcement"], [1, 10**9, "auto"], [0, -1], "of at least 1"),
]
NEVER: list[object] = [True, False, NAN, INF, -INF, "1", "Auto", "", [], {}, (1,), b"auto", 10**400]
ROWS = [(name, kind, good, bad, text) for name, kinds, good, bad, text in RANGES for kind in kinds]


@pytest.mark.parametrize(("name", "kind", "good", "bad", "text"), ROWS)
def test_a_hyperparameter_is_held_to_its_range(
    name: str, kind: str, good: list[object], bad: list[object], text: str
) -> None:
    for value in good:
        assert getattr(getattr(BUILDERS[kind](**{name: value}), kind).hyperparameters, name) == value
    whole_and_unbounded = name.startswith("eval_")
    never = [value for value in NEVER if value != 10**400 or not whole_and_unbounded]
    for value in bad + never:
        with pytest.raises(InvalidArgumentError) as caught:
            BUILDERS[kind](**{name: value})
        message = str(caught.value)
        assert message.startswith(f"method.{kind}.hyperparameters.{name} is {repr(value)[:80]}")
        assert text in message
        assert "'auto'" in message
        assert len(message) < 300


@pytest.mark.parametrize("name", ["n_epochs", "batch_size", "eval_interval", "eval_samples"])
def test_a_count_is_no_fraction(name: str) -> None:
    for value in (1.0, 1.5):
        with pytest.raises(InvalidArgumentError, match="a whole number"):
            reinforcement(**{name: value})


@pytest.mark.parametrize("effort", ["default", "low", "medium", "high"])
def test_an_effort_is_one_of_a_list(effort: str) -> None:
    assert reinforcement(reasoning_effort=effort).reinforcement is not None


@pytest.mark.parametrize("effort", ["auto", "minimal", "", 1, True, ["low"], {}])
def test_another_effort_is_refused(effort: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="one of 'default', 'low', 'medium', 'high'"):
        reinforcement(reasoning_effort=effort)


def test_graders_are_held_to_their_vocabularies_at_any_depth() -> None:
    wrong = StringCheckGrader(name="n", input="i", reference="r", operation="equals")
    with pytest.raises(InvalidArgumentError, match=r"method\.reinforcement\.grader\.operation is 'equals'"):
        Method.reinforcement(wrong)
    multi = MultiGrader(name="m", graders={"a": GRADER, "b": wrong}, calculate_output="a")
    with pytest.raises(InvalidArgumentError, match=r"grader\.graders\['b'\]\.operation"):
        Method.reinforcement(multi)
    listed = MultiGrader(name="m", graders=[GRADER, wrong], calculate_output="a")
    with pytest.raises(InvalidArgumentError, match=r"grader\.graders\[1\]\.operation"):
        Method.reinforcement(listed)
    for name in ("cosine", "rouge_l"):
        similar = TextSimilarityGrader(name="n", input="i", reference="r", evaluation_metric=name)
        assert Method.reinforcement(similar).type == "reinforcement"
    with pytest.raises(InvalidArgumentError, match="evaluation_metric is 'rouge'"):
        check(TextSimilarityGrader(name="n", input="i", reference="r", evaluation_metric="rouge"), "grader")


@pytest.mark.parametrize("value", [[0, 1], [-1.5, 0], (0, 1), [0.1, 10**9]])
def test_a_range_is_two_numbers_in_order(value: object) -> None:
    require(Bounds(), value, "range")


@pytest.mark.parametrize(
    "value",
    [[], [0], [0, 1, 2], [1, 0], [1, 1], ["0", "1"], [False, True], [0, NAN], [0, INF], [0, 10**400], 1, "01"],
)
def test_what_is_no_range_is_refused(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"range is .*; it must be a list of two numbers, the lower"):
        require(Bounds(), value, "range")


def test_a_model_without_limits_passes() -> None:
    check(LabelModelGrader(name="n", model="m", input=[], labels=[], passing_labels=[]), "grader")
    check(None, "nothing")


# -- metadata ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metadata",
    [{}, {"a": ""}, {f"k{i}": "v" for i in range(16)}, {"k" * 64: "v" * 512}, {"ключ": "значение"}],
)
def test_metadata_within_its_bounds_passes(metadata: dict[str, str]) -> None:
    check_metadata(metadata)


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        ({f"k{i}": "v" for i in range(17)}, "metadata has 17 pairs; it may have at most 16"),
        ({"k" * 65: "v"}, "a key of metadata is 'kkk.*1 to 64 characters"),
        ({"": "v"}, "a key of metadata is ''; .*1 to 64 characters"),
        ({"k": "v" * 513}, r"metadata\['k'\] is 'vvv.*0 to 512 characters"),
        ({"k": 1}, r"metadata\['k'\] is 1; .*a string"),
        ({"k": None}, r"metadata\['k'\] is None"),
        ({"k": True}, r"metadata\['k'\] is True"),
        ({1: "v"}, "a key of metadata is 1"),
        ([("k", "v")], "metadata is .*a mapping of strings to strings"),
        ("k=v", "metadata is 'k=v'"),
    ],
)
def test_metadata_beyond_its_bounds_is_refused(metadata: Any, text: str) -> None:
    with pytest.raises(InvalidArgumentError, match=text):
        check_metadata(metadata)


def test_fewer_pairs_may_be_left_to_the_caller() -> None:
    check_metadata({f"k{i}": "v" for i in range(14)}, pairs=14)
    with pytest.raises(InvalidArgumentError, match="has 15 pairs; it may have at most 14"):
        check_metadata({f"k{i}": "v" for i in range(15)}, pairs=14)


# -- the limits themselves ---------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.integers() | st.floats() | st.text(max_size=3) | st.none() | st.booleans())
def test_no_limit_fails_on_any_value(value: object) -> None:
    for limit in (Whole(1, 5), Whole(0, None, auto=False), Fraction(0, 2), Text(1, 3), OneOf(("a",)), Items(2)):
        assert limit.admits(value) in {True, False}
        if isinstance(value, bool):
            assert not limit.admits(value)


def test_only_what_may_be_automatic_is() -> None:
    assert Whole(1, 5).admits("auto")
    assert not Whole(1, 5, auto=False).admits("auto")
    assert str(Whole(0, 5, auto=False)) == "a whole number from 0 to 5"


def test_characters_are_counted_not_bytes() -> None:
    assert Text(1, 2).admits("😀😀")
    assert not Text(1, 2).admits("abc")
    assert not Text(1, 2).admits(b"a")


def test_a_list_is_a_list_or_tuple() -> None:
    assert Items(1).admits([1])
    assert Items(1).admits((1,))
    assert not Items(1).admits([1, 2])
    assert not Items(1).admits("a")
    assert not Items(1).admits({"a": 1})


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        require(Text(1, 5), "x" * 10_000, "suffix")
    assert len(str(caught.value)) < 200
    assert "10002 characters" in str(caught.value)


def test_a_number_of_thousands_of_digits_is_refused_like_any_other() -> None:
    with pytest.raises(InvalidArgumentError, match="seed"):
        require(Whole(0, 5), 10**5_000, "seed")
