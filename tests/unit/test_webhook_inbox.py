"""The inbox without any HTTP: each delivery is handled once, and wakes those who wait for its job."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import InvalidArgumentError, WebhookEvent, WebhookInbox, WebhookVerificationError
from tests.deliveries import SECRET, body_of, signed

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = body_of()


class Service:
    """Handles events, as slowly as its gate opens, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.seen: list[WebhookEvent] = []
        self.begun = 0
        self.failures = failures
        self.gate = asyncio.Event()
        self.gate.set()

    async def handle(self, event: WebhookEvent) -> None:
        self.begun += 1
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the service is out of order")
        self.seen.append(event)


async def test_a_new_event_is_handed_on_and_a_repeat_is_not() -> None:
    service = Service()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    found = await inbox.deliver(BODY, signed(BODY))
    assert found is not None
    assert found.job_id == "ftjob-1"
    # A repeat has a new timestamp, and so a new signature.
    assert await inbox.deliver(BODY, signed(BODY, age=60)) is None
    assert await inbox.deliver(BODY.decode(), {k.upper(): v for k, v in signed(BODY).items()}) is None
    assert service.seen == [found]


async def test_the_same_event_under_another_id_is_another_delivery() -> None:
    service = Service()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    await inbox.deliver(BODY, signed(BODY, "wh_1"))
    await inbox.deliver(BODY, signed(BODY, "wh_2"))
    assert len(service.seen) == 2


async def test_without_a_callback_the_event_is_what_deliver_returns() -> None:
    inbox = WebhookInbox(SECRET)
    assert isinstance(await inbox.deliver(BODY, signed(BODY)), WebhookEvent)
    assert await inbox.deliver(BODY, signed(BODY)) is None


async def test_an_event_of_another_type_is_handed_on() -> None:
    service, body = Service(), body_of(type="batch.completed", data={"id": "batch_1"})
    await WebhookInbox(SECRET, on_event=service.handle).deliver(body, signed(body))
    assert [event.type for event in service.seen] == ["batch.completed"]


async def test_a_forged_delivery_reaches_nobody_and_is_not_remembered() -> None:
    service = Service()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    with inbox.watching("ftjob-1") as news:
        with pytest.raises(WebhookVerificationError):
            await inbox.deliver(BODY, {**signed(b"forged"), "webhook-id": "wh_1"})
        assert not news.is_set()
        assert not service.begun
        assert await inbox.deliver(BODY, signed(BODY)) is not None


async def test_what_was_not_handled_is_handled_when_it_comes_again() -> None:
    service = Service(failures=2)
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="out of order"):
            await inbox.deliver(BODY, signed(BODY))
    assert await inbox.deliver(BODY, signed(BODY)) is not None
    assert await inbox.deliver(BODY, signed(BODY)) is None
    assert (service.begun, len(service.seen)) == (3, 1)


async def test_copies_that_arrive_at_once_are_handled_once() -> None:
    service = Service()
    service.gate.clear()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    copies = [asyncio.create_task(inbox.deliver(BODY, signed(BODY))) for _ in range(5)]
    await asyncio.sleep(1)
    assert service.begun == 1
    assert not any(copy.done() for copy in copies)
    service.gate.set()
    answers = await asyncio.gather(*copies)
    assert [answer is None for answer in answers] == [False, True, True, True, True]
    assert len(service.seen) == 1


async def test_a_copy_takes_over_when_the_first_one_fails() -> None:
    service = Service(failures=1)
    service.gate.clear()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    copies = [asyncio.create_task(inbox.deliver(BODY, signed(BODY))) for _ in range(3)]
    await asyncio.sleep(1)
    service.gate.set()
    answers = await asyncio.gather(*copies, return_exceptions=True)
    assert isinstance(answers[0], RuntimeError)
    assert sorted(type(answer).__name__ for answer in answers[1:]) == ["NoneType", "WebhookEvent"]
    assert (service.begun, len(service.seen)) == (2, 1)


