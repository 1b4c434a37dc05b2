"""What a command prints, as tables for people or as JSON lines for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Annotated, TypeAlias, TypeVar

from attrs import define, field, frozen
from cyclopts import Group, Parameter

from fine_tuning_async._codec import to_dict
from fine_tuning_async.errors import FineTuningError
from fine_tuning_async.models import WireObject
from fine_tuning_async.models._base import wire_names
from fine_tuning_async.pagination import Paginator

from .cells import cell, value_at
from .failure import Misuse
from .nouns import Noun
from .output import complain, harmless, harmless_json, tell
from .tables import Table, details

M = TypeVar("M", bound=WireObject)

GROUP = Group("Output", sort_key=1)
AsJSON: TypeAlias = Annotated[
    bool, Parameter(group=GROUP, help="One JSON object a line, whole, as the server sent it.")
]


@Parameter(name="*", group=GROUP)
@frozen(kw_only=True)
class Printing:
    """Whether people or programs read what is printed."""

    json: AsJSON = False
    columns: Annotated[
        str | None, Parameter(help="Fields to show, separated by commas, as in id,status,metadata.team.")
    ] = None

    def rows(self, noun: Noun) -> "Rows":
        """Return what writes things of one kind.

        Raises:
            Misuse: The columns name nothing.
        """
        names = [name.strip() for name in (self.columns or noun.columns).split(",")]
        if not all(names):
            raise Misuse(f"--columns is {self.columns!r}; it is names of fields, separated by commas")
        return Rows(noun, names, self.json)

    def one(self, model: WireObject, noun: Noun) -> None:
        """Print one thing with all its fields, or with those that were asked for."""
        if self.json or self.columns:
            self.rows(noun).write([model])
        else:
            fields = to_dict(model).items()
            details([(harmless(name), cell(name, value)) for name, value in fields if name != "object"])

    async def all(self, listing: Paginator[M], noun: Noun) -> None:
        """Print a list page by page, of which two are held at most."""
        rows = self.rows(noun)
        try:
            async for page in listing.pages():
                rows.write(page.data)
        except FineTuningError as error:
            if error.cursor is not None and not rows.empty:
                error.add_note(f"What is printed is whole; to go on behind it, add: --after {quote(error.cursor)}")
            raise
        if rows.empty and not self.json:
            complain("there are none")


@define
class Rows:
    """Writes things of one kind.

    Attributes:
        empty: Whether nothing was written yet.
    """

    noun: Noun
    columns: Sequence[str]
    as_json: bool
    empty: bool = field(init=False, default=True)
    _table: Table = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._table = Table(self.columns)

    def write(self, models: Sequence[WireObject]) -> None:
        """Write some, at once."""
        documents = [to_dict(model) for model in models]
        if not documents:
            return
        if self.as_json:
            write_json(documents)
        else:
            if self.empty:
                self._check(documents[0])
            self._table.write([[cell(name, value_at(each, name)) for name in self.columns] for each in documents])
        self.empty = False

    def _check(self, example: Mapping[str, object]) -> None:
        """Refuse a column that nothing of this kind has, before its emptiness is taken for an answer."""
        known = {*wire_names(self.noun.cls), *example}
        for column in self.columns:
            if column.partition(".")[0] not in known:
                raise Misuse(f"there is no column {column!r}; there are {', '.join(sorted(known))}")


def write_json(documents: Sequence[Mapping[str, object]]) -> None:
    """Write JSON objects, one a line; in ASCII, where the output takes no Unicode."""
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    lines = (json.dumps(each, ensure_ascii=plain, separators=(",", ":")) for each in documents)
    tell(*map(harmless_json, lines))
