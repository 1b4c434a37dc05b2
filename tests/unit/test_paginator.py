"""How a list is followed: which requests are made when, what comes out, and what is left when it is left."""

from __future__ import annotations

import asyncio
import gc
import itertools
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
import pytest
from multidict import CIMultiDict

from fine_tuning_async import FineTuningError, JobEvent, Page, PaginationError, Paginator, Response
from fine_tuning_async.errors import ResponseFormatError
from fine_tuning_async.models import Metrics
from fine_tuning_async.pagination import parse_page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    Way = Callable[[Paginator[str]], Awaitable[list[str]]]

T = TypeVar("T")

TURNS_TO_BE_QUIET = 10
TURNS_PER_REQUEST = 3


class OneList:
    """A list served page by page from memory; a request takes a few turns of the loop."""

    def __init__(self, *sizes: int, failing: Mapping[str | None, Exception] | None = None) -> None:
        starts = [0, *itertools.accumulate(sizes)]
        self.names = [f"item-{number}" for number in range(starts[-1])]
        self.chunks = [self.names[start:stop] for start, stop in itertools.pairwise(starts)]
        self.failing = dict(failing or {})
        self.asked: list[str | None] = []
        self.running = 0

    async def fetch(self, after: str | None) -> Page[str]:
        self.asked.append(after)
        self.running += 1
        try:
            for _ in range(TURNS_PER_REQUEST):
                await asyncio.sleep(0)
        finally:
            self.running -= 1
        if after in self.failing:
            raise self.failing[after]
        index = 0 if after is None else int(after.removeprefix("page-"))
        more = index + 1 < len(self.chunks)
        return Page(self.chunks[index], more, f"page-{index + 1}" if more else None, f"req-{index}")

    def paginator(self, *, after: str | None = None, max_items: int | None = None) -> Paginator[str]:
        return Paginator(self.fetch, after=after, max_items=max_items)


class Script:
    """Answers with the given pages in turn, then fails the test."""

    def __init__(self, *pages: Page[str]) -> None:
        self.left = list(pages)
        self.asked: list[str | None] = []

    async def fetch(self, after: str | None) -> Page[str]:
        self.asked.append(after)
        assert self.left, f"a request too many: after={after!r}"
        return self.left.pop(0)


async def settle() -> None:
    """Let everything happen that can happen without the consumer."""
    await asyncio.sleep(60)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def by_item(paginator: Paginator[str]) -> list[str]:
    return [item async for item in paginator]


async def by_page(paginator: Paginator[str]) -> list[str]:
    return [item async for page in paginator.pages() for item in page.data]


async def collected(paginator: Paginator[str]) -> list[str]:
    return await paginator.collect()


async def first_page(paginator: Paginator[str]) -> list[str]:
    return (await paginator).data


WHOLE: list[Way] = [by_item, by_page, collected]
EVERY: list[Way] = [*WHOLE, first_page]


# ------------------------------------------------------------------------------------------- what comes out


@pytest.mark.parametrize("way", WHOLE)
@pytest.mark.parametrize("sizes", [(0,), (1,), (5,), (3, 3, 2), (1, 1, 1), (2, 0, 0, 3), (0, 4), (3, 0)])
async def test_every_item_comes_once_in_the_servers_order(way: Way, sizes: tuple[int, ...]) -> None:
    server = OneList(*sizes)
    assert await way(server.paginator()) == server.names
    assert server.asked == [None, *(f"page-{index}" for index in range(1, len(sizes)))]


async def test_awaiting_gives_the_first_page_whole_for_one_request() -> None:
    server = OneList(3, 3)
    page = await server.paginator()
    assert page == Page(server.names[:3], has_more=True, next_cursor="page-1", request_id="req-0")
    await settle()
    assert server.asked == [None]


