"""The table of old and new calls: what it names is there."""

from __future__ import annotations

import re
from operator import attrgetter
from pathlib import Path

import pytest

import fine_tuning_async
from fine_tuning_async import FineTuningClient

PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text("utf-8")


def rows(heading: str) -> list[tuple[str, str]]:
    """Return the rows of the table under a heading, its own header left out."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [(old.strip(), new.strip()) for old, new in cells[1:]]


def calls(cell: str) -> list[str]:
    """Return the dotted names that a cell calls; one that begins with a dot is beside the one before it."""
    found: list[str] = []
    for name in re.findall(r"`([\w.]+)\(", cell):
        found.append(found[-1].rpartition(".")[0] + name if name.startswith(".") else name)
    return found


NEW = [name for _, new in rows("Old and new calls") for name in calls(new)]
ERRORS = [(re.findall(r"`(\w+)`", old), re.findall(r"`(\w+)`", new)) for old, new in rows("Errors")]
OLD = [name for old, _ in rows("Old and new calls") for name in calls(old)]


@pytest.mark.parametrize("name", dict.fromkeys(NEW))
def test_a_new_call_is_one_of_the_clients_or_a_public_function(name: str) -> None:
    home = fine_tuning_async if name.partition(".")[0] in fine_tuning_async.__all__ else FineTuningClient
    assert callable(attrgetter(name)(home))


def test_every_method_of_the_client_is_in_the_table() -> None:
    methods = {name for name in dir(FineTuningClient) if not name.startswith("_")} - {"azure", "close"}
    assert methods <= set(NEW)


def test_the_errors_are_there_under_their_new_names() -> None:
    ours = [name for old, new in ERRORS for name in (new[:1] or old)]
    assert len(ours) > 10
    assert set(ours) <= set(fine_tuning_async.__all__)


@pytest.mark.official
def test_the_old_names_are_those_of_the_official_client() -> None:
    openai = pytest.importorskip("openai", reason="the official client comes with the extra `bench`")
    client = openai.AsyncOpenAI(api_key="any key")
    for name in OLD:
        assert callable(attrgetter(name)(openai if name[0].isupper() else client)), name
    assert not [name for old, _ in ERRORS for name in old if not hasattr(openai, name)]
