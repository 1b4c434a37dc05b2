"""FineTuningClient.azure: where requests go, what authorises them, and whose environment is read."""

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from fine_tuning_async import (
    AuthenticationError,
    CreateUncertainError,
    FineTuningClient,
    FineTuningError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitError,
    RetryPolicy,
)
from tests.misbehaving import MisbehavingServer, answer
from tests.on_azure import JOB, KEY, TOKEN, azure, everything_about, keys, token

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINT = "https://my-resource.openai.azure.com"
FILE = b'{"id": "file-1", "status": "pending", "bytes": 2, "created_at": 1, "filename": "f", "purpose": "p"}'
DATED = "2024-10-21"

# ------------------------------------------------------------------------------------------- where it goes


@pytest.mark.parametrize(
    ("path", "version", "target"),
    [
        ("", None, "/openai/v1/fine_tuning/jobs/ftjob-1"),
        ("/", None, "/openai/v1/fine_tuning/jobs/ftjob-1"),
        ("/openai", None, "/openai/v1/fine_tuning/jobs/ftjob-1"),
        ("/openai/", "", "/openai/v1/fine_tuning/jobs/ftjob-1"),
        ("/openai/v1", None, "/openai/v1/fine_tuning/jobs/ftjob-1"),
        ("/OpenAI/v1/", None, "/openai/v1/fine_tuning/jobs/ftjob-1"),
        ("", "v1", "/openai/v1/fine_tuning/jobs/ftjob-1?api-version=v1"),
        ("/openai/v1/", "preview", "/openai/v1/fine_tuning/jobs/ftjob-1?api-version=preview"),
        ("", DATED, f"/openai/fine_tuning/jobs/ftjob-1?api-version={DATED}"),
        ("/openai/", "2025-04-01-preview", "/openai/fine_tuning/jobs/ftjob-1?api-version=2025-04-01-preview"),
        ("/team/a", None, "/team/a/openai/v1/fine_tuning/jobs/ftjob-1"),
        ("/team/a/openai/", DATED, f"/team/a/openai/fine_tuning/jobs/ftjob-1?api-version={DATED}"),
        ("/api/projects/p", "v1", "/api/projects/p/openai/v1/fine_tuning/jobs/ftjob-1?api-version=v1"),
        ("/openai/team", None, "/openai/team/openai/v1/fine_tuning/jobs/ftjob-1"),
    ],
)
async def test_both_shapes_of_url(path: str, version: str | None, target: str) -> None:
    async with azure(path=path, api_version=version) as (client, server):
        assert (await client.retrieve_job("ftjob-1")).status == "pending"
        assert server.requests[0].target == target


async def test_every_kind_of_request_says_the_version(tmp_path: Path) -> None:
    empty, created = answer(200, {}, b'{"data": [], "has_more": false}'), answer(201, {"Location": "/x"}, JOB)
    page = b'{"data": [{"id": "a", "created_at": 1, "model": "m", "status": "s"}], "has_more": true}'
    file = answer(201, {}, FILE)
    script = [created, answer(200, {}, page), empty, file, answer(204), answer(200, {}, b"content"), empty]
    async with azure(*script, api_version=DATED) as (client, server):
        assert (await client.create_job("m", "file-1")).id == "ftjob-1"
        assert len(await client.list_jobs(limit=1, metadata={"a": "b"}).collect()) == 1
        assert (await client.upload_file(b"{}")).status == "pending"
        assert (await client.delete_file("file-1")).deleted
        assert (await client.download_file("file-1", tmp_path / "f")).read_bytes() == b"content"
        await client.request("GET", "/files", params={"limit": "1"})
    version = f"api-version={DATED}"
    assert [f"{each.method} {each.target}" for each in server.requests] == [
        f"POST /openai/fine_tuning/jobs?{version}",
        f"GET /openai/fine_tuning/jobs?{version}&metadata%5Ba%5D=b&limit=1",
        f"GET /openai/fine_tuning/jobs?{version}&metadata%5Ba%5D=b&limit=1&after=a",
        f"POST /openai/files?{version}",
        f"DELETE /openai/files/file-1?{version}",
        f"GET /openai/files/file-1/content?{version}",
        f"GET /openai/files?{version}&limit=1",
    ]
    assert all(keys(each) == {"api-key": KEY} for each in server.requests)


async def test_a_request_may_ask_for_a_version_of_its_own() -> None:
    async with azure(api_version=DATED) as (client, server):
        await client.request("GET", "/files", params={"api-version": "2025-04-01-preview"})
        assert server.requests[0].target == "/openai/files?api-version=2025-04-01-preview"


