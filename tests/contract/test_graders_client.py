"""The client's graders against the local server, and what it refuses before sending."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import (
    BadRequestError,
    FineTuningClient,
    GraderErrors,
    InvalidArgumentError,
    LabelModelGrader,
    Method,
    MultiGrader,
    PythonGrader,
    SamplingParams,
    ScoreModelGrader,
    StringCheckGrader,
    TextSimilarityGrader,
    UnknownGrader,
    from_dict,
    to_dict,
)
from tests.contract.personas import OPENAI, local
from tests.misbehaving import MisbehavingServer, answer

if TYPE_CHECKING:
    from fine_tuning_async import Grader
    from tests.contract.personas import Persona

SAID, WANTED = "{{sample.output_text}}", "{{item.answer}}"
EXACT = StringCheckGrader(name="exact", input=SAID, reference=WANTED, operation="eq")
CLOSE = TextSimilarityGrader(name="close", input=SAID, reference=WANTED, evaluation_metric="fuzzy_match")
SCORE = ScoreModelGrader(
    name="score",
    model="gpt-5-mini",
    input=[{"role": "user", "content": SAID}],
    sampling_params=SamplingParams(temperature=0, seed=1, max_completions_tokens=9, reasoning_effort="low"),
    range=[0, 10],
)
LABEL = LabelModelGrader(
    name="label",
    model="gpt-4o",
    input=[{"role": "user", "content": SAID}],
    labels=["good", "bad"],
    passing_labels=["good"],
)
BOTH = MultiGrader(
    name="both", graders={"exact": EXACT, "close": CLOSE}, calculate_output="0.5 * exact + 0.5 * close"
)


async def test_a_grader_scores_a_sample(persona: Persona) -> None:
    async with local(persona) as (client, server):
        run = await client.run_grader(EXACT, "42", item={"answer": "42"})
        assert run.reward == 1
        assert run.metadata is not None
        assert (run.metadata.name, run.metadata.type) == ("exact", "string_check")
        assert run.metadata.errors is not None
        assert run.metadata.errors.raised == []
        assert run.sub_rewards == {}
        mixed = await client.run_grader(BOTH, "41", item={"answer": "42"})
        assert (mixed.reward, mixed.sub_rewards) == (0.25, {"exact": 0.0, "close": 0.5})
        assert [each.path for each in server.requests] == [f"{persona.base}/fine_tuning/alpha/graders/run"] * 2


async def test_a_mapping_does_as_well_and_item_may_be_left_out(persona: Persona) -> None:
    async with local(persona) as (client, server):
        run = await client.run_grader({**to_dict(EXACT), "reference": "42"}, "42")
        assert run.reward == 1
        assert b"item" not in server.requests[-1].body
        assert (await client.run_grader(EXACT, "42", item={})).reward == 0


async def test_what_went_wrong_is_told_by_its_name(persona: Persona) -> None:
    async with local(persona) as (client, _):
        run = await client.run_grader(EXACT, "42", item={"question": "6 * 7"})
        assert run.reward == 0
        assert run.metadata is not None
        assert run.metadata.errors is not None
        assert run.metadata.errors.invalid_variable_error is True
        assert run.metadata.errors.raised == ["invalid_variable_error"]


def test_a_flag_that_is_not_known_is_raised_too() -> None:
    errors = from_dict(
        GraderErrors, {"other_error": True, "new_error": True, "new_details": "x", "old_error": False}
    )
    assert errors.raised == ["other_error", "new_error"]


@pytest.mark.parametrize("grader", [EXACT, CLOSE, SCORE, BOTH, PythonGrader(name="p", source="def grade(): ...")])
async def test_a_valid_grader_comes_back(grader: Grader, persona: Persona) -> None:
    async with local(persona) as (client, server):
        assert await client.validate_grader(grader) == grader
        assert await client.validate_grader(to_dict(grader)) == grader
        assert server.requests[-1].path == f"{persona.base}/fine_tuning/alpha/graders/validate"


async def test_a_grader_that_the_server_refuses_is_refused_alike_for_a_job(persona: Persona) -> None:
    wrong = MultiGrader(name="m", graders={"exact": EXACT}, calculate_output="exact + close")
    async with local(persona) as (client, _):
        with pytest.raises(BadRequestError, match="no grader is named 'close'") as caught:
            await client.validate_grader(wrong)
        assert caught.value.param == persona.param("grader.calculate_output")
        with pytest.raises(BadRequestError, match="no grader is named 'close'") as caught:
            await client.create_job("o4-mini", "file-1", method=Method.reinforcement(wrong))
        assert caught.value.param == persona.param("method.reinforcement.grader.calculate_output")
        with pytest.raises(BadRequestError, match="Supported values are"):
            await client.validate_grader(LABEL)  # the specification has it only within a multi grader
        with pytest.raises(BadRequestError):
            await client.run_grader(UnknownGrader(type="regex", name="x"), "42")


async def test_a_server_that_adds_to_a_grader_is_believed() -> None:
    body = b'{"grader": {"type": "python", "name": "p", "source": "s", "image_tag": "2025-05-08", "new": [1]}}'
    async with (
        MisbehavingServer(answer(body=body)) as server,
        FineTuningClient("sk-test", base_url=server.url) as client,
    ):
        grader = await client.validate_grader(PythonGrader(name="p", source="s"))
        assert isinstance(grader, PythonGrader)
        assert grader.image_tag == "2025-05-08"
        assert grader.extra == {"new": [1]}


@pytest.mark.parametrize("body", [b"{}", b'{"grader": null}', b'{"valid": true}'])
async def test_a_server_that_says_no_more_than_that_it_is_valid_gives_back_what_was_sent(body: bytes) -> None:
    async with (
        MisbehavingServer(answer(body=body)) as server,
        FineTuningClient("sk-test", base_url=server.url) as client,
    ):
        assert await client.validate_grader({**to_dict(EXACT), "new": 1}) == EXACT


@pytest.mark.parametrize(
    ("grader", "complaint"),
    [
        (None, "grader is None; it must be a grader"),
        ("exact", "grader is 'exact'; it must be a grader"),
        (Method("dpo"), "it must be a grader"),
        ({}, "grader has no type"),
        ({"type": None, "name": "n"}, "grader has no type"),
        (UnknownGrader(name="n"), "grader has no type"),
        ({"type": "string_check", "name": "n"}, "grader has no field 'input'"),
        ({**to_dict(EXACT), "name": 7}, "grader.name should be a string"),
        ({**to_dict(EXACT), "operation": "gt"}, "grader.operation is 'gt'; it must be one of 'eq'"),
        (
            {**to_dict(BOTH), "graders": {"a": {**to_dict(CLOSE), "evaluation_metric": "x"}}},
            "evaluation_metric is",
        ),
        ({**to_dict(SCORE), "range": [1, 0]}, "two numbers, the lower one first"),
        ({**to_dict(SCORE), "sampling_params": {"max_completions_tokens": 0}}, "sampling_params.max_completions"),
        ({**to_dict(SCORE), "sampling_params": {"reasoning_effort": "x"}}, "reasoning_effort is 'x'"),
        ({**to_dict(EXACT), "x": float("nan")}, "cannot be written as JSON"),
    ],
)
async def test_what_is_no_grader_is_refused_before_it_is_sent(grader: Any, complaint: str) -> None:
    async with local(OPENAI) as (client, server):
        for call in (client.validate_grader(grader), client.run_grader(grader, "42")):
            with pytest.raises(InvalidArgumentError) as caught:
                await call
            assert complaint in str(caught.value)
        assert server.requests == []
        assert (await client.run_grader(EXACT, "42", item={"answer": "42"})).reward == 1


@pytest.mark.parametrize(
    ("sample", "item", "complaint"),
    [
        (None, None, "model_sample is a NoneType; it must be a string"),
        ({"a": 1}, None, "model_sample is a dict; it must be a string"),
        (b"42", None, "model_sample is a bytes; it must be a string"),
        ("42", "answer", "item is a str; it must be a mapping"),
        ("42", [("answer", "42")], "item is a list; it must be a mapping"),
        ("42", {"answer": object()}, "cannot be written as JSON"),
    ],
)
async def test_what_cannot_be_scored_is_refused_before_it_is_sent(sample: Any, item: Any, complaint: str) -> None:
    async with local(OPENAI) as (client, server):
        with pytest.raises(InvalidArgumentError) as caught:
            await client.run_grader(EXACT, sample, item=item)
        assert complaint in str(caught.value)
        assert server.requests == []


async def test_a_long_comparison_keeps_no_other_request_waiting() -> None:
    """METEOR of texts without a word in common is the slowest of the metrics, and is pure Python."""
    slow = TextSimilarityGrader(name="n", input=SAID, reference=WANTED, evaluation_metric="meteor")
    grader = MultiGrader(name="m", graders={f"g{n}": slow for n in range(5)}, calculate_output="g0")
    said, wanted = (" ".join(f"{letter}{n}" for n in range(3_000)) for letter in "xy")
    async with local(OPENAI) as (client, _):
        await client.run_grader(slow, "x", item={"answer": "x"})  # so that the library is there already
        running = asyncio.create_task(client.run_grader(grader, said, item={"answer": wanted}))
        turns = 0
        while not running.done():
            await asyncio.sleep(0)
            turns += 1
        assert (await running).reward == 0
        # Were the loop kept, it would turn only a few times: before the comparison begins, and once it is over.
        assert turns > 16
