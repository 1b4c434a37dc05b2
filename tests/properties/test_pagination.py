"""Whatever a server does with its cursors: every item once, in order, or an error that says why; no hang."""

from __future__ import annotations

import asyncio
import itertools

import attrs
import orjson
from hypothesis import event, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from fine_tuning_async import (
    ConnectionFailed,
    FineTuningError,
    JobEvent,
    Page,
    PaginationError,
    Paginator,
    Response,
    ResponseFormatError,
)
from fine_tuning_async.pagination import parse_page
from tests.virtual_time import run

HONEST, MISSING, NULL, ALWAYS = "honest", "missing", "null", "always true"


@attrs.frozen
class Habits:
    """What a server does otherwise than the API's reference says.

    Attributes:
        sizes: Items on each page; an empty page names a way on by its `last_id`.
        has_more: What it says about further pages.
        end: What `has_more` is on the empty page behind the last one.
        ignores_after: It always answers with the first page.
        stuck_at: From this page on it always answers with this page.
        nameless_at: The last item of this page has no id.
        fails_at: This page fails the first time.
        latency: Seconds that an answer takes.
    """

    sizes: list[int]
    has_more: str
    end: bool | None
    ignores_after: bool
    stuck_at: int | None
    nameless_at: int | None
    fails_at: int | None
    latency: float

    @property
    def broken(self) -> bool:
        """Whether it may be impossible to reach its items."""
        endless = self.has_more == ALWAYS and self.end is True
        return self.ignores_after or endless or not self.stuck_at == self.nameless_at is None


def some_page(sizes: list[int]) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(0, len(sizes) - 1)


@st.composite
def habits(draw: st.DrawFn) -> Habits:
    has_more = draw(st.sampled_from([HONEST, MISSING, NULL, ALWAYS]))
    # Without has_more an empty page is the end, so that such a server has none in between.
    smallest = 0 if has_more in {HONEST, ALWAYS} else 1
    sizes = draw(st.lists(st.integers(smallest, 6), min_size=1, max_size=8))
    odd = draw(st.booleans())
    return Habits(
        sizes=sizes,
        has_more=has_more,
        end=draw(st.sampled_from([False, True, None])),
        ignores_after=odd and draw(st.booleans()),
        stuck_at=draw(some_page(sizes)) if odd else None,
        nameless_at=draw(some_page(sizes)) if odd else None,
        fails_at=draw(some_page(sizes)),
        latency=draw(st.sampled_from([0.0, 0.5, 3.0])),
    )