async def test_a_list_of_files_without_pages_ends() -> None:
    """The dated versions know no `after` for files, and do not say has_more: the answer is always the same."""
    files = answer(200, {}, b'{"object": "list", "data": [%b, %b]}' % (FILE, FILE.replace(b"-1", b"-2")))
    async with azure(files, api_version=DATED) as (client, server):
        assert [each.id async for each in client.list_files()] == ["file-1", "file-2"]
        assert [each.id for each in await client.with_options(timeout=5).list_files().collect()] == [
            "file-1",
            "file-2",
        ]
        assert len(server.requests) == 2


async def test_views_keep_the_place_and_the_version() -> None:
    async with azure(api_version=DATED) as (client, server):
        await client.with_options(timeout=5, headers={"X-Team": "a"}).retrieve_job("ftjob-1")
        assert server.requests[0].target == f"/openai/fine_tuning/jobs/ftjob-1?api-version={DATED}"
        assert server.requests[0].headers["X-Team"] == "a"
        assert keys(server.requests[0]) == {"api-key": KEY}


# ------------------------------------------------------------------------------------------- what authorises it


async def test_a_token_is_asked_for_before_each_attempt_and_sent_as_a_bearer() -> None:
    given = iter(["one", "two", "three"])

    async def rotating() -> str:
        return next(given)

    async with azure(answer(503), answer(200, {}, JOB), token_provider=rotating) as (client, server):
        await client.retrieve_job("ftjob-1")
        await client.retrieve_job("ftjob-1")
    assert [keys(each) for each in server.requests] == [
        {"Authorization": f"Bearer {each}"} for each in ("one", "two", "three")
    ]


@pytest.mark.official
async def test_azure_identitys_token_provider_fits() -> None:
    aio = pytest.importorskip("azure.identity.aio", reason="the extra bench is not installed")
    tokens = pytest.importorskip("azure.core.credentials")

    class Credential:
        async def get_token(self, *scopes: str, **_: object) -> Any:
            return tokens.AccessToken(f"token for {scopes[0]}".replace(" ", "-"), 2**40)

        async def get_token_info(self, *scopes: str, options: object = None) -> Any:
            return tokens.AccessTokenInfo(f"token for {scopes[0]}".replace(" ", "-"), 2**40)

    provider = aio.get_bearer_token_provider(Credential(), "https://ai.azure.com/.default")
    async with azure(token_provider=provider) as (client, server):
        await client.retrieve_job("ftjob-1")
    assert keys(server.requests[0]) == {"Authorization": "Bearer token-for-https://ai.azure.com/.default"}


async def test_a_view_takes_a_key_or_a_callable_that_gives_tokens() -> None:
    async with azure() as (client, server):
        await client.with_options(api_key=token).retrieve_job("ftjob-1")
        await client.with_options(api_key="another-key").retrieve_job("ftjob-1")
        await client.with_options(api_key=token).with_options(api_key="third").retrieve_job("ftjob-1")
        await client.retrieve_job("ftjob-1")
    assert [keys(each) for each in server.requests] == [
        {"Authorization": f"Bearer {TOKEN}"},
        {"api-key": "another-key"},
        {"api-key": "third"},
        {"api-key": KEY},
    ]


def test_a_view_without_a_key_is_told_where_azure_looks_for_one() -> None:
    with pytest.raises(InvalidArgumentError, match="AZURE_OPENAI_API_KEY"):
        FineTuningClient.azure(ENDPOINT, KEY).with_options(api_key="")


async def test_a_provider_that_is_not_async_is_told_where_to_find_one() -> None:
    provider: Any = lambda: TOKEN  # noqa: E731 - as short as the mistake
    async with azure(token_provider=provider) as (client, server):
        with pytest.raises(
            InvalidArgumentError, match=r"token_provider .* not async.* azure.identity.aio"
        ) as caught:
            await client.retrieve_job("ftjob-1")
        assert server.connections == 0
    assert all(TOKEN not in text for text in everything_about(caught.value))


async def test_a_provider_that_is_silent_costs_an_attempt() -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    async with azure(token_provider=never) as (client, server):
        with pytest.raises(FineTuningError, match="token_provider callable gave no key in time"):
            await client.retrieve_job("ftjob-1")
        assert server.connections == 0


