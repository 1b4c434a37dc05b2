"""What the specification forbids is refused; what it allows in two forms is taken in both."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.contract.server.http_api import BOUNDARY

if TYPE_CHECKING:
    from tests.contract.server.http_api import Answer, Api

UPLOAD = {"bytes": 3, "filename": "f", "mime_type": "text/jsonl", "purpose": "fine-tune"}
JOB = {"model": "gpt-4o-mini", "training_file": "file-none"}
PROJECTS = "/fine_tuning/checkpoints/none/permissions"
RUN = "/fine_tuning/alpha/graders/run"


def score(**fields: Any) -> dict[str, Any]:
    grader = {
        "type": "score_model",
        "name": "g",
        "model": "m",
        "input": [{"role": "user", "content": "c"}],
        **fields,
    }
    return {"grader": grader, "model_sample": "s"}


def asked(content: Any, **fields: Any) -> dict[str, Any]:
    return score(input=[{"role": "user", "content": content, **fields}])


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/uploads", {**UPLOAD, "colour": "red"}, "colour"),
        ("/uploads/none/complete", {"part_ids": [], "colour": "red"}, "colour"),
        (PROJECTS, {"project_ids": ["p"], "colour": "red"}, "colour"),
    ],
)
def test_a_field_that_is_not_known_is_refused(api: Api, path: str, body: object, param: str) -> None:
    assert refusal(api.post(path, body)) == (400, param, "unknown_parameter")


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/uploads", {**UPLOAD, "expires_after": None}, "expires_after"),
        ("/uploads/none/complete", {"part_ids": [], "md5": None}, "md5"),
        ("/fine_tuning/jobs", {**JOB, "method": None}, "method"),
        ("/fine_tuning/jobs", {**JOB, "hyperparameters": None}, "hyperparameters"),
        ("/fine_tuning/jobs", {**JOB, "hyperparameters": {"n_epochs": None}}, "hyperparameters.n_epochs"),
        ("/fine_tuning/jobs", {**JOB, "method": {"type": "dpo", "dpo": None}}, "method.dpo"),
        (
            "/fine_tuning/jobs",
            {**JOB, "method": {"type": "dpo", "dpo": {"hyperparameters": None}}},
            "method.dpo.hyperparameters",
        ),
        (
            "/fine_tuning/jobs",
            {**JOB, "integrations": [{"type": "wandb", "wandb": None}]},
            "integrations[0].wandb",
        ),
        (RUN, {**score(), "item": None}, "item"),
        (RUN, score(sampling_params=None), "grader.sampling_params"),
        (RUN, score(range=None), "grader.range"),
        (RUN, asked("c", type=None), "grader.input[0].type"),
    ],
)
def test_a_null_is_refused_where_the_specification_has_none(api: Api, path: str, body: object, param: str) -> None:
    assert refusal(api.post(path, body)) == (400, param, "invalid_type")


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"name": 1}, "name"),
        ({"entity": []}, "entity"),
        ({"tags": None}, "tags"),
        ({"tags": "t"}, "tags"),
        ({"tags": ["t", 2]}, "tags[1]"),
        ({"project": ""}, "project"),
    ],
)
def test_the_settings_of_an_integration_are_checked(api: Api, settings: dict[str, Any], param: str) -> None:
    integration = {"type": "wandb", "wandb": {"project": "p", **settings}}
    status, place, _ = refusal(api.post("/fine_tuning/jobs", {**JOB, "integrations": [integration]}))
    assert (status, place) == (400, f"integrations[0].wandb.{param}")


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"type": "input_image", "image_url": "https://x.test/i", "detail": 1}, "detail"),
        ({"type": "input_text", "text": "t", "prompt_cache_breakpoint": None}, "prompt_cache_breakpoint"),
        ({"type": "input_text", "text": "t", "prompt_cache_breakpoint": {}}, "prompt_cache_breakpoint.mode"),
        (
            {"type": "input_text", "text": "t", "prompt_cache_breakpoint": {"mode": "none"}},
            "prompt_cache_breakpoint.mode",
        ),
    ],
)
def test_what_a_message_has_beside_its_text_is_checked(api: Api, part: dict[str, Any], place: str) -> None:
    assert refusal(api.post(RUN, asked([part])))[:2] == (400, f"grader.input[0].content[0].{place}")


def test_what_is_allowed_there_is_accepted(api: Api) -> None:
    parts = [
        {"type": "input_text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "input_image", "image_url": "https://x.test/i", "detail": "low"},
    ]
    assert api.post(RUN, asked(parts, type="message")).status == 200
    settings = {"project": "p", "name": None, "entity": "e", "tags": ["t"]}
    job = api.create(integrations=[{"type": "wandb", "wandb": settings}])
    assert job["integrations"][0]["wandb"] == settings


@pytest.mark.parametrize("seed", [-(2**63), -(2**63) - 1, 2**63, 2**70, -(2**70)])
def test_a_seed_has_64_bits(api: Api, seed: int) -> None:
    assert refusal(api.post(RUN, score(sampling_params={"seed": seed})))[:2] == (
        400,
        "grader.sampling_params.seed",
    )
    assert api.post(RUN, score(sampling_params={"seed": 1 - 2**63})).status == 200
    assert api.post(RUN, score(sampling_params={"seed": 2**63 - 1})).status == 200


def test_a_whole_number_may_be_written_with_a_point(api: Api) -> None:
    """JSON knows one kind of number, and some languages write each with a point."""
    job = api.create(hyperparameters={"n_epochs": 3.0}, seed=7.0)
    assert (repr(job["hyperparameters"]["n_epochs"]), repr(job["seed"])) == ("3", "7")
    assert refusal(api.post("/fine_tuning/jobs", {**JOB, "seed": 7.5})) == (400, "seed", "invalid_type")
    assert refusal(api.post("/fine_tuning/jobs", {**JOB, "seed": 1e300}))[2] == "integer_above_max_value"


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_after": '{"anchor": "created_at", "seconds": 3600}'},
        {"expires_after[anchor]": "created_at", "expires_after[seconds]": 3600},
    ],
    ids=["as OpenAPI has it", "as the SDKs send it"],
)
def test_the_expiry_of_a_file_comes_in_either_form(api: Api, fields: dict[str, Any]) -> None:
    file = api.upload(b"x", **fields).json
    assert file["expires_at"] == file["created_at"] + 3600


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"expires_after": "soon"}, "expires_after", "invalid_type"),
        ({"expires_after": "null"}, "expires_after", "invalid_type"),
        ({"expires_after": '{"anchor": "created_at"}'}, "expires_after.seconds", "invalid_type"),
        ({"colour": "red"}, "colour", "unknown_parameter"),
    ],
)
def test_a_form_is_held_to_the_same(api: Api, fields: dict[str, Any], param: str, code: str) -> None:
    assert refusal(api.upload(b"x", **fields)) == (400, param, code)
    assert api.get("/files").json["data"] == []


def test_a_part_has_no_other_fields(api: Api) -> None:
    upload = api.post("/uploads", UPLOAD).json["id"]
    fields = ("data", "colour")
    form = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nabc\r\n' for name in fields
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = api.call("POST", f"/uploads/{upload}/parts", f"{form}--{BOUNDARY}--\r\n".encode(), kind)
    assert refusal(answer) == (400, "colour", "unknown_parameter")


def test_the_answer_to_head_is_the_head_of_that_to_get(api: Api) -> None:
    """The connection serves the next request as well: nothing of a body was sent."""
    file_id = api.upload(b"x" * 100_000).json["id"]
    parts = urlsplit(api.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    try:
        for path in (f"/files/{file_id}/content", f"/files/{file_id}", "/models"):
            lengths = []
            for method in ("HEAD", "GET"):
                connection.request(method, parts.path + path, headers={"Authorization": "Bearer k"})
                response = connection.getresponse()
                body = response.read()
                assert (response.status, bool(body)) == (200, method == "GET")
                lengths.append(response.headers["content-length"])
            assert lengths == [str(len(body))] * 2
    finally:
        connection.close()


def test_a_method_that_is_not_allowed_is_told_what_is(api: Api) -> None:
    allowed = {"/files": "GET,HEAD,POST", "/files/f": "DELETE,GET,HEAD", "/uploads": "POST"}
    for path, methods in allowed.items():
        answer = api.call("PATCH", path)
        assert (answer.status, answer.headers["allow"]) == (405, methods)


def refusal(answer: Answer) -> tuple[int, str, str]:
    error = json.loads(answer.body)["error"]
    return answer.status, error["param"], error["code"]
