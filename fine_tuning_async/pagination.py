"""Follows the `after` cursor of a list through every page, never past the end, never in circles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import evolve, frozen

from ._reading import read_page
from .errors import FineTuningError, PaginationError
from .models import WireObject

if TYPE_CHECKING:
    from ._wire import Response

__all__ = ["Page", "Paginator", "parse_page"]

T = TypeVar("T")
M = TypeVar("M", bound=WireObject)


@frozen
class Page(Generic[T]):
    """One answer of a list.

    Attributes:
        data: The items, in the server's order.
        has_more: Whether the server says that more follow; None where it does not say.
        next_cursor: What to pass as `after` for the next page; None where nothing follows.
        request_id: The server's id of the request, if it gave one.
    """

    data: list[T]
    has_more: bool | None
    next_cursor: str | None
    request_id: str | None = None


Fetch = Callable[[str | None], Awaitable[Page[T]]]


class Paginator(Generic[T]):
    """All items of a list, fetched page by page as they are asked for.

    `async for item in paginator` gives the items, `async for page in paginator.pages()` the pages,
    `await paginator` the first page, `await paginator.collect()` a list of all items. Each of them starts anew.

    While items are used, the next page is already on its way: one page at most, and not before half of the first
    was taken. A loop that is left early leaves nothing running.

    Every error that is raised on the way carries `cursor`: pass it as `after` to go on where it failed.
    """

    def __init__(
        self, fetch: Fetch[T], *, after: str | None = None, max_items: int | None = None, name: str = "..."
    ) -> None:
        self._fetch = fetch
        self._name = name
        self._after = after
        self._max_items = max_items

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name} after={self._after!r} max_items={self._max_items!r}>"

    async def __aiter__(self) -> AsyncGenerator[T]:
        walk = self._walk()
        try:
            if (page := await walk.next()) is None:
                return
            half = (len(page.data) + 1) // 2
            for item in page.data[:half]:
                yield item
            walk.look_ahead()
            for item in page.data[half:]:
                yield item
            while (page := await walk.next()) is not None:
                walk.look_ahead()
                for item in page.data:
                    yield item
        finally:
            await walk.close()

    async def pages(self) -> AsyncGenerator[Page[T]]:
        """Iterate over the pages; the last one is cut where `max_items` is reached."""
        walk = self._walk()
        try:
            if (page := await walk.next()) is not None:
                yield page
            while (page := await walk.next()) is not None:
                walk.look_ahead()
                yield page
        finally:
            await walk.close()

    def __await__(self) -> Generator[object, None, Page[T]]:
        """Fetch the first page."""
        return self._first().__await__()

    async def collect(self) -> list[T]:
        """Fetch all items into a list."""
        items: list[T] = []
        walk = self._walk()
        try:
            while (page := await walk.next()) is not None:
                walk.look_ahead()
                items += page.data
        finally:
            await walk.close()
        return items

    async def _first(self) -> Page[T]:
        page = await self._walk().next()
        return Page([], has_more=False, next_cursor=None) if page is None else page

    def _walk(self) -> _Walk[T]:
        return _Walk(self._fetch, self._after, self._max_items, self._name)


class _Walk(Generic[T]):
    """One way through the pages: where it is, what it has seen, and the page that is on its way."""

    def __init__(self, fetch: Fetch[T], after: str | None, max_items: int | None, name: str) -> None:
        self._fetch = fetch
        self._name = name
        self._after = after
        self._left = max_items
        self._seen = set() if after is None else {after}
        self._ended = max_items == 0
        self._soon: asyncio.Handle | None = None
        self._ahead: asyncio.Task[Page[T]] | None = None

    async def next(self) -> Page[T] | None:
        """Return the next page, or None after the last."""
        self._begin_no_more()
        if self._ahead is not None:
            try:
                return await self._ahead
            finally:
                self._ahead = None
        return None if self._ended else await self._step()

    def look_ahead(self) -> None:
        """Begin to fetch the next page, if there is one, as soon as the loop has a turn.

        Where it has none, because the page is used up without waiting for anything, `next` needs no task.
        """
        if not self._ended and self._ahead is None:
            self._soon = asyncio.get_running_loop().call_soon(self._begin)

    async def close(self) -> None:
        """Stop what is on its way."""
        self._begin_no_more()
        task, self._ahead = self._ahead, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _begin(self) -> None:
        self._ahead = asyncio.create_task(self._step())
        self._ahead.add_done_callback(_look_at)

    def _begin_no_more(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    async def _step(self) -> Page[T]:
        try:
            page = await self._fetch(self._after)
            self._move(page)
        except FineTuningError as error:
            self._ended = True
            error.cursor = self._after
            if self._after is not None:
                error.add_note(f"To go on from here, list with after={self._after!r}.")
            raise
        return page if self._left is None else self._cut(page, self._left)

    def _move(self, page: Page[T]) -> None:
        """Decide from a page where to go on."""
        cursor = page.next_cursor
        if cursor is None:
            if page.has_more:
                raise PaginationError(
                    f"{self._name}: the server says that more items follow, but gives no way to reach them"
                )
            self._ended = True
        elif cursor in self._seen:
            raise PaginationError(
                f"{self._name}: the server leads back to {cursor!r}, where the iteration was before: "
                "it seems to ignore `after`"
            )
        else:
            self._seen.add(cursor)
            self._after = cursor

    def _cut(self, page: Page[T], left: int) -> Page[T]:
        self._left = left - len(page.data)
        if self._left > 0:
            return page
        self._ended = True
        if self._left == 0:
            return page
        last = getattr(page.data[left - 1], "id", None)
        return evolve(page, data=page.data[:left], has_more=True, next_cursor=last)


def _look_at(task: asyncio.Task[Page[T]]) -> None:
    # A failure that nobody comes to see would be logged by asyncio as forgotten.
    _ = task.cancelled() or task.exception()


def parse_page(cls: type[M], response: Response, *, paged: bool = True) -> Page[M]:
    """Make a page of the answer to a list request.

    The next cursor is the id of the last item, as the API's reference says; of an empty page, its `last_id`.
    Where the server does not say whether more follows, a list that is `paged` may go on, and another ends.

    Raises:
        ResponseFormatError: It is no list object, or an item does not fit.
    """
    request_id = response.request_id
    listing = read_page(cls, response.body, request_id=request_id)
    goes_on = paged and bool(listing.items) if listing.has_more is None else listing.has_more
    cursor = listing.last if goes_on and isinstance(listing.last, str) and listing.last else None
    return Page(listing.items, listing.has_more, cursor, request_id)
