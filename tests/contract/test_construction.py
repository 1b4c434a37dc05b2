"""A client is made of what can be used, and of nothing else."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from fine_tuning_async import (
    FineTuningClient,
    InvalidArgumentError,
    RetryPolicy,
)
from tests.contract.test_refused_input import untouched
from tests.misbehaving import MisbehavingServer, answer
from tests.serving import KEY

JOB = b'{"id": "ftjob-1", "created_at": 1, "model": "m", "status": "running"}'


def test_there_must_be_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgumentError, match="OPENAI_API_KEY"):
        FineTuningClient()
    monkeypatch.setenv("OPENAI_API_KEY", "")
    with pytest.raises(InvalidArgumentError, match="OPENAI_API_KEY"):
        FineTuningClient()


@pytest.mark.parametrize("key", ["sk-a\n", "sk-a\r\nX-B: 1", " sk-a", "sk-ä", "sk-\x00", "", " ", 5, b"sk-a"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: Any) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        FineTuningClient(key)
    assert not isinstance(key, str) or not key.strip() or key.strip() not in str(raised.value)


@pytest.mark.parametrize("key", ["sk-a\n", "", None, 5])
async def test_a_callable_that_gives_no_key_is_told_so(key: Any) -> None:
    async def provider() -> str:
        given: str = key
        return given

    async with untouched() as client:
        with pytest.raises(InvalidArgumentError, match="key"):
            await client.with_options(api_key=provider).retrieve_job("ftjob-1")


@pytest.mark.parametrize(
    "url",
    [
        "api.openai.com/v1",
        "//api.openai.com",
        "ftp://api.openai.com",
        "https://",
        "https://user:secret@api.openai.com/v1",
        "https://user@api.openai.com/v1",
        "https://api.openai.com/v1?key=secret",
        "https://api.openai.com/v1#top",
        "https://api.openai.com:99999/v1",
        "https://api.openai.com/v 1",
        "https://api.openai.com/v1\r\n",
        "https://[::1/v1",
        5,
    ],
)
def test_a_base_url_that_is_none_is_refused(url: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="base_url") as raised:
        FineTuningClient(KEY, base_url=url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), True, "5", None])
def test_a_timeout_is_a_number_of_seconds_above_zero(timeout: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout"):
        FineTuningClient(KEY, timeout=timeout)


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"attempts": True},
        {"attempt_timeout": 0},
        {"attempt_timeout": float("nan")},
        {"base": -1},
        {"cap": 0},
        {"budget": 0},
    ],
)
def test_a_retry_policy_has_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        RetryPolicy(**options)


async def test_the_environment_says_what_the_caller_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async with MisbehavingServer(answer(200, {}, JOB)) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}base/")
        monkeypatch.setenv("OPENAI_ORG_ID", "org-env")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-env")
        async with FineTuningClient() as client:
            await client.retrieve_job("a")
        async with FineTuningClient(KEY, organization="org", project="proj") as client:
            await client.retrieve_job("b")
        names = ("Authorization", "OpenAI-Organization", "OpenAI-Project")
        assert [[each.headers[name] for name in names] for each in server.requests] == [
            ["Bearer sk-env", "org-env", "proj-env"],
            [f"Bearer {KEY}", "org", "proj"],
        ]
        assert [each.target for each in server.requests] == [f"/base/fine_tuning/jobs/{name}" for name in "ab"]


def test_plain_http_to_another_machine_warns() -> None:
    with pytest.warns(UserWarning, match="plain http"):
        FineTuningClient(KEY, base_url="http://10.0.0.1/v1")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "api.localhost", "127.8.8.8"])
def test_plain_http_to_this_machine_does_not_warn(host: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FineTuningClient(KEY, base_url=f"http://{host}:8080/v1")