async def test_a_cancelled_delivery_was_not_handled() -> None:
    service = Service()
    service.gate.clear()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    first, second, third = (asyncio.create_task(inbox.deliver(BODY, signed(BODY))) for _ in range(3))
    await asyncio.sleep(1)
    third.cancel()
    first.cancel()
    await asyncio.wait([first, third])
    service.gate.set()
    assert await second is not None
    assert first.cancelled()
    assert third.cancelled()
    assert (service.begun, len(service.seen)) == (2, 1)


async def test_who_waits_for_a_copy_and_leaves_disturbs_nobody() -> None:
    service = Service()
    service.gate.clear()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    first, second = (asyncio.create_task(inbox.deliver(BODY, signed(BODY))) for _ in range(2))
    await asyncio.sleep(1)
    second.cancel()
    await asyncio.wait([second])
    service.gate.set()
    assert await first is not None
    assert await inbox.deliver(BODY, signed(BODY)) is None


async def test_one_slow_event_does_not_hold_the_others() -> None:
    service = Service()
    service.gate.clear()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    first = asyncio.create_task(inbox.deliver(BODY, signed(BODY, "wh_1")))
    other = asyncio.create_task(inbox.deliver(BODY, signed(BODY, "wh_2")))
    await asyncio.sleep(1)
    assert service.begun == 2
    service.gate.set()
    await asyncio.gather(first, other)


async def test_the_last_deliveries_are_remembered_and_no_more() -> None:
    inbox = WebhookInbox(SECRET, remember=2)

    async def is_new(delivery_id: str) -> bool:
        return await inbox.deliver(BODY, signed(BODY, delivery_id)) is not None

    assert [await is_new(each) for each in ("a", "b", "a", "c")] == [True, True, False, True]
    # `a` came again after `b`, so that `b` made room for `c`.
    assert [await is_new(each) for each in ("a", "c", "b")] == [False, False, True]


async def test_a_delivery_that_is_too_large_is_refused() -> None:
    inbox = WebhookInbox(SECRET, max_body=len(BODY))
    larger = BODY + b" "
    with pytest.raises(WebhookVerificationError, match=f"larger than {len(BODY)} bytes"):
        await inbox.deliver(larger, signed(larger))
    assert await inbox.deliver(BODY, signed(BODY)) is not None
    with pytest.raises(WebhookVerificationError, match="larger than 1,048,576 bytes"):
        await WebhookInbox(SECRET).deliver(bytes(2**20 + 1), {})


@pytest.mark.parametrize("wrong", [{"max_body": 0}, {"remember": 0}, {"remember": -1}])
def test_a_bound_is_above_zero(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="at least 1"):
        WebhookInbox(SECRET, **wrong)


def test_an_inbox_shows_no_secret() -> None:
    inbox = WebhookInbox(SECRET)
    assert SECRET.removeprefix("whsec_") not in repr(inbox) + repr(vars(inbox))


def test_an_inbox_needs_no_loop_and_goes_along_from_one_to_the_next() -> None:
    inbox = WebhookInbox(SECRET)

    async def deliver() -> bool:
        return await inbox.deliver(BODY, signed(BODY)) is not None

    assert [asyncio.run(deliver()) for _ in range(2)] == [True, False]


# -- who waits for a job -----------------------------------------------------------------------------------------


async def test_all_who_wait_for_a_job_are_woken_and_nobody_else() -> None:
    inbox = WebhookInbox(SECRET)
    with inbox.watching("ftjob-1") as one, inbox.watching("ftjob-1") as two, inbox.watching("ftjob-2") as other:
        await inbox.deliver(BODY, signed(BODY))
        assert (one.is_set(), two.is_set(), other.is_set()) == (True, True, False)


async def test_a_waiter_that_clears_its_event_is_woken_by_the_next_delivery() -> None:
    inbox = WebhookInbox(SECRET)
    with inbox.watching("ftjob-1") as news:
        for number in range(3):
            await inbox.deliver(BODY, signed(BODY, f"wh_{number}"))
            await asyncio.wait_for(news.wait(), 1)
            news.clear()
        await inbox.deliver(BODY, signed(BODY, "wh_0"))
        assert not news.is_set(), "a repeat is no news"


