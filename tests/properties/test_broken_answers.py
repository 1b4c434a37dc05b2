"""Whatever a server answers: a result or an error of our own, and never later than the deadline."""

from __future__ import annotations

from hypothesis import given, settings

from tests.heavy.malformed import answered, cases

EXAMPLES = 150


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(cases())
def test_an_answer_gives_a_result_or_an_error_of_ours(case: tuple[str, bytes, bool]) -> None:
    answered(*case)