async def test_pages_come_as_the_server_gave_them() -> None:
    server = OneList(2, 0, 1)
    pages = [page async for page in server.paginator().pages()]
    assert [page.data for page in pages] == [["item-0", "item-1"], [], ["item-2"]]
    assert [page.request_id for page in pages] == ["req-0", "req-1", "req-2"]
    assert [page.has_more for page in pages] == [True, True, False]


@pytest.mark.parametrize("way", EVERY)
async def test_making_a_paginator_asks_for_nothing(way: Way) -> None:
    server = OneList(1)
    paginator = server.paginator()
    pending = way(paginator)
    await settle()
    assert server.asked == []
    assert await pending == server.names


@pytest.mark.parametrize("way", EVERY)
async def test_each_iteration_starts_anew(way: Way) -> None:
    server = OneList(2, 2)
    paginator = server.paginator()
    once = await way(paginator)
    first = list(server.asked)
    assert await way(paginator) == once
    assert server.asked == [*first, *first]


async def test_two_iterations_of_one_paginator_do_not_disturb_each_other() -> None:
    server = OneList(2, 3, 1)
    paginator = server.paginator()
    slow = aiter(paginator)
    pairs = [(await anext(slow), item) async for item in paginator]
    assert pairs == [(name, name) for name in server.names]
    assert await asyncio.gather(*(by_item(paginator) for _ in range(3))) == [server.names] * 3
    await slow.aclose()


@pytest.mark.parametrize("way", WHOLE)
async def test_after_is_where_it_begins(way: Way) -> None:
    server = OneList(2, 2, 2)
    assert await way(server.paginator(after="page-1")) == server.names[2:]
    assert server.asked == ["page-1", "page-2"]


@pytest.mark.parametrize("way", WHOLE)
@pytest.mark.parametrize(
    ("most", "requests"), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (7, 3), (8, 3), (9, 3), (100, 3)]
)
async def test_max_items_is_the_total_and_no_request_goes_past_it(way: Way, most: int, requests: int) -> None:
    server = OneList(3, 3, 2)
    assert await way(server.paginator(max_items=most)) == server.names[:most]
    await settle()
    assert len(server.asked) == requests


@pytest.mark.parametrize(("most", "expected"), [(0, []), (2, ["item-0", "item-1"])])
async def test_max_items_holds_for_the_first_page_too(most: int, expected: list[str]) -> None:
    server = OneList(3, 3)
    assert await first_page(server.paginator(max_items=most)) == expected
    assert len(server.asked) == min(most, 1)


async def test_a_page_that_max_items_cuts_says_that_more_follows_and_leads_on_from_the_cut() -> None:
    server = OneList(2, 3)
    *_, last = [page async for page in server.paginator(max_items=3).pages()]
    assert last == Page(["item-2"], has_more=True, next_cursor=None, request_id="req-1")
    assert server.chunks[1] == ["item-2", "item-3", "item-4"], "the page itself must not be changed"


async def test_its_repr_says_where_it_begins_and_ends() -> None:
    assert repr(OneList(1).paginator(after="x", max_items=3)) == "<Paginator of ... after='x' max_items=3>"


# ------------------------------------------------------------------------------------------- fetching ahead


async def requests_by_consumption(server: OneList, items: AsyncGenerator[Any]) -> list[int]:
    """How many requests were made when all is quiet after the first, second, ... thing was taken."""
    counts = []
    async for _ in items:
        await settle()
        counts.append(len(server.asked))
    return counts


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        # The first page: nothing before half of it was taken. Later pages: the next at once, never two.
        ((4, 4, 4, 4), [1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]),
        ((5, 2, 1), [1, 1, 1, 2, 2, 3, 3, 3]),
        ((1, 1, 1, 1), [1, 3, 4, 4]),
        ((2, 2), [1, 2, 2, 2]),
        ((3,), [1, 1, 1]),
        ((0, 2, 1), [3, 3, 3]),
    ],
)
async def test_items_are_fetched_one_page_ahead(sizes: tuple[int, ...], counts: list[int]) -> None:
    server = OneList(*sizes)
    assert await requests_by_consumption(server, aiter(server.paginator())) == counts


