"""Neither Azure's key nor a token is shown by an error, or goes to another origin."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import FineTuningError
from tests.misbehaving import MisbehavingServer, answer, redirect, silence
from tests.on_azure import JOB, KEY, TOKEN, azure, everything_about, keys, token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.misbehaving import Behaviour

ECHO = json.dumps({"error": {"code": "401", "message": f"Access denied for {KEY} and {TOKEN}"}}).encode()
FAILURES = [
    answer(401, {"x-echo": KEY + TOKEN}, ECHO),
    answer(200, {}, KEY.encode() + TOKEN.encode()),
    answer(503, {"apim-request-id": KEY + TOKEN}, ECHO),
    redirect("http://127.0.0.2:9/"),
    silence(),
]


@pytest.mark.parametrize("behaviour", FAILURES)
@pytest.mark.parametrize("call", ["retrieve", "create", "upload", "download"])
@pytest.mark.parametrize("by", ["key", "token"])
async def test_neither_key_nor_token_is_shown_by_an_error(
    behaviour: Behaviour, call: str, by: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    chosen: dict[str, Any] = {"api_key": KEY} if by == "key" else {"token_provider": token}
    secret = KEY if by == "key" else TOKEN
    async with azure(behaviour, **chosen) as (client, _):
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "retrieve": lambda: client.retrieve_job("ftjob-1"),
            "create": lambda: client.create_job("m", "file-1"),
            "upload": lambda: client.upload_file(b"{}"),
            "download": lambda: client.download_file("file-1", tmp_path / "f"),
        }
        if call == "download" and behaviour is FAILURES[1]:
            return  # whatever a file holds is content
        with pytest.raises(FineTuningError) as caught:
            await calls[call]()
        for each in (client, client._pipeline, vars(client)):
            assert secret not in repr(each)
    assert all(secret not in text for text in everything_about(caught.value))
    assert secret.encode() not in pickle.dumps(caught.value)
    assert secret not in caplog.text


async def test_no_key_crosses_a_redirect_of_a_download(tmp_path: Path) -> None:
    async with MisbehavingServer(answer(200, {}, b"content")) as storage:
        elsewhere = str(storage.url).replace("127.0.0.1", "localhost")
        for chosen in ({"api_key": KEY}, {"token_provider": token}):
            async with azure(redirect(f"{elsewhere}blob?sig=x"), **chosen) as (client, server):
                await client.download_file("file-1", tmp_path / "f")
                assert keys(server.requests[0])
    assert [keys(each) for each in storage.requests] == [{}, {}]


async def test_no_key_crosses_a_redirect_of_a_call() -> None:
    async with MisbehavingServer(answer(200, {}, JOB)) as other:
        elsewhere = str(other.url).replace("127.0.0.1", "localhost")
        async with azure(redirect(elsewhere)) as (client, _):
            with pytest.raises(FineTuningError, match="not followed"):
                await client.retrieve_job("ftjob-1")
    assert other.connections == 0
