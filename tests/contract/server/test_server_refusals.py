"""What the server refuses, always in the API's envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from fine_tuning_async.server import LocalServer
    from tests.contract.server.http_api import Api

GRADER = {"type": "string_check", "name": "g", "input": "a", "reference": "b", "operation": "eq"}


def hyper(method: str, **values: object) -> dict[str, object]:
    extra = {"grader": GRADER} if method == "reinforcement" else {}
    return {"method": {"type": method, method: {"hyperparameters": values, **extra}}}


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": None}, "model", "missing_required_parameter"),
        ({"model": 7}, "model", "invalid_type"),
        ({"model": "my-model"}, "model", "model_not_available"),
        ({"training_file": None}, "training_file", "missing_required_parameter"),
        ({"training_file": ["x"]}, "training_file", "invalid_type"),
        ({"validation_file": 7}, "validation_file", "invalid_type"),
        ({"suffix": ""}, "suffix", "string_below_min_length"),
        ({"suffix": "x" * 65}, "suffix", "string_above_max_length"),
        ({"seed": -1}, "seed", "integer_below_min_value"),
        ({"seed": 2**31}, "seed", "integer_above_max_value"),
        ({"seed": 2**70}, "seed", "integer_above_max_value"),
        ({"seed": True}, "seed", "invalid_type"),
        ({"seed": 1.5}, "seed", "invalid_type"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "object_above_max_properties"),
        ({"metadata": {"k" * 65: "v"}}, "metadata", "string_above_max_length"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "string_above_max_length"),
        ({"metadata": {"k": 1}}, "metadata.k", "invalid_type"),
        ({"metadata": []}, "metadata", "invalid_type"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}] * 6}, "integrations", None),
        ({"integrations": [{"type": "other"}]}, "integrations[0].type", "invalid_value"),
        ({"integrations": [{"type": "wandb", "wandb": {}}]}, "integrations[0].wandb.project", "invalid_type"),
        ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs", "integer_below_min_value"),
        ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs", "integer_above_max_value"),
        ({"hyperparameters": {"n_epochs": "many"}}, "hyperparameters.n_epochs", "invalid_type"),
        ({"hyperparameters": {"n_epochs": True}}, "hyperparameters.n_epochs", "invalid_type"),
        ({"hyperparameters": {"beta": 1}}, "hyperparameters.beta", "unknown_parameter"),
        ({"hyperparameters": {"n_epochs": 1}, **hyper("dpo")}, "hyperparameters", "invalid_value"),
        (hyper("supervised", batch_size=257), "method.supervised.hyperparameters.batch_size", None),
        (hyper("supervised", learning_rate_multiplier=0), None, "decimal_below_min_value"),
        (hyper("supervised", learning_rate_multiplier=False), None, "invalid_type"),
        (hyper("dpo", beta=0), "method.dpo.hyperparameters.beta", "decimal_below_min_value"),
        (hyper("dpo", beta=2.1), "method.dpo.hyperparameters.beta", "decimal_above_max_value"),
        (hyper("reinforcement", reasoning_effort="auto"), None, "invalid_value"),
        (hyper("reinforcement", eval_samples=0), None, "integer_below_min_value"),
        ({"method": {}}, "method.type", "missing_required_parameter"),
        ({"method": {"type": "other"}}, "method.type", "invalid_value"),
        ({"method": {"type": "dpo", "supervised": {}}}, "method.supervised", "invalid_value"),
        ({"method": {"type": "reinforcement"}}, "method.reinforcement.grader", "missing_required_parameter"),
        ({"method": {"type": "reinforcement", "reinforcement": {"grader": {"type": "no"}}}}, None, None),
        ({"method": "dpo"}, "method", "invalid_type"),
    ],
)
def test_a_create_out_of_bounds_is_refused(
    api: Api, fields: dict[str, object], param: str | None, code: str | None
) -> None:
    answer = api.post("/fine_tuning/jobs", {"model": "gpt-4o-mini", "training_file": "file-x", **fields})
    assert answer.status == 400
    assert answer.error["type"] == "invalid_request_error"
    assert param in {None, answer.error["param"]}
    assert code in {None, answer.error["code"]}
    assert api.get("/fine_tuning/jobs").json["data"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"hyperparameters": {}, "validation_file": None, "suffix": None, "seed": None, "metadata": None},
        {"seed": 2**31 - 1, "suffix": "x" * 64, "integrations": None},
        {"metadata": {"k" * 64: "v" * 512}},
        {"integrations": [{"type": "wandb", "wandb": {"project": "p"}}] * 5},
        {"trainingType": "GlobalStandard"},
        {"model": "ft:gpt-4o-mini-2024-07-18:local::abcdefgh"},
        {"model": "babbage-002"},
        hyper("supervised", n_epochs=50, batch_size=256, learning_rate_multiplier=1),
        hyper("dpo", beta=2),
        hyper("reinforcement", compute_multiplier=10, reasoning_effort="high"),
    ],
)
def test_a_create_within_bounds_is_accepted(api: Api, fields: dict[str, Any]) -> None:
    assert api.create(**fields)["status"] == "validating_files"


def test_a_file_that_is_not_there_is_refused_in_the_apis_words(api: Api) -> None:
    body = {"model": "gpt-4o-mini", "training_file": "file-x"}
    error = api.post("/fine_tuning/jobs", body).error
    assert (error["message"], error["param"], error["code"]) == (
        "invalid training_file: file-x",
        "training_file",
        None,
    )
    body = {"model": "gpt-4o-mini", "training_file": api.training_file(), "validation_file": "7"}
    error = api.post("/fine_tuning/jobs", body).error
    assert (error["message"], error["param"]) == ("invalid validation_file: 7", "validation_file")


def test_a_file_of_another_purpose_is_refused(api: Api) -> None:
    file_id = api.upload(b"x", purpose="batch").json["id"]
    answer = api.post("/fine_tuning/jobs", {"model": "gpt-4o-mini", "training_file": file_id})
    assert (answer.status, answer.error["param"]) == (400, "training_file")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"a": NaN}', b'{"a": "\\ud800"}', b"\xff", b"[" * 5000]
)
def test_a_body_that_is_no_json_object_is_a_400(api: Api, body: object) -> None:
    assert api.call("POST", "/fine_tuning/jobs", body, {"Content-Type": "application/json"}).status == 400


def test_deep_nesting_is_a_400(api: Api) -> None:
    body = b'{"model":"gpt-4o","training_file":"f","x":' + b"[" * 500 + b"]" * 500 + b"}"
    assert api.call("POST", "/fine_tuning/jobs", body).status == 400


def test_a_json_body_beyond_all_measure_is_a_413(api: Api) -> None:
    answer = api.call("POST", "/fine_tuning/jobs", b"[" + b" " * (9 << 20) + b"]")
    assert (answer.status, answer.error["type"]) == (413, "invalid_request_error")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc"])
def test_a_request_without_a_key_is_a_401(api: Api, header: str) -> None:
    answer = api.get("/models", Authorization=header)
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert answer.error["type"] == "invalid_request_error"


def test_a_refused_key_is_never_repeated_whole(api: Api, server: LocalServer) -> None:
    key = "sk-invalid-0123456789-very-secret"
    answer = api.get("/models", Authorization=f"Bearer {key}")
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert answer.error["message"].startswith("Incorrect API key provided: sk-inva***")
    assert "secret" not in answer.body.decode()
    assert "secret" not in repr(server.requests)


def test_azures_key_header_is_as_good(api: Api) -> None:
    assert api.get("/models", Authorization="", **{"api-key": "anything"}).status == 200


@pytest.mark.parametrize("path", ["/nothing", "/files/a/b/c", "/fine_tuning/jobs/a/b", "/"])
def test_an_unknown_path_is_a_404_in_the_envelope(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status == 404
    assert answer.error["type"] == "invalid_request_error"
    assert path in answer.error["message"]


def test_a_wrong_method_is_a_405_in_the_envelope(api: Api) -> None:
    for method, path in (("PUT", "/files"), ("PATCH", "/fine_tuning/jobs"), ("POST", "/models")):
        answer = api.call(method, path)
        assert (answer.status, answer.error["type"]) == (405, "invalid_request_error")


def test_models_are_known_or_a_404(api: Api) -> None:
    assert api.get("/models/gpt-4o-mini").json["object"] == "model"
    for method in ("GET", "DELETE"):
        answer = api.call(method, "/models/ft:123")
        assert (answer.status, answer.error["code"]) == (404, "model_not_found")
        assert answer.error["message"] == "The model 'ft:123' does not exist"


def test_a_fine_tuned_model_can_be_deleted_a_base_model_cannot(api: Api, server: LocalServer) -> None:
    job = api.create(hyperparameters={"n_epochs": 1})
    server.finish(job["id"])
    model = api.job(job["id"])["fine_tuned_model"]
    assert api.call("DELETE", f"/models/{model}").json == {"id": model, "object": "model", "deleted": True}
    assert api.get(f"/models/{model}").status == 404
    assert api.call("DELETE", "/models/gpt-4o-mini").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/files/%ED%A0%80",
        "/files/%FF",
        "/files?after=%FF",
        "/files?purpose=%ED%A0%80",
        "/fine_tuning/jobs/%ED%A0%80",
        "/fine_tuning/jobs?after=%FF%00",
        "/fine_tuning/jobs?metadata[%FF]=%FF",
        "/fine_tuning/jobs?metadata[]=",
        "/fine_tuning/jobs?metadata[a",
        "/models/%FF",
        "/files?order=%FF",
        "/fine_tuning/jobs?" + "&".join(f"metadata[{n}]=x" for n in range(200)),
    ],
)
def test_odd_bytes_in_a_path_or_query_are_never_a_500(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status in {200, 400, 404}
    assert isinstance(answer.json, dict)


def test_an_idempotency_key_may_be_any_bytes(api: Api) -> None:
    body = {"model": "gpt-4o-mini", "training_file": api.training_file()}
    answers = [api.post("/fine_tuning/jobs", body, Idempotency_Key="\xff\xfe") for _ in range(2)]
    assert answers[0].status == 200
    assert answers[0].json == answers[1].json


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
HYPER = st.dictionaries(
    st.sampled_from(["n_epochs", "batch_size", "learning_rate_multiplier", "beta", "reasoning_effort"]),
    JSON | st.just("auto") | st.integers(0, 60),
)
SETTINGS = st.fixed_dictionaries({}, optional={"hyperparameters": HYPER | JSON, "grader": st.just(GRADER) | JSON})
METHODS = st.fixed_dictionaries(
    {"type": st.sampled_from(["supervised", "dpo", "reinforcement"]) | JSON},
    optional=dict.fromkeys(("supervised", "dpo", "reinforcement"), SETTINGS | JSON),
)
BODIES = JSON | st.fixed_dictionaries(
    {"model": st.just("gpt-4o-mini") | JSON, "training_file": st.just("here") | JSON},
    optional={
        "method": METHODS | JSON,
        "hyperparameters": HYPER | JSON,
        "metadata": st.dictionaries(st.text(max_size=70), st.text(max_size=600) | JSON) | JSON,
        **dict.fromkeys(["validation_file", "suffix", "seed", "integrations"], JSON),
    },
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
def test_no_body_is_ever_a_500(api: Api, body: object) -> None:
    if isinstance(body, dict) and body.get("training_file") == "here":
        body["training_file"] = api.training_file(1)
    try:
        content = orjson.dumps(body)
    except orjson.JSONEncodeError:
        return
    answer = api.call("POST", "/fine_tuning/jobs", content)
    assert answer.status in {200, 400}
    assert (answer.json["object"] == "fine_tuning.job") if answer.status == 200 else answer.error["message"]
