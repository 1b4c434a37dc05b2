"""Reads a list page by page, no further than it is asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define, field

from fine_tuning_async.errors import PaginationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fine_tuning_async.pagination import Page

__all__ = ["Pages"]

T = TypeVar("T")


@define(eq=False)
class Pages(Generic[T]):
    """One way through a list, that fetches nothing ahead. After a failure, `next` goes on where it happened.

    Attributes:
        ended: Whether the last page was read.
    """

    _fetch: Callable[[str | None], Awaitable[Page[T]]]
    _note_progress: Callable[[], object]
    ended: bool = field(init=False, default=False)
    _cursor: str | None = field(init=False, default=None)
    _seen: set[str] = field(init=False, factory=set)

    async def next(self) -> list[T]:
        """Return the items of the next page.

        Raises:
            PaginationError: The server leads in circles.
        """
        page = await self._fetch(self._cursor)
        cursor = page.next_cursor
        if cursor is None:
            self.ended = True
        elif cursor in self._seen:
            raise PaginationError(f"the server leads back to {cursor!r}, where the reading was before")
        else:
            self._seen.add(cursor)
        self._cursor = cursor
        self._note_progress()
        return page.data
