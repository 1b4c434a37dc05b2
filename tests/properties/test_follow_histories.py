"""Whatever a history of events does while it is followed: each of them once, in order, and then an end."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import TYPE_CHECKING

import attrs
from hypothesis import event, given, settings
from hypothesis import strategies as st

from fine_tuning_async import ConnectionFailed, FineTuningJob, JobEvent, Page
from fine_tuning_async.waiting._follow import LATENESS, QUIET, REMEMBERED, Follow
from fine_tuning_async.waiting._pace import Pace
from fine_tuning_async.waiting._polling import Polling
from tests.virtual_time import START, run

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_SILENCE = 150


@attrs.frozen
class Batch:
    """Events that arrive at once.

    Attributes:
        wait: Seconds since the batch before.
        ages: By how many seconds each is older than the newest so far; below 0 it is newer.
    """

    wait: int
    ages: list[int]


@attrs.frozen
class Arrival:
    """An event, and when it can be seen."""

    at: float
    event: JobEvent


@attrs.frozen
class Habits:
    """What a server does.

    Attributes:
        size: Events on a page.
        by_arrival: Whether a late event stands in front, and not by its time.
        oldest_first: Whether events of one second are listed in the other order.
        says_more: Whether has_more is there.
        failing: Which requests fail.
        latency: Seconds that an answer takes.
        poll: What the caller asks for.
        pause: Seconds that the caller takes for an event.
        remembered: How many events are remembered beyond those that a round reads.
    """

    size: int
    by_arrival: bool
    oldest_first: bool
    says_more: bool
    failing: frozenset[int]
    latency: float
    poll: float | None
    pause: float
    remembered: int


batches = st.lists(
    st.builds(
        Batch,
        wait=st.sampled_from([0, 0, 1, 3, 20, 70, LONGEST_SILENCE]),
        ages=st.lists(st.integers(-40, LATENESS), min_size=1, max_size=12),
    ),
    max_size=6,
)
habits = st.builds(
    Habits,
    size=st.integers(1, 7),
    by_arrival=st.booleans(),
    oldest_first=st.booleans(),
    says_more=st.booleans(),
    failing=st.frozensets(st.integers(0, 60), max_size=30),
    latency=st.sampled_from([0.0, 0.0, 0.3]),
    poll=st.sampled_from([None, None, 2.0, 5.0, 45.0]),
    pause=st.sampled_from([0.0, 0.0, 2.0]),
    remembered=st.sampled_from([0, 5, REMEMBERED]),
)


def history(batches: Sequence[Batch]) -> list[Arrival]:
    """Return the events in the order in which they arrive."""
    at, newest, arrivals, numbers = START, 1_000_000, [], itertools.count()
    for batch in batches:
        at += batch.wait
        # All that arrive at once are late by at most a minute, measured by what was there before them.
        base = newest
        for age in batch.ages:
            newest = max(newest, base - age)
            arrivals.append(Arrival(at, JobEvent(f"e{next(numbers)}", base - age, "")))
    return arrivals


class Server:
    """Lists a history, as far as it has happened."""

    def __init__(self, arrivals: list[Arrival], habits: Habits) -> None:
        self.arrivals, self.habits = arrivals, habits
        self.ends_at = (arrivals[-1].at if arrivals else START) - 1
        self.requests = itertools.count()
        self.fronts: list[float] = []
        self.served = 0

    def listed(self) -> list[JobEvent]:
        """Return what the server shows now, newest first."""
        now = asyncio.get_running_loop().time()
        here = [each.event for each in self.arrivals if each.at <= now]
        if self.habits.by_arrival:
            return here[::-1]
        ordered = sorted(enumerate(here), key=lambda each: (each[1].created_at, each[0] * self._direction))
        return [each for _, each in ordered][::-1]

    @property
    def _direction(self) -> int:
        return -1 if self.habits.oldest_first else 1

    async def everything(self) -> list[JobEvent]:
        return self.listed()

    async def page(self, cursor: str | None) -> Page[JobEvent]:
        await self._travel()
        if cursor is None:
            self.fronts.append(asyncio.get_running_loop().time())
            self.served = 0
        events = self.listed()
        start = 0 if cursor is None else [each.id for each in events].index(cursor) + 1
        data = events[start : start + self.habits.size]
        goes_on = start + self.habits.size < len(events) if self.habits.says_more else bool(data)
        self.served += len(data)
        has_more = goes_on if self.habits.says_more else None
        return Page(data, has_more, data[-1].id if data and goes_on else None)

    async def look(self) -> FineTuningJob:
        await self._travel()
        ended = asyncio.get_running_loop().time() >= self.ends_at
        return FineTuningJob("a", 1, "m", "succeeded" if ended else "running")

    async def _travel(self) -> None:
        number = next(self.requests)
        assert number < 5_000, "it never ends"
        await asyncio.sleep(self.habits.latency)
        if number in self.habits.failing:
            raise ConnectionFailed("the connection broke", sent=None)


async def follow(server: Server, after: str | None = None) -> tuple[list[tuple[float, JobEvent]], float]:
    """Return when each event was given, and when the following ended."""
    habits, clock = server.habits, asyncio.get_running_loop().time
    following = Follow(
        job_id="a",
        polling=Polling(pace=Pace(habits.poll)),
        page=server.page,
        look=server.look,
        after=after,
        remembered=habits.remembered,
    )
    seen = []
    async for each in following.run():
        seen.append((clock(), each))
        ids = following._reading.known.values()
        kept = [at >= following._reading.horizon for at in ids]
        assert len(ids) <= (len(ids) - kept.index(True)) + server.served + habits.remembered
        await asyncio.sleep(habits.pause)
    return seen, clock()


@settings(max_examples=80, deadline=None)
@given(batches=batches, habits=habits)
def test_every_event_comes_once(batches: list[Batch], habits: Habits) -> None:
    arrivals = history(batches)
    server = Server(arrivals, habits)
    seen, ended = run(follow(server))
    event(f"{min(len(arrivals) // 20, 3) * 20}+ events, {'some' if habits.failing else 'no'} failures")
    assert Counter(each.id for _, each in seen) == Counter(each.event.id for each in arrivals)
    assert ended >= max(server.ends_at, START) + QUIET - 1e-6


@settings(max_examples=80, deadline=None)
@given(batches=batches, habits=habits)
def test_they_come_oldest_first(batches: list[Batch], habits: Habits) -> None:
    """An event is given before an older one only if that was not there yet when the reading began."""
    arrivals = history(batches)
    server = Server(arrivals, attrs.evolve(habits, pause=0.0))
    seen, _ = run(follow(server))
    arrived = {each.event.id: each.at for each in arrivals}
    for (at, first), (_, second) in itertools.pairwise(seen):
        if second.created_at < first.created_at:
            began = max(front for front in server.fronts if front <= at)
            assert arrived[second.id] > began


@settings(max_examples=80, deadline=None)
@given(batches=batches, habits=habits)
def test_what_happened_in_one_second_comes_as_it_is_listed(batches: list[Batch], habits: Habits) -> None:
    arrivals = [attrs.evolve(each, at=START) for each in history(batches)]
    server = Server(arrivals, habits)
    seen, _ = run(follow(server))
    listed = run(server.everything())
    listed.reverse()
    assert [each.id for _, each in seen] == [each.id for each in sorted(listed, key=lambda each: each.created_at)]


@settings(max_examples=80, deadline=None)
@given(batches=batches, habits=habits, data=st.data())
def test_it_goes_on_after_any_event_of_a_history(
    batches: list[Batch], habits: Habits, data: st.DataObject
) -> None:
    arrivals = [attrs.evolve(each, at=START) for each in history(batches)]
    if not arrivals:
        return
    server = Server(arrivals, attrs.evolve(habits, by_arrival=False))
    listed = run(server.everything())
    last = data.draw(st.integers(0, len(listed) - 1))
    seen, _ = run(follow(server, after=listed[last].id))
    assert [each.id for _, each in seen] == [each.id for each in listed[:last]][::-1]
