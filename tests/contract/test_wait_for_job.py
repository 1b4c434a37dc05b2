"""wait_for_job: it comes back when the job has ended, whatever fails in between, and never later than told."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import (
    AuthenticationError,
    BadRequestError,
    ClientStateError,
    DeadlineExceeded,
    FineTuningError,
    FineTuningJob,
    InvalidArgumentError,
    JobFailed,
    NotFoundError,
    PermissionDeniedError,
    ResponseFormatError,
)
from tests.scripted_jobs import ScriptedAPI, job

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNING = job("a")
OVERSHOOT = 0.05
"""Seconds of virtual time, which passes only where somebody waits."""


def now() -> float:
    return asyncio.get_running_loop().time()


def gaps(api: ScriptedAPI) -> list[float]:
    return [later.at - earlier.at for earlier, later in pairwise(api.seen)]


def end_later(api: ScriptedAPI, seconds: float, status: str = "succeeded", **more: object) -> None:
    asyncio.get_running_loop().call_later(seconds, lambda: api.set_status("a", status, **more))


class Inbox:
    """What a wait needs of an inbox of webhooks."""

    def __init__(self) -> None:
        self.events: dict[str, asyncio.Event] = {}

    @contextmanager
    def watching(self, job_id: str, /) -> Iterator[asyncio.Event]:
        event = self.events[job_id] = asyncio.Event()
        try:
            yield event
        finally:
            del self.events[job_id]


# ------------------------------------------------------------------------------------------- how it ends


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled", "canceled"])
async def test_it_returns_the_job_whatever_its_end(status: str) -> None:
    api = ScriptedAPI(RUNNING)
    async with api.client() as client:
        end_later(api, 3600, status)
        ended = await client.wait_for_job("a")
    assert isinstance(ended, FineTuningJob)
    assert ended.status == status


@pytest.mark.parametrize("status", ["paused", "pausing", "notRunning", "resting", "Succeeded", ""])
async def test_a_status_that_is_not_known_is_not_the_end(status: str) -> None:
    api = ScriptedAPI(job("a", status))
    async with api.client() as client:
        end_later(api, 300)
        assert (await client.wait_for_job("a")).status == "succeeded"


@pytest.mark.parametrize("status", ["failed", "cancelled", "canceled"])
async def test_checked_it_raises_for_any_end_but_success(status: str) -> None:
    api = ScriptedAPI(job("a", status, error={"code": "invalid_n_examples", "message": "only 7 examples"}))
    async with api.client() as client:
        with pytest.raises(JobFailed) as raised:
            await client.wait_for_job("a", check=True)
    error = raised.value
    assert error.job.id == "a"
    assert error.job.status == status
    assert (error.code, error.message) == ("invalid_n_examples", "only 7 examples")
    assert str(error) == f"job a ended as {status}: invalid_n_examples: only 7 examples"


async def test_checked_it_returns_a_job_that_succeeded() -> None:
    api = ScriptedAPI(job("a", "succeeded"))
    async with api.client() as client:
        assert (await client.wait_for_job("a", check=True)).status == "succeeded"


@pytest.mark.parametrize("reason", [{"error": None}, {"error": {}}, {}])
async def test_a_failure_without_a_reason_says_so(reason: dict[str, object]) -> None:
    api = ScriptedAPI(job("a", "cancelled", **reason))
    async with api.client() as client:
        with pytest.raises(JobFailed, match="job a ended as cancelled: the server gives no reason") as raised:
            await client.wait_for_job("a", check=True)
    assert (raised.value.code, raised.value.message) == (None, None)


def test_a_failed_job_survives_pickling_and_copying() -> None:
    error = JobFailed(FineTuningJob("a", 1, "m", "failed"))
    error.add_note("at night")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - our own bytes
        assert type(twin) is JobFailed
        assert (str(twin), twin.job, twin.code, twin.__notes__) == (str(error), error.job, None, ["at night"])


# ------------------------------------------------------------------------------------------- when it looks


async def test_looks_grow_from_one_second_to_thirty() -> None:
    api = ScriptedAPI(RUNNING)
    async with api.client() as client:
        end_later(api, 3600)
        await client.wait_for_job("a")
    waits = gaps(api)
    assert 0.7 <= waits[0] <= 1.01
    assert all(later > earlier for earlier, later in pairwise(waits[:6]))
    assert all(20 <= wait <= 30.01 for wait in waits[10:])
    assert len(set(waits[10:])) > 50, "no two waits are alike"


async def test_looks_come_as_asked() -> None:
    api = ScriptedAPI(RUNNING)
    async with api.client() as client:
        end_later(api, 100)
        await client.wait_for_job("a", poll=7)
    assert gaps(api) == pytest.approx([7] * 15, abs=0.01)


async def test_timeout_zero_looks_once() -> None:
    api = ScriptedAPI(RUNNING)
    async with api.client() as client:
        with pytest.raises(DeadlineExceeded, match="job a did not end within 0 s: it was last seen running"):
            await client.wait_for_job("a", timeout=0)
        assert api.count("a") == 1
        api.set_status("a", "succeeded")
        assert (await client.wait_for_job("a", timeout=0)).status == "succeeded"


@pytest.mark.parametrize("seconds", [0.5, 10, 61.5])
async def test_it_ends_with_its_timeout(seconds: float) -> None:
    api = ScriptedAPI(RUNNING)
    async with api.client() as client:
        start = now()
        with pytest.raises(TimeoutError) as raised:
            await client.wait_for_job("a", timeout=seconds)
        assert seconds <= now() - start <= seconds + OVERSHOOT
        assert isinstance(raised.value, DeadlineExceeded)
        assert "last seen running" in str(raised.value)
        assert "It goes on" in str(raised.value)
        assert raised.value.sent is True
    assert api.seen[-1].at >= start + seconds - 2, "it looks once more before it gives up"
    assert all(wait > 0.1 for wait in gaps(api))


async def test_a_look_that_hangs_does_not_outlast_the_timeout() -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: "hang" if number else None
    async with api.client() as client:
        start = now()
        with pytest.raises(DeadlineExceeded, match="last seen running"):
            await client.wait_for_job("a", timeout=12)
        assert 12 <= now() - start <= 12 + OVERSHOOT


async def test_a_timeout_without_any_answer_says_why() -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: 503
    async with api.client() as client:
        with pytest.raises(
            DeadlineExceeded, match=r"its status is not known; the last look failed: .*503"
        ) as raised:
            await client.wait_for_job("a", timeout=20)
    assert getattr(raised.value.__cause__, "status", None) == 503


async def test_the_callers_own_timeout_stays_the_callers() -> None:
    async with ScriptedAPI(RUNNING).client() as client:
        with pytest.raises(TimeoutError) as raised:
            await asyncio.wait_for(client.wait_for_job("a", timeout=60), 5)
        assert type(raised.value) is TimeoutError


# ------------------------------------------------------------------------------------------- what fails


@pytest.mark.parametrize("fault", [500, 502, 503, 504, 429, 408, "drop", "hang", b"<html>busy</html>", b"[]"])
async def test_a_look_that_fails_is_repeated(fault: Any) -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: fault if 1 <= number <= 5 else None
    async with api.client() as client:
        end_later(api, 10)
        assert (await client.wait_for_job("a", timeout=600)).status == "succeeded"
    assert api.count("a") >= 7


async def test_gaps_between_failures_grow_even_where_looks_come_as_asked(caplog: pytest.LogCaptureFixture) -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: 500
    async with api.client() as client:
        with caplog.at_level(logging.INFO, "fine_tuning_async"), pytest.raises(DeadlineExceeded):
            await client.wait_for_job("a", timeout=3600, poll=0.1)
    waits = gaps(api)
    assert 0.7 <= waits[0] <= 1.01
    assert all(20 <= wait <= 30.01 for wait in waits[10:])
    assert "1 poll(s) in a row failed" in caplog.text
    told = [record.levelno for record in caplog.records if "in a row failed" in record.message]
    assert [level == logging.WARNING for level in told[:20]] == ([False] * 9 + [True]) * 2


async def test_after_a_failure_the_gaps_are_as_before() -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: 500 if number < 8 else None
    async with api.client() as client:
        end_later(api, 200)
        await client.wait_for_job("a", poll=2)
    assert gaps(api)[-10:] == pytest.approx([2] * 10, abs=0.01)


async def test_the_wait_that_a_server_asks_for_is_kept() -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: "wait 100" if number == 1 else None
    async with api.client() as client:
        end_later(api, 50)
        await client.wait_for_job("a", poll=2, timeout=300)
    assert gaps(api) == pytest.approx([2, 100], abs=0.01)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, BadRequestError), (401, AuthenticationError), (403, PermissionDeniedError), (404, NotFoundError)],
)
async def test_what_another_look_cannot_help_is_raised_at_once(status: int, error: type[Exception]) -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: status if number == 2 else None
    async with api.client() as client:
        with pytest.raises(error):
            await client.wait_for_job("a")
    assert len(api.seen) == 3


async def test_a_job_that_is_deleted_is_an_error() -> None:
    api = ScriptedAPI(RUNNING)
    async with api.client() as client:
        asyncio.get_running_loop().call_later(5, api.jobs.clear)
        with pytest.raises(NotFoundError):
            await client.wait_for_job("a")


async def test_what_cannot_be_read_again_and_again_is_an_error() -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: b"<html>welcome</html>" if number >= 5 else 500
    async with api.client() as client:
        with pytest.raises(ResponseFormatError):
            await client.wait_for_job("a")
    assert len(api.seen) == 15


async def test_what_cannot_be_read_now_and_then_is_survived() -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: b"{" if number % 2 else 503
    async with api.client() as client:
        with pytest.raises(DeadlineExceeded):
            await client.wait_for_job("a", timeout=2_000)
    assert len(api.seen) > 60


async def test_no_last_look_is_squeezed_into_the_wait_that_a_server_asks_for() -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: "wait 100" if number == 2 else None
    async with api.client() as client:
        with pytest.raises(DeadlineExceeded):
            await client.wait_for_job("a", timeout=60)
    assert len(api.seen) == 3


async def test_a_client_that_is_closed_meanwhile_is_an_error() -> None:
    async with ScriptedAPI(RUNNING).client() as client:
        waiting = asyncio.ensure_future(client.wait_for_job("a"))
        await asyncio.sleep(2)
        await client.close()
        with pytest.raises(ClientStateError):
            await waiting


# ------------------------------------------------------------------------------------------- webhooks


async def test_a_delivery_wakes_it_at_once() -> None:
    api, inbox = ScriptedAPI(RUNNING), Inbox()
    async with api.client() as client:
        waiting = asyncio.ensure_future(client.wait_for_job("a", inbox=inbox))
        await asyncio.sleep(100.5)
        assert len(api.seen) <= 6, "it polls slowly"
        api.set_status("a", "succeeded")
        inbox.events["a"].set()
        start = now()
        assert (await waiting).status == "succeeded"
        assert now() - start < OVERSHOOT
    assert not inbox.events


async def test_it_looks_at_once_and_a_lost_delivery_costs_thirty_seconds() -> None:
    api, inbox = ScriptedAPI(RUNNING), Inbox()
    async with api.client() as client:
        start = now()
        end_later(api, 95)
        await client.wait_for_job("a", inbox=inbox)
        assert 95 <= now() - start <= 126
    assert api.seen[0].at - start < OVERSHOOT
    assert all(20 <= wait <= 30.01 for wait in gaps(api))


async def test_a_delivery_ahead_of_the_servers_own_answer_is_looked_into_again() -> None:
    api, inbox = ScriptedAPI(RUNNING), Inbox()
    async with api.client() as client:
        waiting = asyncio.ensure_future(client.wait_for_job("a", inbox=inbox))
        await asyncio.sleep(50)
        inbox.events["a"].set()
        end_later(api, 2)
        start = now()
        assert (await waiting).status == "succeeded"
        assert now() - start < 5


async def test_a_delivery_during_a_look_causes_another() -> None:
    api, inbox = ScriptedAPI(RUNNING), Inbox()
    api.delay = 4
    async with api.client() as client:
        waiting = asyncio.ensure_future(client.wait_for_job("a", inbox=inbox))
        await asyncio.sleep(3)
        inbox.events["a"].set()
        await asyncio.sleep(3)
        assert len(api.seen) == 2
        api.set_status("a", "failed")
        assert (await waiting).status == "failed"


@pytest.mark.parametrize("end", ["error", "cancelled", "timeout"])
async def test_the_inbox_is_left_however_it_ends(end: str) -> None:
    api, inbox = ScriptedAPI(RUNNING), Inbox()
    async with api.client() as client:
        waiting = asyncio.ensure_future(client.wait_for_job("a", inbox=inbox, timeout=50))
        await asyncio.sleep(1)
        assert inbox.events
        if end == "error":
            api.jobs.clear()
        if end == "cancelled":
            waiting.cancel()
        with pytest.raises(asyncio.CancelledError if end == "cancelled" else FineTuningError):
            await waiting
    assert not inbox.events


# ------------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        *(({"poll": poll}, "poll") for poll in (0, -1, 1e-9, float("nan"), float("inf"), True, "1")),
        *(({"timeout": timeout}, "timeout") for timeout in (-1, float("nan"), float("inf"), True, "1")),
        ({"inbox": "whsec_"}, "inbox"),
        ({"job_id": ""}, "job_id"),
        ({"job_id": "../files"}, "job_id"),
        ({"job_id": None}, "job_id"),
    ],
)
async def test_what_cannot_be_used_is_refused(arguments: dict[str, Any], what: str) -> None:
    api = ScriptedAPI(RUNNING)
    async with api.client() as client:
        with pytest.raises(InvalidArgumentError, match=what):
            await client.wait_for_job(**{"job_id": "a", **arguments})
    assert not api.seen


@pytest.mark.parametrize("most", [None, 600.0])
async def test_an_outage_of_the_server_is_survived(most: float | None) -> None:
    api = ScriptedAPI(RUNNING)
    api.fault = lambda number, what: "drop" if 3 <= number < 20 else None
    async with api.client() as client:
        end_later(api, 60)
        assert (await client.wait_for_job("a", timeout=most)).status == "succeeded"
