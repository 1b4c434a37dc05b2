"""How much of a list is wanted: the options."""

from typing import Annotated, TypedDict

from attrs import frozen
from cyclopts import Group, Parameter

LARGE_PAGE = 100
"""The most jobs or events that OpenAI gives at once; fewer cost more requests."""


class Part(TypedDict):
    """The part of a list, as arguments of the client's methods."""

    after: str | None
    limit: int | None
    max_items: int | None


@Parameter(name="*", group=Group("List", sort_key=0))
@frozen(kw_only=True)
class Paging:
    """Where a list begins and ends."""

    after: Annotated[str | None, Parameter(help="The id of the one after which to go on.")] = None
    limit: Annotated[int | None, Parameter(help="The size of a page.")] = None
    max_items: Annotated[int | None, Parameter(help="How many at most, over all pages.")] = None

    def part(self, limit: int | None = None) -> Part:
        """Return what is asked for, in pages of a size of the caller's if none was asked for."""
        return {
            "after": self.after,
            "limit": limit if self.limit is None else self.limit,
            "max_items": self.max_items,
        }
