"""The table of states, the clock, the ids."""

from __future__ import annotations

import re

import pytest

from fine_tuning_async.server.clock import Clock
from fine_tuning_async.server.errors import JobStateError
from fine_tuning_async.server.ids import Minter
from fine_tuning_async.server.lifecycle import NEXT, TERMINAL, move


def test_three_statuses_are_terminal() -> None:
    assert {"succeeded", "failed", "cancelled"} == TERMINAL


@pytest.mark.parametrize("status", sorted(set(NEXT) - TERMINAL))
def test_every_living_job_can_fail_or_be_cancelled(status: str) -> None:
    assert move(status, "failed") == "failed"
    assert move(status, "cancelled") == "cancelled"


@pytest.mark.parametrize("status", sorted(NEXT))
def test_every_status_but_the_first_can_be_reached(status: str) -> None:
    reached, fresh = {"validating_files"}, {"validating_files"}
    while fresh:
        fresh = {after for before in fresh for after in NEXT[before]} - reached
        reached |= fresh
    assert status in reached


@pytest.mark.parametrize(
    ("status", "to"), [("succeeded", "running"), ("queued", "succeeded"), ("pausing", "running")]
)
def test_what_the_table_lacks_is_refused(status: str, to: str) -> None:
    with pytest.raises(JobStateError, match=f"{status} cannot become {to}"):
        move(status, to)


def test_a_clock_without_speed_moves_only_when_told() -> None:
    clock = Clock(None)
    clock.start(100.0, iter(range(100)).__next__)
    assert clock.now() == 100.0
    clock.advance(5)
    assert [clock.now(), clock.now()] == [105.0, 105.0]


def test_a_clock_with_speed_multiplies_the_ticks() -> None:
    ticks = [10.0]
    clock = Clock(60)
    clock.start(1000.0, lambda: ticks[0])
    ticks[0] = 11.0
    assert clock.now() == 1060.0
    clock.advance(5)
    clock.stop()
    ticks[0] = 99.0
    assert clock.now() == 1065.0


def test_ids_have_the_recorded_form() -> None:
    mint = Minter(0)
    assert re.fullmatch(r"ftjob-[0-9A-Za-z]{24}", mint.make("ftjob-", 1))
    assert re.fullmatch(r"[0-9A-Za-z]{8}", mint.make("", 1, length=8))
    assert re.fullmatch(r"req_[0-9a-f]{32}", mint.hexadecimal("req_", 1))


def test_ids_differ_by_seed_prefix_place() -> None:
    places = [(seed, prefix, n, m) for seed in (0, 1) for prefix in "ab" for n in range(30) for m in range(30)]
    assert len({Minter(seed).make(prefix, n, m)[1:] for seed, prefix, n, m in places}) == len(places)
    assert all(0 <= Minter(0).number("job", n) < 2**31 for n in range(1000))
