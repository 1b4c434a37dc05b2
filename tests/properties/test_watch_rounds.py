"""However the jobs lie in the list: a round costs no more than the cheaper way, no change is lost or repeated."""

from __future__ import annotations

import asyncio
import itertools
from math import ceil

import attrs
from hypothesis import event, given, settings
from hypothesis import strategies as st

from fine_tuning_async import TERMINAL_STATUSES, ConnectionFailed, FineTuningJob, Page
from fine_tuning_async.waiting._pace import Pace
from fine_tuning_async.waiting._polling import Polling
from fine_tuning_async.waiting._round import Round
from fine_tuning_async.waiting._watch import Watch
from tests.virtual_time import START, run

# ------------------------------------------------------------------------------------------- the plan alone


def cost_of(planned: Round, pages: list[set[str]], depths: dict[str, int]) -> int:
    """Carry a plan out; return its requests, and write down where each job was."""
    for each in itertools.count():
        if not planned.wants_page():
            break
        planned.turn(pages[each], is_last=each + 1 == len(pages))
        depths.update(dict.fromkeys(pages[each] & depths.keys(), each + 1))
    depths.update({job_id: planned.depth_without(job_id) for job_id in planned.missing})
    return planned.pages + len(planned.missing)


@st.composite
def lists(draw: st.DrawFn) -> list[set[str]]:
    """Draw which of the jobs that are looked for each page of a list shows."""
    sizes = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2, 5, 20]), min_size=1, max_size=40))
    numbers = itertools.count()
    return [{f"j{next(numbers)}" for _ in range(size)} for size in sizes]


@settings(max_examples=200, deadline=None)
@given(pages=lists(), unlisted=st.integers(0, 5))
def test_a_round_costs_no_more_than_pages_alone_or_retrieves_alone(pages: list[set[str]], unlisted: int) -> None:
    names = set().union(*pages, (f"unlisted{number}" for number in range(unlisted)))
    depths = dict.fromkeys(names, 1)
    assert cost_of(Round(depths.copy()), pages, depths) <= 2 * len(names), "what is not known costs twice at most"
    # Where nothing is found, the next rounds may still learn how deep the rest is.
    for _ in range(len(pages) + 10):
        cost_of(Round(depths.copy()), pages, depths)
    found = [number for number, page in enumerate(pages, 1) if page]
    by_pages = (found[-1] if found else 0) + unlisted
    assert cost_of(Round(depths.copy()), pages, depths) <= min(len(names), max(by_pages, 1))


def test_jobs_that_lie_thinly_in_a_long_list_cost_twice_at_most_before_they_are_retrieved() -> None:
    pages = [{f"j{number}"} if number % 10 == 0 else set() for number in range(1_000)]
    depths = {f"j{number}": 1 for number in range(0, 1_000, 10)}
    assert cost_of(Round(depths.copy()), pages, depths) <= 200
    assert cost_of(Round(depths.copy()), pages, depths) == 100


def test_a_single_job_is_not_searched_for() -> None:
    planned = Round({"a": 1, "b": 1})
    assert planned.wants_page()
    planned.turn(["a"], is_last=False)
    assert not planned.wants_page()
    assert planned.missing == {"b"}
    assert not Round({"a": 1}).wants_page()


