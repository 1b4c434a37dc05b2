"""Some hundred requests by Schemathesis; `python -m tests.heavy schemathesis_cases` makes ten thousand."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.specification import ABSENT, SPEC

pytest.importorskip("schemathesis", reason="Schemathesis is not installed; it is in the extra bench")
fuzzing = pytest.importorskip("tests.fuzzing")

if TYPE_CHECKING:
    from tests.fuzzing import Outcome

pytestmark = [pytest.mark.official, pytest.mark.skipif(not SPEC.exists(), reason=ABSENT)]


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    logging.getLogger("aiohttp.server").disabled = True  # it probes with what is no HTTP
    try:
        found: Outcome = fuzzing.run(vast=False, examples=2, good=15, sequences=10)
    finally:
        logging.getLogger("aiohttp.server").disabled = False
    return found


def test_no_request_finds_anything_wrong(outcome: Outcome) -> None:
    """No 5xx, no answer out of the schema, no bad request accepted, no good one refused."""
    assert outcome.findings == []


def test_every_operation_is_reached_and_succeeds(outcome: Outcome) -> None:
    assert outcome.is_complete()
    assert outcome.cases.total() > 300
    assert {name: rate for name, rate in outcome.rates().items() if rate < 0.3} == {}
