"""Graders over connections that fail: a run is sent once, a validation as often as need be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import (
    APIError,
    ConnectionFailed,
    DeadlineExceeded,
    FineTuningClient,
    RateLimitError,
    ResponseFormatError,
    StringCheckGrader,
    to_dict,
)
from tests.misbehaving import (
    MisbehavingServer,
    answer,
    cut_body,
    cut_chunked,
    fin_after_reading,
    garbage,
    rst_after_reading,
    silence,
    stall,
)

if TYPE_CHECKING:
    from tests.misbehaving import Behaviour

EXACT = StringCheckGrader(name="exact", input="a", reference="a", operation="eq")
RUN = answer(body=b'{"reward": 1}')
VALID = answer(body=json.dumps({"grader": to_dict(EXACT)}).encode())

AMBIGUOUS = [
    pytest.param(fin_after_reading(), id="FIN"),
    pytest.param(rst_after_reading(), id="RST"),
    pytest.param(silence(), id="silence"),
    pytest.param(stall(), id="stall within the body"),
    pytest.param(cut_body(), id="body cut short"),
    pytest.param(cut_chunked(), id="chunked body cut short"),
    pytest.param(garbage(), id="garbage"),
    *(pytest.param(answer(status), id=str(status)) for status in (408, 500, 502, 503, 504, 529)),
]


@pytest.mark.parametrize("behaviour", AMBIGUOUS)
async def test_a_run_that_may_have_been_made_is_never_sent_again(behaviour: Behaviour) -> None:
    async with (
        MisbehavingServer([behaviour, RUN]) as server,
        FineTuningClient("sk-test", base_url=server.url) as client,
    ):
        with pytest.raises((ConnectionFailed, DeadlineExceeded, APIError)):
            await client.run_grader(EXACT, "x")
        assert len(server.requests) == 1
        assert (await client.run_grader(EXACT, "x")).reward == 1, "the client stays usable"


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"{}", b'{"reward": null}', b'{"reward": "high"}'])
async def test_a_run_whose_answer_cannot_be_read_is_not_made_again(body: bytes) -> None:
    async with (
        MisbehavingServer([answer(body=body), RUN]) as server,
        FineTuningClient("sk-test", base_url=server.url) as client,
    ):
        with pytest.raises(ResponseFormatError):
            await client.run_grader(EXACT, "x")
        assert len(server.requests) == 1


async def test_a_run_that_was_turned_away_is_sent_again() -> None:
    limited = answer(429, {"retry-after": "3"}, b'{"error": {"code": "rate_limit_exceeded", "message": "slow"}}')
    async with (
        MisbehavingServer([limited, RUN]) as server,
        FineTuningClient("sk-test", base_url=server.url) as client,
    ):
        assert (await client.run_grader(EXACT, "x")).reward == 1
        assert len(server.requests) == 2
    spent = answer(429, body=b'{"error": {"code": "insufficient_quota", "message": "pay"}}')
    async with MisbehavingServer(spent) as server, FineTuningClient("sk-test", base_url=server.url) as client:
        with pytest.raises(RateLimitError):
            await client.run_grader(EXACT, "x")
        assert len(server.requests) == 1


@pytest.mark.parametrize("behaviour", AMBIGUOUS)
async def test_a_validation_changes_nothing_and_is_sent_again(behaviour: Behaviour) -> None:
    async with (
        MisbehavingServer([behaviour, VALID]) as server,
        FineTuningClient("sk-test", base_url=server.url) as client,
    ):
        assert await client.validate_grader(EXACT) == EXACT
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"reward": 0.5}',
        b'{"reward": 1, "metadata": null, "sub_rewards": null, "model_grader_token_usage_per_model": null}',
        b'{"reward": 1, "metadata": {}}',
        b'{"reward": 1, "metadata": {"errors": {}, "token_usage": 12}}',
        b'{"reward": 1, "metadata": {"errors": null, "token_usage": {"total_tokens": 12}, "scores": null}}',
        b'{"reward": 1, "metadata": {"errors": {"other_error": null}, "name": null, "execution_time": 1}}',
    ],
)
async def test_an_answer_that_leaves_fields_out_or_has_nulls_is_read(body: bytes) -> None:
    async with (
        MisbehavingServer(answer(body=body)) as server,
        FineTuningClient("sk-test", base_url=server.url) as client,
    ):
        run = await client.run_grader(EXACT, "x")
        assert run.reward in {0.5, 1}