@pytest.mark.parametrize("session_has", ["default headers", "the user's environment", "nothing"])
@pytest.mark.parametrize("by", ["key", "token"])
async def test_what_a_borrowed_session_would_authorise_with_is_replaced(session_has: str, by: str) -> None:
    options: dict[str, dict[str, Any]] = {
        "default headers": {"headers": {"Authorization": "Bearer sk-of-openai", "api-key": "another"}},
        "the user's environment": {"trust_env": True},
        "nothing": {},
    }
    chosen: dict[str, Any] = {"api_key": KEY} if by == "key" else {"token_provider": token}
    async with (
        aiohttp.ClientSession(**options[session_has]) as session,
        azure(session=session, **chosen) as (client, server),
    ):
        await client.retrieve_job("ftjob-1")
    assert keys(server.requests[0]) == ({"api-key": KEY} if by == "key" else {"Authorization": f"Bearer {TOKEN}"})


# ------------------------------------------------------------------------------------------- the environment


def openais(patch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "BASE_URL", "ORG_ID", "PROJECT_ID", "ADMIN_KEY", "WEBHOOK_SECRET"):
        patch.setenv(f"OPENAI_{name}", "http://openai.invalid/v1" if name == "BASE_URL" else f"of-openai-{name}")


async def test_nothing_of_openais_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    openais(monkeypatch)
    async with azure() as (client, server):
        await client.retrieve_job("ftjob-1")
    assert keys(server.requests[0]) == {"api-key": KEY}
    with pytest.raises(InvalidArgumentError, match="AZURE_OPENAI_API_KEY"):
        FineTuningClient.azure(ENDPOINT)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    with pytest.raises(InvalidArgumentError, match="AZURE_OPENAI_ENDPOINT"):
        FineTuningClient.azure()


async def test_what_is_left_out_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    openais(monkeypatch)
    async with MisbehavingServer(answer(200, {}, JOB)) as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", str(server.url))
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_API_VERSION", DATED)

        async def sent(**options: Any) -> tuple[str, dict[str, str]]:
            async with FineTuningClient.azure(**options) as client:
                await client.retrieve_job("a")
            return server.requests[-1].target, keys(server.requests[-1])

        v1 = "/openai/v1/fine_tuning/jobs/a"
        assert await sent() == (f"/openai/fine_tuning/jobs/a?api-version={DATED}", {"api-key": KEY})
        monkeypatch.setenv("AZURE_OPENAI_API_VERSION", "preview")
        assert await sent() == (f"{v1}?api-version=preview", {"api-key": KEY})
        assert await sent(api_version="", api_key="mine") == (v1, {"api-key": "mine"})
        monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", TOKEN)
        assert await sent(api_version="") == (v1, {"Authorization": f"Bearer {TOKEN}"})
        assert await sent(api_version="", api_key="mine") == (v1, {"api-key": "mine"})
        assert await sent(api_version="", token_provider=token) == (v1, {"Authorization": f"Bearer {TOKEN}"})


def test_azures_variables_do_not_reach_openais_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", ENDPOINT)
    with pytest.raises(InvalidArgumentError, match="OPENAI_API_KEY"):
        FineTuningClient()
    assert repr(FineTuningClient("k")) == "FineTuningClient(base_url='https://api.openai.com/v1')"


# ------------------------------------------------------------------------------------------- construction


def test_a_subclass_makes_one_of_its_own() -> None:
    class Mine(FineTuningClient):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.made = True

    client = Mine.azure(ENDPOINT, KEY, timeout=5, on_attempt=print)
    assert type(client) is Mine
    assert client.made
    assert repr(client) == f"Mine(base_url='{ENDPOINT}/openai/v1')"
    assert client._pipeline.timeout == 5


BAD: list[tuple[dict[str, Any], str]] = [
    ({"api_key": None}, "AZURE_OPENAI_API_KEY"),
    ({"api_key": ""}, "AZURE_OPENAI_API_KEY"),
    ({"api_key": f"{KEY}\n"}, "strip it"),
    ({"api_key": 5}, "AZURE_OPENAI_API_KEY"),
    ({"api_key": token}, "an async callable is a token_provider"),
    ({"token_provider": token}, "exclude each other"),
    ({"api_key": None, "token_provider": TOKEN}, "an async callable is a token_provider"),
    ({"endpoint": ""}, "AZURE_OPENAI_ENDPOINT"),
    ({"endpoint": "my-resource"}, "endpoint 'my-resource' is no http"),
    ({"endpoint": "https://:x@my-resource.openai.azure.com"}, "endpoint holds credentials"),
    ({"endpoint": f"{ENDPOINT}/?api-version={DATED}"}, "endpoint has a query"),
    ({"endpoint": f"{ENDPOINT}/openai/deployments/gpt-4o"}, "leads to a deployment"),
    ({"endpoint": f"{ENDPOINT}/openai/v1/", "api_version": DATED}, "leads to /openai/v1, which has no version"),
    ({"api_version": "2024"}, "api_version is '2024'"),
    ({"api_version": "v2"}, "api_version is 'v2'"),
    ({"api_version": f"{DATED}&x=y"}, "api_version is"),
    ({"api_version": 20241021}, "api_version is 20241021"),
    ({"timeout": 0}, "timeout"),
    ({"retry": 3}, "retry"),
    ({"session": 1}, "session"),
    ({"headers": {"api-key": "x"}}, "the header Api-Key is the client's own"),
    ({"headers": {"AUTHORIZATION": "x"}}, "the header Authorization is the client's own"),
]


