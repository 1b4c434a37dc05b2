"""Where the recent jobs of a list end."""

from __future__ import annotations

import pytest

from fine_tuning_async import FineTuningJob
from fine_tuning_async.api._recent import MANY, Recent

SINCE = 1_000


def jobs(*times: int) -> list[FineTuningJob]:
    return [FineTuningJob(id=f"ftjob-{at}", created_at=at, model="m", status="queued") for at in times]


def falling(count: int, to: int) -> list[int]:
    return [to + count - 1 - place for place in range(count)]


@pytest.mark.parametrize(
    ("times", "ends"),
    [
        (falling(MANY, to=SINCE - 1), True),
        (falling(MANY - 1, to=SINCE - 1), False),  # too few to know the order by
        (falling(MANY, to=SINCE), False),  # another of the same second may follow
        ([*falling(MANY, to=SINCE), 1], True),
        (falling(MANY, to=SINCE - 1)[::-1], False),  # the oldest first: what is recent is still to come
        ([1] * MANY, False),
        ([*falling(MANY, to=1), 2, 1], False),  # in no order
        ([1, *falling(MANY, to=1)], False),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100])
def test_nothing_recent_follows_where_times_fall_below(times: list[int], ends: bool, size: int) -> None:
    recent = Recent(SINCE)
    pages = [jobs(*times[start : start + size]) for start in range(0, len(times), size)]
    assert [recent.ends_with(page) for page in pages][-1] is ends


def test_an_empty_page_ends_nothing() -> None:
    assert not Recent(SINCE).ends_with([])
