"""The heavy runs in small, on virtual time; `python -m tests.heavy` makes them in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import LocalServer
from tests.heavy import creates, late_commits, outage
from tests.heavy._report import Report
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_creates_in_a_storm_make_one_job_each(record_property: Callable[[str, object], None]) -> None:
    server = LocalServer()
    async with mounted(server.app) as url:
        outcome = await creates.keyed(server, url, 150)
    assert outcome.jobs == dict.fromkeys(map(str, range(150)), 1)
    assert sorted(outcome.ids) == sorted(outcome.held)
    assert outcome.requests > 400, "the storm was one"
    record_property("calls made again", outcome.repeats)


async def test_commits_that_straddle_the_timeout_make_one_job_each() -> None:
    server = LocalServer()
    async with mounted(server.app) as url:
        outcome = await late_commits.straddling(server, url, 60, attempt_timeout=20.0)
    assert outcome.jobs == dict.fromkeys(map(str, range(60)), 1)
    assert sorted(outcome.ids) == sorted(outcome.held)
    assert outcome.requests == 60, "none was sent twice"


@pytest.mark.parametrize("name", outage.OUTAGES)
async def test_an_outage_is_met_with_little_more_than_a_request_a_call(name: str) -> None:
    requests = await outage.reached(outage.OUTAGES[name], 200, attempt_timeout=20.0)
    # The budget of 500 pays for 100 retries, or for 50 after a timeout.
    assert requests == (250 if name == "silence" else 300)


def test_a_broken_promise_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.tell("a thousand", 1_000)
    report.promise("a good one", kept=True)
    assert not report.broken
    report.promise("a bad one", kept=False)
    assert report.broken == ["a bad one"]
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[-1] for line in told] == ["1,000", "kept", "BROKEN"]
