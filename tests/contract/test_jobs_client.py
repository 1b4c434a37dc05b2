"""The client's operations on jobs against the local server, and requests of any kind."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import (
    NO_METADATA,
    TERMINAL_STATUSES,
    APIError,
    BadRequestError,
    ConnectionFailed,
    FineTuningClient,
    FineTuningJob,
    JobStatus,
    Method,
    NotFoundError,
    ResponseFormatError,
    RetryPolicy,
)
from tests.contract.personas import OPENAI, local
from tests.misbehaving import MisbehavingServer, answer
from tests.serving import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fine_tuning_async.server import LocalServer
    from tests.contract.personas import Persona

MODEL = "gpt-4o-mini"
JOB = b'{"id": "ftjob-1", "created_at": 1, "model": "m", "status": "running"}'


def examples(count: int = 10) -> bytes:
    turns = [{"role": "user", "content": "a question"}, {"role": "assistant", "content": "an answer"}]
    return b"\n".join(json.dumps({"messages": turns}).encode() for _ in range(count))


async def training_file(client: FineTuningClient) -> str:
    return (await client.upload_file(examples(), filename="train.jsonl")).id


# ------------------------------------------------------------------------------------------- the operations


async def test_a_job_is_created_with_all_that_was_said(persona: Persona) -> None:
    async with local(persona) as (client, server):
        file_id, other = await training_file(client), await training_file(client)
        job = await client.create_job(
            MODEL,
            file_id,
            validation_file=other,
            method=Method.supervised(n_epochs=2),
            suffix="mine",
            seed=7,
            metadata={"team": "a"},
        )
        assert isinstance(job, FineTuningJob)
        assert (job.training_file, job.validation_file, job.seed) == (file_id, other, 7)
        assert job.metadata == persona.kept({"team": "a"})
        assert job.status == persona.status(JobStatus.VALIDATING_FILES)
        assert not job.is_terminal
        sent = server.requests[-1]
        assert (sent.method, sent.path) == ("POST", f"{persona.base}/fine_tuning/jobs")
        assert isinstance(sent.json, dict)
        assert sent.json["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
        assert sent.json["suffix"] == "mine"
        assert await client.retrieve_job(job.id) == job


async def test_what_was_not_said_is_not_sent(persona: Persona) -> None:
    async with local(persona) as (client, server):
        file_id = await training_file(client)
        await client.create_job(MODEL, file_id)
        assert server.requests[-1].json == {"model": MODEL, "training_file": file_id}


async def test_a_job_is_cancelled_and_cannot_be_cancelled_again(persona: Persona) -> None:
    async with local(persona) as (client, _):
        job = await client.create_job(MODEL, await training_file(client))
        cancelled = await client.cancel_job(job.id)
        assert (cancelled.id, cancelled.status) == (job.id, persona.status(JobStatus.CANCELLED))
        assert cancelled.is_terminal
        with pytest.raises(BadRequestError):
            await client.cancel_job(job.id)


async def running(client: FineTuningClient, server: LocalServer) -> FineTuningJob:
    job = await client.create_job(MODEL, await training_file(client))
    for _ in range(60):
        if (job := await client.retrieve_job(job.id)).status == JobStatus.RUNNING:
            return job
        server.advance(10)
    raise AssertionError(f"the job is {job.status}")


async def test_a_job_is_paused_and_resumed(persona: Persona) -> None:
    async with local(persona) as (client, server):
        job = await running(client, server)
        assert (await client.pause_job(job.id)).status in {JobStatus.PAUSING, JobStatus.PAUSED}
        server.advance(minutes=5)
        assert (await client.retrieve_job(job.id)).status == JobStatus.PAUSED
        assert (await client.resume_job(job.id)).status in {JobStatus.QUEUED, JobStatus.RUNNING}
        server.finish(job.id)
        done = await client.retrieve_job(job.id)
        assert done.status in TERMINAL_STATUSES
        assert done.fine_tuned_model is not None
        with pytest.raises(BadRequestError):
            await client.resume_job(job.id)
        with pytest.raises(BadRequestError):
            await client.pause_job(job.id)


async def test_events_and_checkpoints_are_listed_newest_first_through_every_page(persona: Persona) -> None:
    async with local(persona) as (client, server):
        job = await client.create_job(MODEL, await training_file(client))
        server.finish(job.id)
        events = await client.list_events(job.id, limit=3).collect()
        assert len(events) > 6
        assert len({event.id for event in events}) == len(events)
        assert [event.created_at for event in events] == sorted((e.created_at for e in events), reverse=True)
        first, last = persona.first_and_last_event
        assert events[-1].message.startswith(first)
        assert events[0].message == last
        assert [event.id async for event in client.list_events(job.id)] == [event.id for event in events]
        rest = await client.list_events(job.id, after=events[2].id, max_items=4).collect()
        assert rest == events[3:7]
        checkpoints = await client.list_checkpoints(job.id, limit=1).collect()
        assert [each.step_number for each in checkpoints] == sorted(
            (each.step_number for each in checkpoints), reverse=True
        )
        assert len(checkpoints) > 1
        finished = await client.retrieve_job(job.id)
        assert checkpoints[0].fine_tuned_model_checkpoint == finished.fine_tuned_model


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.retrieve_job("ftjob-none"),
        lambda client: client.cancel_job("ftjob-none"),
        lambda client: client.pause_job("ftjob-none"),
        lambda client: client.resume_job("ftjob-none"),
        lambda client: client.list_events("ftjob-none").collect(),
        lambda client: client.list_checkpoints("ftjob-none").collect(),
    ],
)
async def test_an_unknown_job_is_not_found(
    call: Callable[[FineTuningClient], Coroutine[Any, Any, object]],
    persona: Persona,
) -> None:
    async with local(persona) as (client, server):
        with pytest.raises(NotFoundError, match="Could not find fine tune") as raised:
            await call(client)
        assert raised.value.code == persona.code(404, "fine_tune_not_found")
        assert raised.value.request_id
        assert len(server.requests) == 1


async def test_a_cursor_that_names_nothing_is_the_servers_error_with_its_cursor(persona: Persona) -> None:
    async with local(persona) as (client, _):
        with pytest.raises(BadRequestError) as raised:
            await client.list_jobs(after="ftjob-none").collect()
        assert raised.value.cursor == "ftjob-none"


async def test_a_wrong_key_is_told(persona: Persona) -> None:
    async with local(persona) as (client, _):
        kind, said = persona.refusal
        with pytest.raises(kind, match=said):
            await client.with_options(api_key="sk-invalid").retrieve_job("ftjob-1")


# ------------------------------------------------------------------------------------------- metadata


async def test_jobs_are_filtered_by_metadata_or_by_having_none(persona: Persona) -> None:
    async with local(persona) as (client, server):
        file_id = await training_file(client)
        made = {}
        for name, metadata in {
            "a1": {"team": "a", "run": "1"},
            "a2": {"team": "a", "run": "2"},
            "odd": {"x[y]=&z": "ä &=1"},
            "none": None,
            "empty": {},
        }.items():
            made[name] = (await client.create_job(MODEL, file_id, metadata=metadata)).id

        async def names(**options: Any) -> set[str]:
            found = {job.id async for job in client.list_jobs(limit=1, **options)}
            return {name for name, each in made.items() if each in found}

        assert await names() == set(made)
        assert await names(metadata={}) == set(made)
        with_some = {"a1", "a2", "odd"} if persona.keeps_metadata else set()
        assert await names(metadata={"team": "a"}) == {"a1", "a2"} & with_some
        assert await names(metadata={"team": "a", "run": "2"}) == {"a2"} & with_some
        assert await names(metadata={"team": "A"}) == set()
        assert await names(metadata={"x[y]=&z": "ä &=1"}) == {"odd"} & with_some
        assert await names(metadata=NO_METADATA) == set(made) - with_some
        assert server.requests[-1].query["metadata"] == "null"


# ------------------------------------------------------------------------------------------- any request


async def test_request_reaches_what_has_no_method(persona: Persona) -> None:
    async with local(persona) as (client, server):
        file_id = await training_file(client)
        made = [(await client.create_job(MODEL, file_id)).id for _ in range(3)]
        query = {"limit": "1", "after": made[1]}
        answer = await client.request("get", "/fine_tuning/jobs", params=query)
        assert answer.status == 200
        assert answer.request_id
        assert answer.headers["Content-Type"].startswith("application/json")
        document = answer.json()
        assert isinstance(document, dict)
        assert json.loads(answer.body) == document
        assert [each["id"] for each in document["data"]] == made[:1]
        assert server.requests[-1].query == persona.query(**query)


async def test_request_sends_json_and_headers() -> None:
    async with MisbehavingServer(answer(201, {"X-Request-Id": "r"}, b"{}")) as server:
        base = f"{server.url}v1/"
        async with FineTuningClient(KEY, base_url=base, headers={"X-A": "1", "X-B": "1"}) as client:
            got = await client.request("POST", "some/thing", json={"ä": [1, None]}, headers={"X-B": "2"})
        assert (got.status, got.request_id, got.json()) == (201, "r", {})
        sent = server.requests[0]
        assert (sent.method, sent.target) == ("POST", "/v1/some/thing")
        assert json.loads(sent.body) == {"ä": [1, None]}
        assert sent.headers["Content-Type"] == "application/json"
        assert (sent.headers["X-A"], sent.headers.getall("X-B")) == ("1", ["2"])


@pytest.mark.parametrize(
    ("method", "times"),
    [("GET", 4), ("HEAD", 4), ("OPTIONS", 4), ("PUT", 4), ("DELETE", 4), ("POST", 1), ("PATCH", 1)],
)
async def test_request_sends_again_only_what_a_server_answers_alike(method: str, times: int) -> None:
    async with MisbehavingServer(answer(503)) as server, FineTuningClient(KEY, base_url=str(server.url)) as client:
        with pytest.raises(APIError):
            await client.request(method, "/things")
        assert [each.method for each in server.requests] == [method] * times


async def test_request_raises_as_every_call_does(persona: Persona) -> None:
    async with local(persona) as (client, _):
        with pytest.raises(NotFoundError) as raised:
            await client.request("GET", "/nothing/here")
        assert raised.value.code == persona.unknown_url


async def test_a_json_answer_that_is_none_is_read_when_it_is_asked_for() -> None:
    page = answer(200, {}, b"<html>")
    async with MisbehavingServer(page) as server, FineTuningClient(KEY, base_url=str(server.url)) as client:
        got = await client.request("GET", "/page")
        assert got.body == b"<html>"
        with pytest.raises(ResponseFormatError):
            got.json()


# ------------------------------------------------------------------------------------------- calls of every kind


async def test_a_broken_observer_does_not_break_the_call(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[object] = []

    def observe(record: object) -> None:
        seen.append(record)
        raise ZeroDivisionError

    async with (
        MisbehavingServer([answer(503), answer(200, {}, JOB)]) as server,
        FineTuningClient(KEY, base_url=str(server.url), on_attempt=observe) as client,
    ):
        assert (await client.retrieve_job("ftjob-1")).id == "ftjob-1"
    assert [record.outcome for record in seen] == [503, 200]  # type: ignore[attr-defined]
    assert caplog.text.count("on_attempt failed") == 2
    assert KEY not in caplog.text


async def test_many_calls_at_once_are_all_answered() -> None:
    async with local(OPENAI) as (client, _):
        job = await client.create_job(MODEL, await training_file(client))
        jobs = await asyncio.gather(*(client.retrieve_job(job.id) for _ in range(150)))
        assert {each.id for each in jobs} == {job.id}


async def test_nothing_listens_there() -> None:
    async with FineTuningClient(KEY, base_url="http://127.0.0.1:1/v1", retry=RetryPolicy(attempts=1)) as client:
        with pytest.raises(ConnectionFailed, match="not reached") as raised:
            await client.create_job(MODEL, "file-1")
        assert raised.value.sent is False
