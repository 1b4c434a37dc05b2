"""How much of a run is left: an estimate where there can be one, and none where there cannot."""

from __future__ import annotations

import pytest

from fine_tuning_async.archive._progress import Tally


def tally(*, listing: bool = False, **counts: tuple[int, int]) -> Tally:
    """A run that has done so many of so many of each kind."""
    found = Tally(started=100.0, listing=listing)
    for kind, (done, known) in counts.items():
        found.done[kind], found.known[kind] = done, known
    return found


def test_nobody_knows_while_the_list_is_read() -> None:
    assert tally(listing=True, job=(50, 100)).progress(150.0).remaining is None


def test_nobody_knows_after_a_few_requests() -> None:
    assert tally(job=(4, 100)).progress(150.0).remaining is None


def test_nothing_is_left_where_there_was_nothing() -> None:
    assert tally().progress(100.5).remaining == 0.0


def test_the_rest_takes_as_long_for_each_request_as_what_was_done() -> None:
    # 100 requests in 50 seconds; 100 for jobs and 20 for files are left.
    assert tally(job=(40, 90), file=(20, 40)).progress(150.0).remaining == pytest.approx(60.0)


def test_jobs_that_are_left_will_bring_permissions_too() -> None:
    # 40 jobs had 120 checkpoints: 50 jobs will have 150.
    found = tally(job=(40, 90), permissions=(120, 120))
    assert found.progress(150.0).remaining == pytest.approx((100 + 150) * 50 / 200)


def test_what_is_half_done_is_counted_half() -> None:
    found = tally(job=(40, 90))
    found.begun, found.pages = 10, 10
    assert found.progress(150.0).remaining == pytest.approx(90 * 50 / 100)
