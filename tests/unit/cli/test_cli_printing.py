"""Tables and JSON lines: what is printed, and when."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import from_dict
from fine_tuning_async.cli.cells import cell, value_at
from fine_tuning_async.cli.nouns import FILES
from fine_tuning_async.cli.printing import Printing
from fine_tuning_async.cli.tables import Table
from fine_tuning_async.models import File
from fine_tuning_async.pagination import Page, Paginator

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES, SIZE = 50, 4


def file(number: int, **more: object) -> File:
    return from_dict(
        File, {"id": f"file-{number:03}", "created_at": 0, "filename": "x", "purpose": "fine-tune", **more}
    )


class Watched(io.StringIO):
    """A stdout that notes how far a list was fetched when something was written."""

    def __init__(self, fetched: Callable[[], int]) -> None:
        super().__init__()
        self._fetched = fetched
        self.notes: list[int] = []

    def write(self, text: str) -> int:
        self.notes.append(self._fetched())
        return super().write(text)


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_list_is_printed_while_it_comes_a_page_held_ahead(
    as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = 0

    async def fetch(_: str | None) -> Page[File]:
        nonlocal fetched
        files = [file(fetched * SIZE + each) for each in range(SIZE)]
        fetched += 1
        assert fetched <= PAGES
        return Page(files, fetched < PAGES, files[-1].id if fetched < PAGES else None)

    with monkeypatch.context() as patch:
        stdout = Watched(lambda: fetched)
        patch.setattr(sys, "stdout", stdout)
        await Printing(json=as_json).all(Paginator(fetch), FILES)
    assert len(stdout.getvalue().splitlines()) == PAGES * SIZE + (not as_json)
    assert all(seen <= page + 2 for page, seen in enumerate(stdout.notes))


def test_json_is_lossless_in_utf_8_and_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"id": "file-1", "created_at": 0, "filename": "é😀", "purpose": "p", "new": {"n": 1.0, "z": None}}
    for encoding in ("utf-8", "ascii"):
        raw = io.BytesIO()
        stdout = io.TextIOWrapper(raw, encoding=encoding)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stdout)
            Printing(json=True).one(from_dict(File, data), FILES)
        written = raw.getvalue().decode(encoding)
        stdout.detach()
        assert json.loads(written) == data
        assert written.count("\n") == 1


def test_columns_grow_with_later_pages_and_never_shrink(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(["id", "n"])
    table.write([["a", "1"]])
    table.write([["longer", "2"], ["界界", "3"]])
    table.write([["b", "4"]])
    assert capsys.readouterr().out.splitlines() == [
        "id  n",
        "a   1",
        "longer  2",
        "界界    3",
        "b       4",
    ]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("id", None, "-"),
        ("id", "", "-"),
        ("created_at", 0, "1970-01-01 00:00:00"),
        ("created_at", 10**15, "1000000000000000"),
        ("bytes", 10**15, "1000000000000000"),
        ("deleted", True, "true"),
        ("metrics.train_loss", 0.1 + 0.2, "0.3"),
        ("metadata", {"a": "é"}, '{"a": "é"}'),
        ("message", "a\tb\nc\x07\u202e", "a b c\\x07\\u202e"),
    ],
)
def test_cells(name: str, value: object, text: str) -> None:
    assert cell(name, value) == text


def test_a_path_leads_through_objects_only() -> None:
    document = {"method": {"type": "dpo"}, "list": [1]}
    assert value_at(document, "method.type") == "dpo"
    assert value_at(document, "method.type.more") is None
    assert value_at(document, "list.0") is None
