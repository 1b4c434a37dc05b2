"""Which paths a rule of faults is about."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fine_tuning_async.server import Fault, FaultError, Faults
from fine_tuning_async.server.faults.pattern import LONGEST, Pattern


def by_expression(pattern: str, path: str) -> bool:
    meant = {"**": ".*", "*": "[^/]*"}
    parts = re.split(r"(\*\*|\*)", pattern)
    return re.fullmatch("".join(meant.get(part) or re.escape(part) for part in parts), path, re.DOTALL) is not None


@settings(max_examples=300, deadline=None)
@given(pattern=st.text("ab/*", max_size=8), path=st.text("ab/", max_size=8))
def test_a_path_is_meant_if_the_stars_can_stand_for_what_it_has(pattern: str, path: str) -> None:
    assert Pattern(pattern).covers(path) == by_expression(pattern, path)


@pytest.mark.parametrize("pattern", ["/" + "**a" * 160, "/" + "*a" * 249, "/" + "*" * 499])
def test_many_stars_take_no_time_without_end(pattern: str) -> None:
    """A regular expression would not end in this life."""
    assert not Pattern(pattern + "b").covers("/" + "a" * 8000)


def test_a_path_that_is_too_long_is_refused() -> None:
    with pytest.raises(FaultError, match=f"it may have {LONGEST} at most") as caught:
        Faults().add(Fault.reset(), path="/" * (LONGEST + 1))
    assert caught.value.param == "path"