class Server:
    """A list of events with habits, and a bound on the requests that it takes."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        starts = [0, *itertools.accumulate(habits.sizes)]
        self.names = [f"ftevent-{number}" for number in range(starts[-1])]
        self.chunks = [self.names[start:stop] for start, stop in itertools.pairwise(starts)]
        self.cursors = [chunk[-1] if chunk else f"gap-{index}" for index, chunk in enumerate(self.chunks)]
        self.bound = len(habits.sizes) + 2
        self.requests = 0
        self.running = 0
        self.failing = habits.fails_at

    async def fetch(self, after: str | None) -> Page[JobEvent]:
        self.requests += 1
        assert self.requests <= self.bound, "it goes round in circles"
        self.running += 1
        assert self.running <= 1, "more than one page on its way"
        await asyncio.sleep(self.habits.latency)
        self.running -= 1
        index = 0 if after is None or self.habits.ignores_after else self.cursors.index(after) + 1
        if self.failing == index:
            self.failing = None
            raise ConnectionFailed("the connection broke", sent=None)
        stuck = self.habits.stuck_at
        return self._page(index if stuck is None else min(index, stuck))

    def _page(self, index: int) -> Page[JobEvent]:
        chunk = self.chunks[index] if index < len(self.chunks) else []
        items: list[dict[str, object]] = [{"id": name, "created_at": 1, "message": name} for name in chunk]
        if items and index == self.habits.nameless_at:
            del items[-1]["id"]
        document: dict[str, object] = {"object": "list", "data": items}
        if not items and index < len(self.chunks):
            document["last_id"] = self.cursors[index]
        document |= self._has_more(index)
        return parse_page(JobEvent, Response(200, CIMultiDict(), orjson.dumps(document)))

    def _has_more(self, index: int) -> dict[str, object]:
        if self.habits.has_more == HONEST:
            return {"has_more": index + 1 < len(self.chunks)}
        if self.habits.has_more == ALWAYS:
            return {"has_more": True if index < len(self.chunks) else self.habits.end}
        return {} if self.habits.has_more == MISSING else {"has_more": None}


async def walk(way: str, paginator: Paginator[JobEvent], pause: float) -> tuple[list[str], FineTuningError | None]:
    seen: list[str] = []
    try:
        if way == "items":
            async for item in paginator:
                seen.append(item.message)
                await asyncio.sleep(pause)
        else:
            async for page in paginator.pages():
                seen += [item.message for item in page.data]
                await asyncio.sleep(pause)
    except FineTuningError as error:
        return seen, error
    return seen, None


def is_explained(error: FineTuningError, server: Server) -> bool:
    if isinstance(error, ConnectionFailed):
        return server.habits.fails_at is not None and server.failing is None
    if isinstance(error, ResponseFormatError):
        return server.habits.nameless_at is not None
    return isinstance(error, PaginationError) and server.habits.broken and bool(str(error))


@settings(max_examples=150, deadline=None)
@given(
    habits=habits(),
    way=st.sampled_from(["items", "pages"]),
    pause=st.sampled_from([0.0, 1.0]),
    most=st.none() | st.integers(0, 30),
)
def test_every_item_comes_once_and_in_order_or_an_error_says_why(
    habits: Habits, way: str, pause: float, most: int | None
) -> None:
    server = Server(habits)
    seen, error = run(walk(way, Paginator(server.fetch, max_items=most), pause))
    event("whole" if error is None else type(error).__name__)
    wanted = server.names[:most]
    assert seen == wanted[: len(seen)]
    if error is None:
        assert seen == wanted
    else:
        assert is_explained(error, server)


@settings(max_examples=100, deadline=None)
@given(habits=habits(), way=st.sampled_from(["items", "pages"]), pause=st.sampled_from([0.0, 1.0]))
def test_a_failure_can_be_resumed_from_its_cursor_without_gap_or_repetition(
    habits: Habits, way: str, pause: float
) -> None:
    server = Server(attrs.evolve(habits, ignores_after=False, stuck_at=None, nameless_at=None, end=False))
    server.bound += len(habits.sizes)
    seen, error = run(walk(way, Paginator(server.fetch), pause))
    event("whole" if error is None else type(error).__name__)
    if error is not None:
        assert isinstance(error, ConnectionFailed)
        rest, error = run(walk(way, Paginator(server.fetch, after=error.cursor), pause))
        seen += rest
    assert error is None
    assert seen == server.names


@settings(max_examples=100, deadline=None)
@given(habits=habits(), most=st.none() | st.integers(0, 30), taken=st.integers(1, 20))
def test_a_loop_left_anywhere_makes_no_request_that_was_not_due(
    habits: Habits, most: int | None, taken: int
) -> None:
    server = Server(attrs.evolve(habits, ignores_after=False, stuck_at=None, nameless_at=None, fails_at=None))

    async def take() -> int:
        items = aiter(Paginator(server.fetch, max_items=most))
        count = 0
        async for _ in items:
            count += 1
            if count == taken:
                break
        await items.aclose()
        return count

    try:
        count = run(take())
    except PaginationError:
        assert habits.broken
        return
    filled = list(itertools.accumulate(habits.sizes))
    page = next((index for index, total in enumerate(filled) if total >= count), len(filled))
    # The page that holds the item, the one ahead of it, and the empty ones between them.
    empty = sum(size == 0 for size in habits.sizes)
    assert server.requests <= page + 2 + empty