@pytest.mark.parametrize(("options", "said"), BAD)
def test_what_cannot_be_used_is_refused_without_showing_the_key(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=said) as caught:
        FineTuningClient.azure(**{"endpoint": ENDPOINT, "api_key": KEY, **options})
    assert all(KEY not in text for text in everything_about(caught.value))
    gc.collect(0)  # a coroutine that was never awaited, or a session that is open


def test_a_token_of_the_environment_that_cannot_be_sent_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", f"{TOKEN}\n")
    with pytest.raises(InvalidArgumentError, match="strip it") as caught:
        FineTuningClient.azure(ENDPOINT)
    assert all(TOKEN not in text for text in everything_about(caught.value))


async def test_no_request_and_no_view_may_bring_a_key_of_its_own() -> None:
    async with azure() as (client, server):
        for name in ("api-key", "Api-Key", "authorization"):
            with pytest.raises(InvalidArgumentError, match="the client's own"):
                client.with_options(headers={name: "x"})
            with pytest.raises(InvalidArgumentError, match="the client's own"):
                await client.request("GET", "/files", headers={name: "x"})
        assert server.connections == 0


def test_plain_http_to_another_machine_warns_whoever_asked_for_it() -> None:
    with pytest.warns(UserWarning, match="plain http") as caught:
        FineTuningClient.azure("http://10.0.0.1", KEY)
    assert [each.filename for each in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FineTuningClient.azure("http://localhost:8080", KEY)


# ------------------------------------------------------------------------------------------- Azure's answers


async def test_azures_429_is_waited_out_by_its_milliseconds() -> None:
    body = b'{"error": {"code": "429", "message": "Requests have exceeded the rate limit. Please retry."}}'
    busy = answer(429, {"retry-after-ms": "7000", "apim-request-id": "apim-1"}, body)
    async with azure(busy, answer(201, {}, JOB)) as (client, server):
        start = asyncio.get_running_loop().time()
        assert (await client.create_job("m", "file-1")).id == "ftjob-1"
        assert asyncio.get_running_loop().time() - start >= 7
        assert len(server.requests) == 2
    async with azure(busy, retry=RetryPolicy(attempts=1)) as (client, _):
        with pytest.raises(RateLimitError) as caught:
            await client.retrieve_job("ftjob-1")
    error = caught.value
    assert (error.code, error.type, error.request_id, error.retry_after) == ("429", None, "apim-1", 7.0)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, {"error": {"code": "401", "message": "Access denied"}}, AuthenticationError, "401"),
        (401, {"statusCode": 401, "message": "Unauthorized. Access token is missing"}, AuthenticationError, None),
        (404, {"error": {"code": "404", "message": "Resource not found"}}, NotFoundError, "404"),
        (404, {"error": {"code": "notFound", "message": "gone", "innererror": {}}}, NotFoundError, "notFound"),
    ],
)
async def test_azures_errors_are_read(status: int, body: object, kind: type[Any], code: str | None) -> None:
    async with azure(answer(status, {"apim-request-id": "a"}, json.dumps(body).encode())) as (client, _):
        with pytest.raises(kind) as caught:
            await client.retrieve_job("ftjob-1")
    assert (caught.value.code, caught.value.request_id) == (code, "a")
    assert caught.value.message.split(".")[0] in {"Access denied", "Unauthorized", "Resource not found", "gone"}


async def test_a_create_that_may_have_arrived_is_not_sent_again() -> None:
    async with azure(answer(504)) as (client, server):
        with pytest.raises(CreateUncertainError):
            await client.create_job("m", "file-1")
        assert len(server.requests) == 1
