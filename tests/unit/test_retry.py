"""When a request may be sent again, how long is waited at most, and what it costs."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fine_tuning_async import (
    APIError,
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    FineTuningError,
    InvalidArgumentError,
    PaginationError,
    ResponseFormatError,
    RetryPolicy,
)
from fine_tuning_async._wire import Replay
from fine_tuning_async.errors import error_class
from fine_tuning_async.retry import AttemptRecord, RetryBudget, cost, is_ambiguous, may_retry


def answered(status: int, code: str | None = None) -> APIError:
    return error_class(status)("answered", status=status, message="m", code=code, headers={})


def test_the_defaults_are_those_that_are_documented() -> None:
    assert attrs.asdict(RetryPolicy()) == {
        "attempts": 4,
        "attempt_timeout": 20.0,
        "base": 0.5,
        "cap": 8.0,
        "budget": 500,
    }


@pytest.mark.parametrize("name", ["attempts", "attempt_timeout", "base", "cap", "budget"])
@pytest.mark.parametrize("value", [0, -1, -0.5, float("nan"), True, False, "4", None, [], 1j])
def test_a_policy_out_of_range_names_field_value_and_range(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        RetryPolicy(**{name: value})
    assert name in str(caught.value)
    assert repr(value) in str(caught.value)
    assert "must be" in str(caught.value)


@pytest.mark.parametrize("name", ["attempts", "budget"])
@pytest.mark.parametrize("value", [1.5, 4.0, float("inf")])
def test_counts_are_whole(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="whole number"):
        RetryPolicy(**{name: value})


def test_a_policy_is_a_value() -> None:
    assert RetryPolicy(attempts=2) == RetryPolicy(attempts=2)
    assert len({RetryPolicy(), RetryPolicy()}) == 1
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        RetryPolicy().attempts = 2  # type: ignore[misc]  # that is the test
    with pytest.raises(TypeError):
        RetryPolicy(2)  # type: ignore[call-arg]  # keyword-only


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    policy = RetryPolicy(base=0.5, cap=8)
    assert [policy.ceiling(attempt) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 10**6), st.floats(1e-300, 1e300), st.floats(1e-300, 1e300))
def test_no_wait_is_longer_than_the_cap(attempt: int, base: float, cap: float) -> None:
    assert 0 < RetryPolicy(base=base, cap=cap).ceiling(attempt) <= cap


# -- the budget --------------------------------------------------------------------------------------------------


def test_a_budget_is_spent_and_refused_when_it_does_not_suffice() -> None:
    budget = RetryBudget(12)
    assert budget.spend(5)
    assert budget.spend(5)
    assert not budget.spend(5)
    assert budget.left == 2
    assert budget.spend(2)
    assert budget.left == 0
    assert not budget.spend(1)


def test_a_success_gives_one_back_and_never_more_than_there_was() -> None:
    budget = RetryBudget(10)
    budget.refund()
    assert budget.left == 10
    assert budget.spend(10)
    for _ in range(25):
        budget.refund()
    assert budget.left == 10


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 12) | st.none(), max_size=60))
def test_a_budget_never_leaves_its_bounds(moves: list[int | None]) -> None:
    budget = RetryBudget(20)
    for move in moves:
        before = budget.left
        if move is None:
            budget.refund()
            assert budget.left == min(20, before + 1)
        else:
            assert budget.spend(move) is (move <= before)
            assert budget.left == (before - move if move <= before else before)


def test_a_timeout_costs_twice_what_another_failure_does() -> None:
    silent = ConnectionFailed("no answer came in time", sent=None)
    silent.__cause__ = TimeoutError()
    assert cost(silent) == 10
    assert cost(ConnectionFailed("refused", sent=False)) == 5
    assert cost(answered(503)) == 5


# -- verdicts ----------------------------------------------------------------------------------------------------

# Status, or what happened; then: may a read be sent again, may a create, may the server have acted.
STATUSES = [
    *((status, True, False, True) for status in (408, 500, 502, 503, 504, 520, 522, 524, 529)),
    (425, True, False, False),
    (429, True, True, False),
    *((status, False, False, False) for status in (301, 307, 400, 401, 403, 404, 409, 410, 413, 418, 422)),
]
FAILURES: list[tuple[FineTuningError, bool, bool, bool]] = [
    (ConnectionFailed("refused", sent=False), True, True, False),
    (ConnectionFailed("dropped", sent=None), True, False, True),
    (ConnectionFailed("cut short", sent=True), True, False, True),
    (DeadlineExceeded("late", sent=False), False, False, False),
    (DeadlineExceeded("late", sent=None), False, False, True),
    (DeadlineExceeded("late", sent=True), False, False, True),
    (ResponseFormatError("no JSON"), False, False, True),
    (CreateUncertainError("unsure"), False, False, True),
    (PaginationError("circles"), False, False, False),
    *((answered(status), read, create, open_) for status, read, create, open_ in STATUSES),
    *((answered(429, code), False, False, False) for code in ("insufficient_quota", "daily_rate_limit_exceeded")),
    (answered(429, "rate_limit_exceeded"), True, True, False),
    (answered(429, "429"), True, True, False),
]


@pytest.mark.parametrize(("failure", "read", "create", "ambiguous"), FAILURES, ids=repr)
def test_what_may_be_sent_again(failure: FineTuningError, read: bool, create: bool, ambiguous: bool) -> None:
    assert may_retry(failure, Replay.SAFE) is read
    assert may_retry(failure, Replay.ONCE) is create
    assert may_retry(failure, Replay.GONE) is read
    assert is_ambiguous(failure) is ambiguous


@pytest.mark.parametrize("failure", [row[0] for row in FAILURES], ids=repr)
def test_what_is_ambiguous_is_never_blindly_sent_again(failure: FineTuningError) -> None:
    assert not (is_ambiguous(failure) and may_retry(failure, Replay.ONCE))


def test_a_record_of_an_attempt_is_a_value() -> None:
    fields: dict[str, Any] = {
        "method": "GET",
        "path": "/x",
        "attempt": 1,
        "started_at": 0.0,
        "duration": 0.1,
        "outcome": 200,
        "delay": None,
        "request_id": "req_1",
    }
    assert AttemptRecord(**fields) == AttemptRecord(**fields)
    assert attrs.asdict(AttemptRecord(**fields)) == fields