async def test_pages_are_fetched_ahead_from_the_second_on() -> None:
    server = OneList(2, 2, 2, 2, 2)
    assert await requests_by_consumption(server, server.paginator().pages()) == [1, 3, 4, 5, 5]


async def test_a_page_is_on_its_way_while_the_one_before_is_used() -> None:
    server = OneList(4, 4)
    items = aiter(server.paginator())
    assert [await anext(items) for _ in range(3)] == server.names[:3]
    await turns(2)
    assert (server.asked, server.running) == ([None, "page-1"], 1)
    await settle()
    step = items.asend(None)
    with pytest.raises(StopIteration) as reached:  # the fourth item is there, without any waiting
        step.send(None)
    assert reached.value.value == "item-3"
    await items.aclose()


async def test_a_page_that_is_used_up_without_waiting_needs_no_task() -> None:
    server, made = OneList(4, 4, 4), 0

    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        nonlocal made
        made += 1
        return asyncio.Task(coro, loop=loop, **options)

    asyncio.get_running_loop().set_task_factory(factory)
    assert [item async for item in server.paginator()] == server.names
    assert await server.paginator().collect() == server.names
    assert made == 0
    async for _ in server.paginator():
        await turns(1)
    assert made == 2


async def test_nothing_is_fetched_ahead_past_max_items() -> None:
    server = OneList(4, 4, 4)
    items = aiter(server.paginator(max_items=8))
    assert await requests_by_consumption(server, items) == [1, 1, 2, 2, 2, 2, 2, 2]


# ------------------------------------------------------------------------------------------- being left


@pytest.mark.parametrize("taken", range(1, 10))
async def test_a_loop_that_breaks_is_quiet_within_ten_turns(taken: int) -> None:
    server = OneList(4, 4, 4)
    seen = 0
    async for _ in server.paginator():
        seen += 1
        if seen == taken:
            break
    await turns(TURNS_TO_BE_QUIET)
    assert (others(), server.running) == (set(), 0)


@pytest.mark.parametrize("taken", [1, 2, 3])
async def test_pages_that_are_left_are_quiet_within_ten_turns(taken: int) -> None:
    server = OneList(4, 4, 4, 4)
    seen = 0
    async for _ in server.paginator().pages():
        seen += 1
        if seen == taken:
            break
    await turns(TURNS_TO_BE_QUIET)
    assert (others(), server.running) == (set(), 0)


async def test_a_loop_that_breaks_early_costs_one_request() -> None:
    server = OneList(4, 4)
    async for item in server.paginator():
        if item == "item-1":
            break
    await settle()
    assert server.asked == [None]


async def test_a_loop_that_is_left_before_the_next_page_was_asked_for_never_asks() -> None:
    server = OneList(4, 4)
    items = aiter(server.paginator())
    assert [await anext(items) for _ in range(3)] == server.names[:3]
    await items.aclose()
    await settle()
    assert server.asked == [None]


async def test_aclose_stops_what_is_on_its_way() -> None:
    server = OneList(2, 2)
    items = aiter(server.paginator())
    await anext(items)
    await anext(items)
    await turns(2)
    assert server.running == 1
    await items.aclose()
    assert (others(), server.running) == (set(), 0)
    with pytest.raises(StopAsyncIteration):
        await anext(items)


async def test_an_error_in_the_body_passes_untouched_and_leaves_nothing() -> None:
    server = OneList(2, 2)
    mistake = ZeroDivisionError("in the body")

    async def use() -> None:
        async for item in server.paginator():
            if item == "item-1":
                raise mistake

    with pytest.raises(ZeroDivisionError) as raised:
        await use()
    assert raised.value is mistake
    await turns(TURNS_TO_BE_QUIET)
    assert (others(), server.running) == (set(), 0)


