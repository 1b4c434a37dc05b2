"""The loop of attempts: keys, waits, budgets, redirects, records."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from fine_tuning_async import (
    APIError,
    AttemptRecord,
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    FineTuningClient,
    InvalidArgumentError,
    RateLimitError,
    RetryPolicy,
    ServerError,
)
from tests.misbehaving import MisbehavingServer, answer, late, redirect, refused_port, silence

JOB = b'{"id": "ftjob-1", "created_at": 1, "model": "m", "status": "queued"}'


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_callable_is_asked_for_the_key_before_each_attempt() -> None:
    keys = iter(["first", "second"])

    async def provider() -> str:
        await asyncio.sleep(0)
        return next(keys)

    async with (
        MisbehavingServer([answer(503), answer(body=JOB)]) as server,
        FineTuningClient(provider, base_url=server.url) as client,
    ):
        await client.retrieve_job("ftjob-1")
        sent = [each.headers["Authorization"] for each in server.requests]
    assert sent == ["Bearer first", "Bearer second"]


async def test_an_error_of_the_key_provider_comes_out_as_it_is() -> None:
    async def provider() -> str:
        raise LookupError("no token in the vault")

    async with FineTuningClient(provider, base_url="http://127.0.0.1:9") as client:
        with pytest.raises(LookupError, match="vault"):
            await client.retrieve_job("ftjob-1")


@pytest.mark.parametrize("key", ["", None, "a\nb", b"bytes"])
async def test_a_useless_key_from_a_provider_is_refused(key: object) -> None:
    async def provider() -> str:
        return key  # type: ignore[return-value]

    async with MisbehavingServer(answer()) as server, FineTuningClient(provider, base_url=server.url) as client:
        with pytest.raises(InvalidArgumentError, match="API key"):
            await client.retrieve_job("ftjob-1")
        assert server.requests == []


async def test_a_key_provider_that_never_returns_is_given_up_and_sent_nothing() -> None:
    async def provider() -> str:
        await asyncio.sleep(10_000)
        return "late"

    async with FineTuningClient(provider, base_url="http://127.0.0.1:9") as client:
        once = client.with_options(retry=RetryPolicy(attempts=1, attempt_timeout=3))
        start = now()
        with pytest.raises(ConnectionFailed, match="no key in time") as caught:
            await once.retrieve_job("ftjob-1")
        assert now() - start == pytest.approx(3, abs=0.05)
    assert caught.value.sent is False


async def test_organisation_project_and_agent_are_sent() -> None:
    options = {"organization": "org-1", "project": "proj-1", "headers": {"X-Tenant": "blue"}}
    async with (
        MisbehavingServer(answer(body=JOB)) as server,
        FineTuningClient("k", base_url=server.url, **options) as client,  # type: ignore[arg-type]
    ):
        await client.retrieve_job("ftjob-1")
        headers = server.requests[0].headers
    assert headers["OpenAI-Organization"] == "org-1"
    assert headers["OpenAI-Project"] == "proj-1"
    assert headers["X-Tenant"] == "blue"
    assert headers["User-Agent"].startswith("fine_tuning_async/0.1.0")


async def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with MisbehavingServer(answer(body=JOB)) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "from-env")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}prefix/v1/")
        monkeypatch.setenv("OPENAI_ORG_ID", "org-env")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-env")
        async with FineTuningClient() as client:
            await client.retrieve_job("ftjob-1")
        request = server.requests[0]
    assert request.target == "/prefix/v1/fine_tuning/jobs/ftjob-1"
    assert request.headers["Authorization"] == "Bearer from-env"
    assert request.headers["OpenAI-Organization"] == "org-env"
    assert request.headers["OpenAI-Project"] == "proj-env"


@pytest.mark.parametrize("code", ["insufficient_quota", "daily_rate_limit_exceeded"])
async def test_what_waiting_does_not_help_is_not_retried(code: str) -> None:
    body = b'{"error": {"message": "no", "type": "requests", "param": null, "code": "%s"}}' % code.encode()
    async with (
        MisbehavingServer(answer(429, body=body)) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        with pytest.raises(RateLimitError) as caught:
            await client.retrieve_job("ftjob-1")
        assert len(server.requests) == 1
    assert caught.value.code == code


async def test_a_wait_longer_than_the_deadline_raises_at_once() -> None:
    async with (
        MisbehavingServer(answer(429, {"Retry-After": "3600"})) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        start = now()
        with pytest.raises(RateLimitError) as caught:
            await client.retrieve_job("ftjob-1")
        assert now() - start < 1
        assert len(server.requests) == 1
    assert caught.value.retry_after == 3600


async def test_waits_grow_and_stay_below_their_ceilings() -> None:
    records: list[AttemptRecord] = []
    policy = RetryPolicy(attempts=7, base=1.0, cap=8.0)
    async with (
        MisbehavingServer(answer(503)) as server,
        FineTuningClient("k", base_url=server.url, retry=policy, on_attempt=records.append) as client,
    ):
        with pytest.raises(ServerError):
            await client.retrieve_job("ftjob-1")
    delays = [each.delay for each in records]
    assert delays[-1] is None
    assert all(
        delay is not None and 0 <= delay <= ceiling
        for delay, ceiling in zip(delays, [1, 2, 4, 8, 8, 8], strict=False)
    )
    assert [each.attempt for each in records] == [1, 2, 3, 4, 5, 6, 7]
    assert {each.outcome for each in records} == {503}


async def test_the_budget_of_the_client_stops_a_storm() -> None:
    policy = RetryPolicy(attempts=4, budget=50)
    with refused_port() as port:
        records: list[AttemptRecord] = []
        options = {"retry": policy, "on_attempt": records.append}
        async with FineTuningClient("k", base_url=f"http://127.0.0.1:{port}", **options) as client:  # type: ignore[arg-type]
            view = client.with_options(timeout=30)
            for index in range(100):
                with pytest.raises(ConnectionFailed):
                    await (view if index % 2 else client).retrieve_job("ftjob-1")
    assert len(records) == 100 + 50 // 5


async def test_an_observer_that_raises_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: AttemptRecord) -> None:
        raise ZeroDivisionError

    async with (
        MisbehavingServer(answer(body=JOB)) as server,
        FineTuningClient("k", base_url=server.url, on_attempt=broken) as client,
    ):
        assert (await client.retrieve_job("ftjob-1")).id == "ftjob-1"
    assert "on_attempt failed" in caplog.text


async def test_a_record_says_what_happened(caplog: pytest.LogCaptureFixture) -> None:
    records: list[AttemptRecord] = []
    began = time.time()
    with caplog.at_level(logging.DEBUG, logger="fine_tuning_async"):
        async with (
            MisbehavingServer([answer(500, {"x-request-id": "req_1"}), answer(body=JOB)]) as server,
            FineTuningClient("sk-hidden", base_url=server.url, on_attempt=records.append) as client,
        ):
            await client.retrieve_job("ftjob-1")
    first, second = records
    assert (first.method, first.path, first.outcome) == ("GET", "/fine_tuning/jobs/ftjob-1", 500)
    assert first.request_id == "req_1"
    assert first.duration >= 0
    assert second.outcome == 200
    assert began - 0.1 <= first.started_at <= time.time()
    levels = [each.levelname for each in caplog.records if each.name == "fine_tuning_async"]
    assert levels == ["INFO", "DEBUG"], "what was retried is said louder"
    assert "sk-hidden" not in caplog.text


async def test_a_redirect_within_the_origin_is_followed() -> None:
    script = [redirect("/fine_tuning/jobs/ftjob-1/"), answer(body=JOB)]
    async with MisbehavingServer(script) as server, FineTuningClient("k", base_url=server.url) as client:
        await client.retrieve_job("ftjob-1")
        assert server.requests[1].target == "/fine_tuning/jobs/ftjob-1/"
        assert server.requests[1].headers["Authorization"] == "Bearer k"


async def test_a_create_follows_a_redirect_that_keeps_its_method_and_body() -> None:
    script = [redirect("/fine_tuning/jobs/", 308), answer(body=JOB)]
    async with MisbehavingServer(script) as server, FineTuningClient("k", base_url=server.url) as client:
        await client.create_job("m", "file-1")
        first, second = server.requests
    assert second.method == "POST"
    assert second.body == first.body


async def test_a_create_answered_with_see_other_may_have_been_made() -> None:
    script = [redirect("/elsewhere", 303), answer(body=JOB)]
    async with MisbehavingServer(script) as server, FineTuningClient("k", base_url=server.url) as client:
        with pytest.raises(CreateUncertainError):
            await client.create_job("m", "file-1")
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302])
async def test_a_create_does_not_follow_a_redirect_that_would_make_it_a_read(status: int) -> None:
    script = [redirect("/elsewhere", status), answer(body=JOB)]
    async with MisbehavingServer(script) as server, FineTuningClient("k", base_url=server.url) as client:
        with pytest.raises(APIError) as caught:
            await client.create_job("m", "file-1")
        assert len(server.requests) == 1
    assert caught.value.status == status


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_to_another_origin_is_followed(status: int) -> None:
    async with MisbehavingServer(answer(body=JOB)) as other:
        script = redirect(f"{other.url}v1/fine_tuning/jobs/ftjob-1", status)
        async with MisbehavingServer(script) as server, FineTuningClient("k", base_url=server.url) as client:
            with pytest.raises(APIError, match="set base_url") as caught:
                await client.retrieve_job("ftjob-1")
            assert len(server.requests) == 1
        assert other.requests == []
    assert caught.value.status == status
    assert str(other.url) in str(caught.value)


async def test_a_circle_of_redirects_ends() -> None:
    async with (
        MisbehavingServer(redirect("/round")) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        with pytest.raises(APIError):
            await client.retrieve_job("ftjob-1")
        assert len(server.requests) <= 10


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
async def test_an_ambiguous_turn_is_settled_by_looking_at_the_job(verb: str) -> None:
    status = {"cancel": "cancelled", "pause": "pausing", "resume": "running"}[verb]
    there = JOB.replace(b"queued", status.encode())
    async with (
        MisbehavingServer([answer(500), answer(body=there)]) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        job = await getattr(client, f"{verb}_job")("ftjob-1")
        assert job.status == status
        assert [each.method for each in server.requests] == ["POST", "GET"]


async def test_a_turn_that_did_not_happen_raises_what_went_wrong() -> None:
    script = [answer(502), answer(body=JOB)]
    async with MisbehavingServer(script) as server, FineTuningClient("k", base_url=server.url) as client:
        with pytest.raises(ServerError) as caught:
            await client.cancel_job("ftjob-1")
    assert any("is queued" in note for note in caught.value.__notes__)


async def test_the_error_of_an_uncertain_create_says_why_and_what_to_do() -> None:
    async with MisbehavingServer(silence()) as server, FineTuningClient("k", base_url=server.url) as client:
        with pytest.raises(CreateUncertainError, match=r"list_jobs\(\)") as caught:
            await client.create_job("gpt-4o-mini", "file-1")
        assert len(server.requests) == 1
    assert isinstance(caught.value.__cause__, ConnectionFailed)
    assert caught.value.__cause__.sent is None


async def test_a_hundred_calls_at_once_share_one_client() -> None:
    async with MisbehavingServer(answer(body=JOB)) as server, FineTuningClient("k", base_url=server.url) as client:
        jobs = await asyncio.gather(*(client.retrieve_job(f"ftjob-{n}") for n in range(100)))
        assert len(jobs) == len(server.requests) == 100


@pytest.mark.parametrize("wait", ["3600", "1e308"])
async def test_an_upload_does_not_wait_longer_than_its_timeout_because_a_server_asks(wait: str) -> None:
    script = answer(429, {"Retry-After": wait})
    async with MisbehavingServer(script) as server, FineTuningClient("k", base_url=server.url) as client:
        start = now()
        with pytest.raises(RateLimitError) as caught:
            await client.upload_file(b"{}")
        assert now() - start < 1
        assert len(server.requests) == 1
    assert caught.value.retry_after == float(wait)


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume"])
async def test_a_turn_with_its_look_afterwards_keeps_one_deadline(verb: str) -> None:
    async with (
        MisbehavingServer(silence()) as server,
        FineTuningClient("k", base_url=server.url, timeout=10) as client,
    ):
        start = now()
        with pytest.raises(DeadlineExceeded) as caught:
            await getattr(client, f"{verb}_job")("ftjob-1")
        assert now() - start == pytest.approx(10, abs=0.05)
    assert "POST" in str(caught.value)
    assert any("look at the job" in note for note in caught.value.__notes__)


async def test_a_turn_answered_by_nothing_readable_is_looked_at() -> None:
    there = JOB.replace(b"queued", b"cancelled")
    script = [answer(204), answer(body=there)]
    async with MisbehavingServer(script) as server, FineTuningClient("k", base_url=server.url) as client:
        assert (await client.cancel_job("ftjob-1")).status == "cancelled"


async def test_an_upload_that_is_redirected_late_has_its_time_again() -> None:
    file = b'{"id": "file-1", "created_at": 1, "filename": "f", "purpose": "fine-tune"}'
    script = [late(50, redirect("/v1/files/", 307)), late(50, answer(body=file))]
    async with MisbehavingServer(script) as server, FineTuningClient("k", base_url=server.url) as client:
        assert (await client.upload_file(b"{}")).id == "file-1"
        assert len(server.requests) == 2


async def test_a_cancelled_create_says_that_a_job_may_exist() -> None:
    async with MisbehavingServer(silence()) as server, FineTuningClient("k", base_url=server.url) as client:
        task = asyncio.create_task(client.create_job("m", "file-1"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    assert any("may exist" in note for note in caught.value.__notes__)