async def test_waiters_are_woken_even_if_the_service_fails() -> None:
    inbox = WebhookInbox(SECRET, on_event=Service(failures=1).handle)
    with inbox.watching("ftjob-1") as news:
        with pytest.raises(RuntimeError):
            await inbox.deliver(BODY, signed(BODY))
        assert news.is_set()


async def test_waiters_are_woken_before_the_service_is_done() -> None:
    service = Service()
    service.gate.clear()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    with inbox.watching("ftjob-1") as news:
        delivery = asyncio.create_task(inbox.deliver(BODY, signed(BODY)))
        await asyncio.wait_for(news.wait(), 1)
        service.gate.set()
        await delivery


async def test_nothing_is_left_of_a_waiter() -> None:
    inbox = WebhookInbox(SECRET)
    with pytest.raises(ZeroDivisionError), inbox.watching("ftjob-1"), inbox.watching("ftjob-1") as news:
        raise ZeroDivisionError
    await inbox.deliver(BODY, signed(BODY))
    assert not news.is_set()
    assert not inbox._watchers._of


async def test_waiting_needs_a_running_loop_from_the_start() -> None:
    inbox = WebhookInbox(SECRET)

    def outside() -> None:
        with pytest.raises(RuntimeError, match="no running event loop"), inbox.watching("ftjob-1"):
            pass

    await asyncio.to_thread(outside)
    assert not inbox._watchers._of


@pytest.mark.real_time
async def test_a_delivery_in_another_thread_wakes_a_waiter() -> None:
    asyncio.get_running_loop().set_debug(True)  # it then tells of a call that is not thread-safe
    inbox = WebhookInbox(SECRET)
    with inbox.watching("ftjob-1") as news:
        waiting = asyncio.create_task(news.wait())
        await asyncio.sleep(0)
        assert await asyncio.to_thread(asyncio.run, _delivered(inbox)) is not None
        await asyncio.wait_for(waiting, 10)


@pytest.mark.real_time
async def test_a_copy_in_another_thread_waits_too() -> None:
    service = Service()
    service.gate.clear()
    inbox = WebhookInbox(SECRET, on_event=service.handle)
    first = asyncio.create_task(inbox.deliver(BODY, signed(BODY)))
    await asyncio.sleep(0)
    assert service.begun == 1
    copy = asyncio.create_task(asyncio.to_thread(asyncio.run, _delivered(inbox)))
    done, _ = await asyncio.wait([copy], timeout=0.2)
    assert not done
    service.gate.set()
    assert await first is not None
    assert await copy is None


@pytest.mark.real_time
async def test_a_waiter_whose_loop_is_closed_is_passed_over() -> None:
    inbox = WebhookInbox(SECRET)
    stuck: list[object] = []

    async def wait_and_be_left() -> None:
        block = inbox.watching("ftjob-1")
        block.__enter__()
        stuck.append(block)

    await asyncio.to_thread(asyncio.run, wait_and_be_left())
    with inbox.watching("ftjob-1") as news:
        assert await inbox.deliver(BODY, signed(BODY)) is not None
        assert news.is_set()


@pytest.mark.real_time
async def test_many_threads_at_once_handle_a_delivery_once() -> None:
    seen: list[str] = []
    start = threading.Barrier(4, timeout=10)

    async def handle(event: WebhookEvent) -> None:
        await asyncio.sleep(0)
        seen.append(event.id)

    inbox = WebhookInbox(SECRET, on_event=handle)

    def deliver() -> list[WebhookEvent | None]:
        start.wait()
        return [asyncio.run(_delivered(inbox, f"wh_{number}")) for number in range(20)]

    calls: list[Callable[[], list[WebhookEvent | None]]] = [deliver] * 4
    results = await asyncio.gather(*(asyncio.to_thread(call) for call in calls))
    assert sum(answer is not None for result in results for answer in result) == 20
    assert len(seen) == 20


async def _delivered(inbox: WebhookInbox, delivery_id: str = "wh_1") -> WebhookEvent | None:
    return await inbox.deliver(BODY, signed(BODY, delivery_id))
