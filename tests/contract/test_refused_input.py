"""What cannot be sent is refused before anything is."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from fine_tuning_async import (
    FineTuningClient,
    InvalidArgumentError,
)
from tests.misbehaving import MisbehavingServer, answer
from tests.serving import KEY, mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


MODEL = "gpt-4o-mini"
JOB = b'{"id": "ftjob-1", "created_at": 1, "model": "m", "status": "queued"}'


@asynccontextmanager
async def untouched() -> AsyncIterator[FineTuningClient]:
    """A client, and a server that must see the last, good request alone."""
    async with MisbehavingServer(answer(200, {}, JOB)) as server:
        async with FineTuningClient(KEY, base_url=str(server.url)) as client:
            yield client
            assert server.connections == 0
            assert (await client.retrieve_job("ftjob-1")).id == "ftjob-1"
        assert len(server.requests) == 1


BAD_IDS: list[Any] = ["", "a/b", ".", "..", "a\r\nX-B: 1", "a b", "a\x00", "\ud800", None, 5, b"a", ["a"]]
TAKES_AN_ID = ["retrieve_job", "cancel_job", "pause_job", "resume_job", "list_events", "list_checkpoints"]


@pytest.mark.parametrize("name", TAKES_AN_ID)
@pytest.mark.parametrize("bad", BAD_IDS)
async def test_what_cannot_be_an_id_is_refused(name: str, bad: object) -> None:
    async with untouched() as client:
        with pytest.raises(InvalidArgumentError, match="job_id"):
            await getattr(client, name)(bad)


@pytest.mark.parametrize("strange", ["a?b", "a#b", "a%2Fb", "ä", "a;b=c", "%2e%2e", "a:b@c"])
async def test_a_strange_id_arrives_as_one_segment(strange: str) -> None:
    async def look(request: web.Request) -> web.Response:
        seen.append((request.match_info["id"], dict(request.query)))
        return web.Response(body=JOB)

    seen: list[tuple[str, dict[str, str]]] = []
    app = web.Application()
    app.router.add_get("/v1/fine_tuning/jobs/{id}", look)
    async with mounted(app) as url, FineTuningClient(KEY, base_url=url) as client:
        await client.retrieve_job(strange)
    assert seen == [(strange, {})]


@pytest.mark.parametrize(
    "options",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": True},
        {"limit": 1.5},
        {"limit": "5"},
        {"max_items": -1},
        {"max_items": True},
        {"max_items": 2.0},
        {"after": ""},
        {"after": 5},
    ],
)
@pytest.mark.parametrize("name", ["list_jobs", "list_events", "list_checkpoints"])
async def test_what_a_list_cannot_take_is_refused_at_once(name: str, options: dict[str, Any]) -> None:
    arguments = [] if name == "list_jobs" else ["ftjob-1"]
    async with untouched() as client:
        with pytest.raises(InvalidArgumentError, match=next(iter(options))):
            getattr(client, name)(*arguments, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"suffix": ""},
        {"suffix": "x" * 65},
        {"seed": -1},
        {"seed": 2**31},
        {"seed": True},
        {"metadata": {"k": 5}},
        {"metadata": {str(number): "v" for number in range(17)}},
        {"metadata": {"k" * 65: "v"}},
        {"metadata": {"k": "v" * 513}},
        {"method": "supervised"},
        {"integrations": [{}] * 6},
        {"hyperparameters": 5},
        {"extra_body": {"model": "other"}},
        {"validation_file": ""},
    ],
)
async def test_what_a_create_cannot_take_is_refused(options: dict[str, Any]) -> None:
    async with untouched() as client:
        with pytest.raises(InvalidArgumentError):
            await client.create_job(MODEL, "file-1", **options)


@pytest.mark.parametrize(("model", "file"), [("", "file-1"), ("m", ""), (None, "file-1"), ("m", 5)])
async def test_a_create_needs_a_model_and_a_file(model: Any, file: Any) -> None:
    async with untouched() as client:
        with pytest.raises(InvalidArgumentError):
            await client.create_job(model, file)


@pytest.mark.parametrize("method", ["FETCH", "", "GET /", "G\r\nET", "CONNECT", "TRACE"])
async def test_request_refuses_an_unknown_method(method: str) -> None:
    async with untouched() as client:
        with pytest.raises(InvalidArgumentError, match="method"):
            await client.request(method, "/models")


@pytest.mark.parametrize(
    "path",
    [
        "/../admin",
        "/files/../../admin",
        "/files/%2e%2e/x",
        "/files/%2E./x",
        "/.",
        "/a\\..\\b",
        "https://elsewhere.example/v1",
        "//elsewhere.example/v1",
        "/files?limit=1",
        "/files#top",
        "/fi les",
        "/files\r\nX-B: 1",
        "/files\x00",
        None,
        5,
    ],
)
async def test_request_refuses_a_path_that_leads_elsewhere(path: Any) -> None:
    async with untouched() as client:
        with pytest.raises(InvalidArgumentError, match="path"):
            await client.request("GET", path)


BAD_HEADERS: list[dict[Any, Any]] = [
    {"X-A": "a\r\nX-B: b"},
    {"X-A": "a\nb"},
    {"X-A": "a\rb"},
    {"X-A": "a\x00b"},
    {"X-A\r\nX-B": "a"},
    {"X A": "a"},
    {"X:A": "a"},
    {"": "a"},
    {"X-A": 5},
    {5: "a"},
]


@pytest.mark.parametrize("headers", BAD_HEADERS)
async def test_a_header_cannot_smuggle_another(headers: dict[Any, Any]) -> None:
    async with untouched() as client:
        with pytest.raises(InvalidArgumentError, match="header"):
            await client.request("GET", "/models", headers=headers)
        with pytest.raises(InvalidArgumentError, match="header"):
            FineTuningClient(KEY, headers=headers)


@pytest.mark.parametrize("options", [{"organization": "a\r\nX-B: b"}, {"project": "a\nX-B: b"}])
def test_organisation_and_project_cannot_smuggle_headers(options: dict[str, str]) -> None:
    with pytest.raises(InvalidArgumentError, match="header"):
        FineTuningClient(KEY, **options)  # type: ignore[arg-type]


async def test_what_json_cannot_say_is_refused() -> None:
    async with untouched() as client:
        with pytest.raises((InvalidArgumentError, TypeError)):
            await client.request("POST", "/things", json={"a": object()})
