"""The local server's graders: scores, what it cannot compute, what it refuses, and that jobs refuse it alike."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.grader_rows import CLOSE, EXACT, LABEL, MALFORMED, SAID, SCORE, SCRIPT, WELL_FORMED, multi
from tests.specification import ABSENT, SPEC, complaints

if TYPE_CHECKING:
    from tests.contract.server.http_api import Api

LONG = {**CLOSE, "input": SAID, "reference": SAID}
RUN, VALIDATE = "/fine_tuning/alpha/graders/run", "/fine_tuning/alpha/graders/validate"


def run(api: Api, grader: object, sample: str = "Zürich", **item: Any) -> dict[str, Any]:
    answer = api.post(RUN, {"grader": grader, "model_sample": sample, "item": item or {"answer": "Zürich"}})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def raised(result: dict[str, Any]) -> list[str]:
    return [name for name, value in result["metadata"]["errors"].items() if value is True]


# ------------------------------------------------------------------------------------------- scores


@pytest.mark.parametrize(
    ("operation", "said", "reward"),
    [
        ("eq", "Zürich", 1),
        ("eq", "zürich", 0),
        ("eq", "Zürich.", 0),
        ("ne", "Zürich", 0),
        ("ne", "zürich", 1),
        ("like", "In Zürich, I think", 1),
        ("like", "in zürich", 0),
        ("like", "rich", 0),  # the reference is looked for in the input, not the other way round
        ("ilike", "in ZÜRICH, I think", 1),
        ("ilike", "rich", 0),
    ],
)
def test_a_string_check_is_0_or_1(api: Api, operation: str, said: str, reward: int) -> None:
    result = run(api, {**EXACT, "operation": operation}, said)
    assert result["reward"] == reward
    assert (result["metadata"]["name"], result["metadata"]["type"]) == ("exact", "string_check")
    assert raised(result) == []
    assert result["metadata"]["execution_time"] >= 0


@pytest.mark.parametrize(
    ("metric", "reward"),
    [
        *[("fuzzy_match", 0.892857), ("bleu", 0.411134), ("gleu", 6 / 11), ("meteor", 0.965392)],
        *[("rouge_1", 0.923077), ("rouge_2", 0.727273), ("rouge_3", 0.444444), ("rouge_4", 0), ("rouge_5", 0)],
        ("rouge_l", 0.923077),
    ],
)
def test_a_text_similarity_is_computed(api: Api, metric: str, reward: float) -> None:
    grader = {**CLOSE, "evaluation_metric": metric}
    result = run(api, grader, "the cat was found under the bed", answer="the cat was under the bed")
    assert result["reward"] == pytest.approx(reward, abs=1e-6)
    assert raised(result) == []


@pytest.mark.parametrize(
    ("graders", "formula"),
    [
        ({"a": EXACT, "b": CLOSE}, "0.25 * a + 0.75 * b"),
        ([{**EXACT, "name": "a"}, {**CLOSE, "name": "b"}], "0.25 * a + 0.75 * b"),
    ],
)
def test_a_multi_grader_combines_by_names(api: Api, graders: object, formula: str) -> None:
    result = run(api, multi(graders, formula), "Zurich", answer="Zürich")
    close = 10 / 12
    assert result["sub_rewards"] == {"a": 0.0, "b": pytest.approx(close)}
    assert result["reward"] == pytest.approx(0.75 * close)
    assert (result["metadata"]["name"], result["metadata"]["type"], raised(result)) == ("all", "multi", [])


def test_a_multi_grader_of_one_bare_grader_knows_it_by_its_name(api: Api) -> None:
    result = run(api, multi(EXACT, "2 * exact"))
    assert (result["reward"], result["sub_rewards"]) == (2.0, {"exact": 1.0})


def test_a_sample_that_is_json_is_looked_into(api: Api) -> None:
    grader = {**EXACT, "input": "{{sample.output_json.city.name}}"}
    assert run(api, grader, '{"city": {"name": "Zürich"}}')["reward"] == 1
    assert raised(run(api, grader, '{"city": {}}')) == ["invalid_variable_error"]
    assert raised(run(api, grader, "Zürich")) == ["sample_parse_error"]


# ------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    "text", ["{{item.other}}", "{{item.answer", "{{nobody.knows}}", "{{sample.output_tools}}"]
)
def test_a_variable_that_stands_for_nothing_is_told_beside_a_reward_of_0(api: Api, text: str) -> None:
    for grader in ({**EXACT, "reference": text}, {**SCORE, "input": [{"role": "user", "content": text}]}):
        result = run(api, grader)
        assert (result["reward"], raised(result)) == (0.0, ["invalid_variable_error"])


def test_what_needs_a_model_or_a_sandbox_says_so(api: Api) -> None:
    script = run(api, SCRIPT)
    assert (script["reward"], raised(script)) == (0.0, ["python_grader_server_error"])
    assert "sandbox" in script["metadata"]["errors"]["python_grader_server_error_type"]
    for grader, word in ((SCORE, "gpt-5-mini"), ({**CLOSE, "evaluation_metric": "cosine"}, "embeddings")):
        result = run(api, grader)
        assert (result["reward"], raised(result)) == (0.0, ["model_grader_server_error"])
        assert word in result["metadata"]["errors"]["model_grader_server_error_details"]


def test_a_part_that_cannot_be_computed_counts_0(api: Api) -> None:
    result = run(api, multi({"a": EXACT, "judge": LABEL, "script": SCRIPT}, "a + judge + script"))
    assert result["sub_rewards"] == {"a": 1.0, "judge": 0.0, "script": 0.0}
    assert result["reward"] == 1.0
    assert raised(result) == ["python_grader_server_error", "model_grader_server_error"]


@pytest.mark.parametrize("formula", ["1 / (a - 1)", "0.5 * a)", "b", "a ^ 0.5 +", "exp(1000 * a)", "open(a)"])
def test_a_formula_that_has_no_value_is_told_beside_a_reward_of_0(api: Api, formula: str) -> None:
    result = run(api, multi({"a": EXACT}, formula))
    assert (result["reward"], raised(result)) == (0.0, ["formula_parse_error"])
    assert result["sub_rewards"] == {"a": 1.0}


def test_a_metric_without_its_library_says_how_to_install_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz.fuzz", None)  # as the import system marks what cannot be imported
    answer = api.post(RUN, {"grader": CLOSE, "model_sample": "x", "item": {"answer": "y"}})
    assert (answer.status, answer.error["code"], answer.error["type"]) == (501, "missing_library", "server_error")
    assert "pip install 'fine-tuning-async[graders]'" in answer.error["message"]
    assert run(api, EXACT)["reward"] == 1


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"grader": EXACT}, "model_sample", "missing_required_parameter"),
        ({"grader": EXACT, "model_sample": {"a": 1}}, "model_sample", "invalid_type"),
        ({"grader": EXACT, "model_sample": "x", "item": "y"}, "item", "invalid_type"),
        ({"model_sample": "x"}, "grader", "missing_required_parameter"),
        ({"grader": {**EXACT, "operation": "gt"}, "model_sample": "x"}, "grader.operation", "invalid_value"),
        (
            {"grader": {**CLOSE, "input": "x" * 50_001, "reference": "y"}, "model_sample": "x"},
            "grader.input",
            "string_above_max_length",
        ),
        ({"grader": {**EXACT, "reference": SAID * 3}, "model_sample": "x" * 400_000}, "grader.reference", None),
        (
            {"grader": multi([{**LONG, "name": f"n{n}"} for n in range(7)], "n0"), "model_sample": "x" * 40_000},
            "grader.graders",
            "string_above_max_length",
        ),
    ],
)
def test_a_run_that_is_not_possible_is_refused(api: Api, body: object, param: str, code: str | None) -> None:
    answer = api.post(RUN, body)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert code in {None, answer.error["code"]}


# ------------------------------------------------------------------------------------------- validation


@pytest.mark.parametrize(("grader", "param", "code"), MALFORMED)
def test_a_malformed_grader_is_refused_by_validation_and_by_jobs_alike(
    api: Api, grader: object, param: str, code: str
) -> None:
    answer = api.post(VALIDATE, {"grader": grader})
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert (answer.error["param"], answer.error["code"]) == (f"grader{param}", code)
    method = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    created = api.post("/fine_tuning/jobs", {"model": "o4-mini", "training_file": "file-x", "method": method})
    assert created.status == 400
    assert created.error["param"] == f"method.reinforcement.grader{param}"
    assert created.error["message"] == answer.error["message"].replace("'grader", "'method.reinforcement.grader")


@pytest.mark.parametrize("grader", WELL_FORMED)
def test_a_well_formed_grader_comes_back_as_it_is(api: Api, grader: dict[str, Any]) -> None:
    assert api.post(VALIDATE, {"grader": grader}).json == {"grader": grader}


# ------------------------------------------------------------------------------------------- the specification


@pytest.mark.parametrize("grader", [*WELL_FORMED, multi({"a": EXACT}, "a / 0"), {**EXACT, "input": "{{item.x}}"}])
def test_the_answer_to_a_run_is_as_the_specification_has_it(api: Api, grader: dict[str, Any]) -> None:
    run(api, grader)  # every answer that `api` gets is held against it


@pytest.mark.skipif(not SPEC.exists(), reason=ABSENT)
@pytest.mark.parametrize("grader", [EXACT, CLOSE, SCRIPT, SCORE, multi(EXACT, "exact"), multi(LABEL, "label")])
def test_the_graders_of_these_tests_are_the_specifications(api: Api, grader: dict[str, Any]) -> None:
    assert complaints("#/components/schemas/ValidateGraderRequest", {"grader": grader}) == []
    assert api.post(VALIDATE, {"grader": grader}).status == 200