@pytest.mark.parametrize("way", EVERY)
async def test_a_cancellation_at_any_turn_comes_out_and_leaves_nothing(way: Way) -> None:
    cancelled = 0
    for number in itertools.count(1):
        server = OneList(2, 3, 2)
        task = asyncio.ensure_future(way(server.paginator()))
        await turns(number)
        if task.done():
            break
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cancelled += 1
        await turns(TURNS_TO_BE_QUIET)
        assert (others(), server.running) == (set(), 0)
    assert cancelled >= TURNS_PER_REQUEST


async def test_a_deadline_around_the_loop_ends_it_cleanly() -> None:
    async def never(_: str | None) -> Page[str]:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await Paginator(never).collect()
    assert others() == set()


async def test_a_close_that_is_cancelled_leaves_no_complaint_behind() -> None:
    released = asyncio.Event()

    async def stubborn(after: str | None) -> Page[str]:
        if after is None:
            return Page(["a", "b"], has_more=True, next_cursor="b")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await released.wait()
            raise FineTuningError("failed while it was told to stop")

    complaints = watch_complaints()
    items = aiter(Paginator(stubborn))
    assert [await anext(items), await anext(items)] == ["a", "b"]
    await turns(1)
    closing = asyncio.ensure_future(items.aclose())
    await turns(3)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    released.set()
    await turns(TURNS_TO_BE_QUIET)
    gc.collect()
    assert (others(), complaints) == (set(), [])


def watch_complaints() -> list[dict[str, Any]]:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    return complaints


@pytest.mark.parametrize("error", [FineTuningError("a known one"), OSError("a foreign one")])
async def test_a_failed_page_that_nobody_asked_for_is_not_logged(error: Exception) -> None:
    complaints = watch_complaints()
    server = OneList(2, 2, failing={"page-1": error})
    async for item in server.paginator():
        if item == "item-1":
            await settle()
            break
    assert server.asked == [None, "page-1"]
    await turns(TURNS_TO_BE_QUIET)
    gc.collect()
    assert (others(), complaints) == (set(), [])


# ------------------------------------------------------------------------------------------- failing


async def until_failure(items: AsyncGenerator[str]) -> tuple[list[str], FineTuningError]:
    seen: list[str] = []
    try:
        await take(items, seen)
    except FineTuningError as error:
        return seen, error
    raise AssertionError(f"it did not fail: {seen}")


async def take(items: AsyncGenerator[T], seen: list[T]) -> None:
    """Note each thing, so that they are there when an error comes."""
    async for item in items:
        await settle()
        seen.append(item)


@pytest.mark.parametrize("page", [1, 2, 3])
async def test_a_failure_comes_after_all_items_before_it_and_says_where_to_go_on(page: int) -> None:
    cursor = f"page-{page}"
    server = OneList(3, 1, 2, 2, failing={cursor: FineTuningError("the wire broke")})
    seen, error = await until_failure(aiter(server.paginator()))
    assert error.cursor == cursor
    assert any(repr(cursor) in note for note in error.__notes__)
    assert seen == [item for chunk in server.chunks[:page] for item in chunk]
    server.failing.clear()
    assert seen + await server.paginator(after=error.cursor).collect() == server.names


async def test_a_failure_of_the_first_page_has_no_cursor() -> None:
    server = OneList(3, failing={None: FineTuningError("the wire broke")})
    seen, error = await until_failure(aiter(server.paginator()))
    assert (seen, error.cursor) == ([], None)


async def test_a_failure_of_the_first_page_after_a_cursor_has_that_cursor() -> None:
    server = OneList(3, 3, failing={"page-1": FineTuningError("the wire broke")})
    _, error = await until_failure(aiter(server.paginator(after="page-1")))
    assert error.cursor == "page-1"


@pytest.mark.parametrize("way", [by_page, collected])
async def test_pages_and_collect_say_where_to_go_on_too(way: Way) -> None:
    server = OneList(2, 2, 2, failing={"page-2": FineTuningError("the wire broke")})
    with pytest.raises(FineTuningError) as raised:
        await way(server.paginator())
    assert raised.value.cursor == "page-2"