@given(count=st.integers(1, 2_000), before=st.integers(0, 99))
def test_the_newest_jobs_cost_a_page_per_hundred_and_one(count: int, before: int) -> None:
    names = [*(f"other{number}" for number in range(before)), *(f"j{number}" for number in range(count))]
    pages = [set(names[start : start + 100]) for start in range(0, len(names), 100)]
    depths = {f"j{number}": number // 100 + 1 for number in range(count)}
    assert cost_of(Round(depths.copy()), pages, depths) <= ceil(count / 100) + 1


# ------------------------------------------------------------------------------------------- the whole


@attrs.frozen
class Change:
    """A job that gets a status, so many seconds after the change before."""

    wait: int
    job: int
    status: str


@attrs.frozen
class Habits:
    """What the server and the consumer do.

    Attributes:
        size: Jobs on a page.
        others: Jobs that nobody watches, before those that are.
        hidden: Jobs that the list does not show.
        failing: Which requests fail.
        pauses: Seconds that the consumer takes for each job in turn.
        named: Whether the jobs are named.
    """

    size: int
    others: int
    hidden: frozenset[int]
    failing: frozenset[int]
    pauses: list[float]
    named: bool


COUNT = 12
changes = st.lists(
    st.builds(
        Change,
        wait=st.sampled_from([0, 1, 5, 40]),
        job=st.integers(0, COUNT - 1),
        status=st.sampled_from(["queued", "running", "paused", "odd", "succeeded", "failed"]),
    ),
    max_size=40,
)
habits = st.builds(
    Habits,
    size=st.integers(1, 8),
    others=st.sampled_from([0, 0, 1, 9, 30]),
    hidden=st.frozensets(st.integers(0, COUNT - 1), max_size=4),
    failing=st.frozensets(st.integers(0, 60), max_size=30),
    pauses=st.lists(st.sampled_from([0.0, 0.0, 2.0, 50.0]), min_size=1, max_size=10),
    named=st.booleans(),
)


class Server:
    """Jobs whose statuses change as time goes by; in the end all of them succeed."""

    def __init__(self, changes: list[Change], habits: Habits) -> None:
        self.habits = habits
        self.requests = itertools.count()
        self.statuses = {f"j{number}": [(START, "queued")] for number in range(COUNT)}
        at = START
        for change in changes:
            at += change.wait
            history = self.statuses[f"j{change.job}"]
            if history[-1][1] not in TERMINAL_STATUSES:
                history.append((at, change.status))
        self.ends_at = at + 1
        for history in self.statuses.values():
            if history[-1][1] not in TERMINAL_STATUSES:
                history.append((self.ends_at, "succeeded"))
        others = [f"other{number}" for number in range(habits.others)]
        self.listed = [*others, *(each for each in self.statuses if int(each[1:]) not in habits.hidden)]

    def now(self, job_id: str) -> FineTuningJob:
        time = asyncio.get_running_loop().time()
        history = self.statuses.get(job_id, [(START, "cancelled")])
        return FineTuningJob(job_id, 1, "m", [status for at, status in history if at <= time][-1])

    async def page(self, cursor: str | None) -> Page[FineTuningJob]:
        await self._travel()
        start = 0 if cursor is None else self.listed.index(cursor) + 1
        data = [self.now(each) for each in self.listed[start : start + self.habits.size]]
        more = start + self.habits.size < len(self.listed)
        return Page(data, more, data[-1].id if more else None)

    async def retrieve(self, job_id: str) -> FineTuningJob:
        await self._travel()
        return self.now(job_id)

    async def _travel(self) -> None:
        number = next(self.requests)
        assert number < 20_000, "it never ends"
        if number in self.habits.failing:
            raise ConnectionFailed("the connection broke", sent=None)


async def watch(server: Server) -> list[tuple[float, FineTuningJob]]:
    """Return what was given when."""
    habits, clock = server.habits, asyncio.get_running_loop().time
    watching = Watch(
        polling=Polling(pace=Pace(3.0)),
        page=server.page,
        retrieve=server.retrieve,
        matches=lambda job: True,
        job_ids=server.statuses if habits.named else None,
    )
    wanted = set(server.statuses if habits.named else server.listed)
    pauses = itertools.cycle(habits.pauses)
    seen = []
    ended = set()
    async for each in watching.run():
        seen.append((clock(), each))
        if each.is_terminal:
            ended.add(each.id)
        if not habits.named and ended == wanted:
            break
        await asyncio.sleep(next(pauses))
    assert ended == wanted
    return seen


@settings(max_examples=80, deadline=None)
@given(changes=changes, habits=habits)
def test_every_job_is_given_as_it_is_and_no_status_twice_in_a_row(changes: list[Change], habits: Habits) -> None:
    server = Server(changes, habits)
    seen = run(watch(server))
    event("named" if habits.named else "all")
    told: dict[str, list[tuple[float, str]]] = {}
    for at, each in seen:
        told.setdefault(each.id, []).append((at, each.status))
    for job_id, given_statuses in told.items():
        statuses = [status for _, status in given_statuses]
        assert all(first != second for first, second in itertools.pairwise(statuses))
        assert statuses[-1] in TERMINAL_STATUSES
        history = server.statuses.get(job_id, [(START, "cancelled")])
        for at, status in given_statuses:
            ends = [*(start for start, _ in history[1:]), float("inf")]
            spans = [(start, end) for (start, was), end in zip(history, ends, strict=True) if was == status]
            # It was so when the server was last asked: a round ago, but for failures, which let it grow old.
            stale = float("inf") if habits.failing else 3.0
            assert any(start <= at and end >= at - stale for start, end in spans), (job_id, at, status, history)