async def test_pages_before_the_failure_are_delivered() -> None:
    server = OneList(2, 2, 2, failing={"page-2": FineTuningError("the wire broke")})
    seen: list[Page[str]] = []
    with pytest.raises(FineTuningError):
        await take(server.paginator().pages(), seen)
    assert [page.data for page in seen] == server.chunks[:2]


async def test_after_a_failure_the_same_paginator_starts_anew() -> None:
    server = OneList(2, 2, failing={"page-1": FineTuningError("the wire broke")})
    paginator = server.paginator()
    await until_failure(aiter(paginator))
    server.failing.clear()
    assert await paginator.collect() == server.names


async def test_a_generator_that_failed_is_over() -> None:
    server = OneList(2, 2, failing={"page-1": FineTuningError("the wire broke")})
    items = aiter(server.paginator())
    await until_failure(items)
    with pytest.raises(StopAsyncIteration):
        await anext(items)
    assert server.asked == [None, "page-1"]


@pytest.mark.parametrize(
    ("pages", "after"),
    [
        ([Page(["a", "b"], True, "b"), Page(["a", "b"], True, "b")], None),
        ([Page(["a", "b"], None, "b"), Page(["a", "b"], None, "b")], None),
        ([Page(["a"], True, "a"), Page(["b"], True, "b"), Page(["a"], True, "a")], None),
        ([Page(["a", "b"], True, "b")], "b"),
        ([Page(["a"], True, "a"), Page([], True, "a")], None),
    ],
)
async def test_a_cursor_seen_twice_is_an_error_and_nothing_comes_twice(
    pages: list[Page[str]], after: str | None
) -> None:
    script = Script(*pages)
    seen, error = await until_failure(aiter(Paginator(script.fetch, after=after)))
    assert isinstance(error, PaginationError)
    assert "where the iteration was before" in str(error)
    assert len(seen) == len(set(seen))
    assert seen == [item for page in pages[:-1] for item in page.data]
    assert script.left == []


async def test_an_empty_page_that_promises_more_and_gives_no_way_on_is_an_error() -> None:
    script = Script(Page(["a"], True, "a"), Page([], True, None))
    seen, error = await until_failure(aiter(Paginator(script.fetch)))
    assert seen == ["a"]
    assert isinstance(error, PaginationError)
    assert "no way to reach them" in str(error)
    assert error.cursor == "a"


async def test_an_empty_page_with_a_cursor_is_passed() -> None:
    script = Script(Page([], True, "x"), Page(["a"], True, "a"), Page([], True, "y"), Page(["b"], False, None))
    assert await Paginator(script.fetch).collect() == ["a", "b"]
    assert script.asked == [None, "x", "a", "y"]


async def test_without_has_more_it_goes_on_until_a_page_without_a_cursor() -> None:
    script = Script(Page(["a"], None, "a"), Page(["b"], None, "b"), Page([], None, None))
    assert await Paginator(script.fetch).collect() == ["a", "b"]
    assert script.asked == [None, "a", "b"]


# ------------------------------------------------------------------------------------------- reading a page


def event(name: str) -> dict[str, object]:
    return {"id": name, "created_at": 1, "message": "m"}


def parsed(document: object, cls: type[Any] = JobEvent) -> Page[Any]:
    headers = CIMultiDict({"X-Request-Id": "req-7"})
    return parse_page(cls, Response(200, headers, orjson.dumps(document)))


TWO = [event("a"), event("b")]


@pytest.mark.parametrize(
    ("document", "has_more", "cursor"),
    [
        ({"data": TWO, "has_more": True}, True, "b"),
        ({"data": TWO, "has_more": True, "first_id": "a", "last_id": "b"}, True, "b"),
        ({"data": TWO, "has_more": True, "last_id": None}, True, "b"),
        ({"data": TWO, "has_more": False, "last_id": "b"}, False, None),
        ({"data": TWO}, None, "b"),
        ({"data": TWO, "has_more": None}, None, "b"),
        ({"data": [], "has_more": False}, False, None),
        ({"data": [], "has_more": False, "last_id": "z"}, False, None),
        ({"data": []}, None, None),
        ({"data": [], "last_id": "z"}, None, None),
        ({"data": [], "has_more": True, "last_id": "z"}, True, "z"),
        ({"data": [], "has_more": True, "last_id": None}, True, None),
        ({"data": [], "has_more": True, "last_id": ""}, True, None),
        ({"data": [], "has_more": True, "last_id": 7}, True, None),
    ],
)
def test_a_page_knows_the_way_on(
    document: Mapping[str, object], has_more: bool | None, cursor: str | None
) -> None:
    page = parsed(document)
    assert (page.has_more, page.next_cursor, page.request_id) == (has_more, cursor, "req-7")
    assert [item.id for item in page.data] == [item["id"] for item in document["data"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "said", [{"has_more": False}, {"object": "list"}, {"object": "list", "has_more": None, "error": None}]
)
def test_null_is_a_list_without_items_where_the_answer_says_that_it_is_a_list(said: dict[str, object]) -> None:
    page = parsed({"data": None, **said})
    assert (page.data, page.has_more or None, page.next_cursor) == ([], None, None)


async def test_a_null_that_more_should_follow_is_no_end() -> None:
    async def fetch(_: str | None) -> Page[JobEvent]:
        return parsed({"object": "list", "data": None, "has_more": True})

    with pytest.raises(PaginationError, match="gives no way"):
        await Paginator(fetch).collect()


@pytest.mark.parametrize("last", [{"step": 1}, {"step": 1, "id": None}, {"step": 1, "id": 5}, {"id": ""}])
def test_items_without_an_id_are_items_but_no_way_on(last: dict[str, object]) -> None:
    page = parsed({"data": [{"step": 0}, last], "has_more": True}, Metrics)
    assert (len(page.data), page.next_cursor) == (2, None)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"data": None}, "$.data"),
        ({"object": "list", "has_more": False}, "$.data"),
        ({"data": None, "has_more": False, "error": {"message": "the store is down"}}, "$.data"),
        ({"data": None, "object": "error"}, "$.data"),
        ({"data": {"id": "a"}}, "$.data"),
        ({"data": "abc"}, "$.data"),
        ({"has_more": False}, "$.data"),
        ([], "$.data"),
        (None, "$.data"),
        ("list", "$.data"),
        ({"data": [], "has_more": "false"}, "$.has_more"),
        ({"data": TWO, "has_more": 1}, "$.has_more"),
        ({"data": TWO, "has_more": []}, "$.has_more"),
        ({"data": [event("a"), None]}, "$.data[1]"),
        ({"data": [event("a"), "b"]}, "$.data[1]"),
        ({"data": [event("a"), []]}, "$.data[1]"),
        ({"data": [{"created_at": 1, "message": "m"}]}, "$.data[0]"),
        ({"data": [{**event("a"), "id": None}]}, "$.data[0].id"),
        ({"data": [{**event("a"), "id": 5}]}, "$.data[0].id"),
    ],
)
def test_what_is_no_list_is_an_error_that_says_where(document: object, path: str) -> None:
    with pytest.raises(ResponseFormatError) as raised:
        parsed(document)
    assert raised.value.path == path
    assert raised.value.request_id == "req-7"


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b'{"data": [', b"\xff\xfe"])
def test_what_is_no_json_is_an_error(body: bytes) -> None:
    with pytest.raises(ResponseFormatError):
        parse_page(JobEvent, Response(200, CIMultiDict(), body))


def ways_on(pages: Sequence[Page[str]]) -> list[str | None]:
    return [page.next_cursor for page in pages]


async def test_the_last_page_names_no_way_on() -> None:
    pages = [page async for page in OneList(2, 2).paginator().pages()]
    assert ways_on(pages) == ["page-1", None]
