"""Every operation's answers, good ones and refusals, held against the published specification."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async.server import Fault
from tests.contract.server.http_api import BOUNDARY, Api
from tests.specification import ABSENT, SPEC, Witness, complaints, document, operations

if TYPE_CHECKING:
    from fine_tuning_async.server import LocalServer

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason=ABSENT)

GRADER = {"type": "string_check", "name": "g", "input": "a", "reference": "b", "operation": "eq"}
SETTINGS: dict[str, dict[str, Any]] = {
    "supervised": {"hyperparameters": {"n_epochs": 2}},
    "dpo": {"hyperparameters": {"beta": 0.5, "n_epochs": 2}},
    "reinforcement": {"grader": GRADER, "hyperparameters": {"n_epochs": 2, "reasoning_effort": "low"}},
}
NEVER_REFUSED_BUT_FOR_THE_KEY = {"listModels"}


def training_file(api: Api, method: str) -> str:
    if method != "dpo":
        return api.training_file()
    rows = {"role": "user", "content": "q"}, [{"role": "assistant", "content": "a"}]
    pair = {"input": {"messages": rows[:1]}, "preferred_output": rows[1], "non_preferred_output": rows[1]}
    return str(api.upload((json.dumps(pair).encode() + b"\n") * 10).json["id"])


def train(api: Api, server: LocalServer, method: str) -> str:
    """Let a job go its way; return the name of its model."""
    file_id = training_file(api, method)
    wanted = {"type": method, method: SETTINGS[method]}
    path = f"/fine_tuning/jobs/{api.create(file_id, validation_file=file_id, method=wanted)['id']}"
    for seconds in (10, 10, 60):
        server.advance(seconds)
        api.get(path)
        api.get(f"{path}/events")
    for step, seconds in (("pause", 5), ("resume", 0)):
        api.post(f"{path}/{step}")
        server.advance(seconds)
    server.advance(3600)
    for end in ("events?limit=2", "events?limit=100", "checkpoints?limit=1", "checkpoints"):
        api.get(f"{path}/{end}")
    done = api.get(path).json
    assert done["status"] == "succeeded"
    api.get(f"/files/{done['result_files'][0]}/content")
    api.delete(f"/files/{file_id}")
    return str(done["fine_tuned_model"])


def use_model(api: Api, model: str) -> None:
    path = f"/fine_tuning/checkpoints/{model}/permissions"
    api.get(path)
    permission = api.post(path, {"project_ids": ["proj_a", "proj_b"]}).json["first_id"]
    api.get(f"{path}?limit=1&order=ascending&project_id=proj_a")
    api.delete(f"{path}/{permission}")
    for each in ("/models", f"/models/{model}", "/files", "/files?purpose=fine-tune&limit=1"):
        api.get(each)
    api.delete(f"/models/{model}")


def use_jobs(api: Api) -> None:
    job = api.create(metadata={"k": "v"}, integrations=[{"type": "wandb", "wandb": {"project": "p"}}])
    api.post(f"/fine_tuning/jobs/{job['id']}/cancel")
    for query in ("", "?metadata[k]=v", "?metadata=null&limit=1"):
        api.get(f"/fine_tuning/jobs{query}")
    api.get(f"/files/{job['training_file']}")


def use_uploads(api: Api) -> None:
    wanted = {"bytes": 3, "filename": "f", "mime_type": "text/jsonl", "purpose": "fine-tune"}
    upload = f"/uploads/{api.post('/uploads', wanted).json['id']}"
    part = add_part(api, upload).json["id"]
    api.post(f"{upload}/complete", {"part_ids": [part]})
    api.post(f"/uploads/{api.post('/uploads', wanted).json['id']}/cancel")


def add_part(api: Api, upload: str, name: str = "data") -> Any:
    form = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="p"\r\n\r\nabc\r\n'
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return api.call("POST", f"{upload}/parts", f"{form}--{BOUNDARY}--\r\n".encode(), kind)


def use_graders(api: Api) -> None:
    api.post("/fine_tuning/alpha/graders/validate", {"grader": GRADER})
    parts = {"type": "multi", "name": "m", "graders": {"part": GRADER}, "calculate_output": "part"}
    for grader in (GRADER, parts):
        api.post("/fine_tuning/alpha/graders/run", {"grader": grader, "model_sample": "s"})


def seen_by(api: Api) -> Witness:
    assert api.witness is not None
    return api.witness


def test_every_operations_answer_is_as_specified(api: Api, server: LocalServer) -> None:
    for method in SETTINGS:
        use_model(api, train(api, server, method))
    use_jobs(api)
    use_uploads(api)
    use_graders(api)
    assert operations().keys() - seen_by(api).succeeded == set(), "these were not asked for"


def places() -> list[tuple[str, str]]:
    """Return the method and a path of every operation, with ids that name nothing."""
    return [(method, pattern.pattern.replace("[^/]+", "none")) for method, pattern in operations().values()]


def test_every_operations_refusal_of_a_stranger_is_as_specified(api: Api) -> None:
    for method, path in places():
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer sk-invalid"}):
            assert api.call(method, path, headers=headers).error["code"] == "invalid_api_key"
    assert seen_by(api).refused == {401: set(operations())}


def test_every_operations_refusal_of_a_bad_request_is_as_specified(api: Api) -> None:
    for method, path in places():
        api.call(method, f"{path}?limit=none", {} if method == "POST" else None)
    refused = seen_by(api).refused
    assert refused.keys() == {400, 404}
    assert operations().keys() - refused[400] - refused[404] == NEVER_REFUSED_BUT_FOR_THE_KEY


def test_a_refusal_of_every_status_is_as_specified(api: Api, server: LocalServer) -> None:
    """The client of these tests holds each of them against the specification."""
    file_id = api.training_file()
    job = {"model": "gpt-4o-mini", "training_file": file_id}
    too_long = {**job, "suffix": "x" * 9 * 2**20}
    api.post("/fine_tuning/jobs", job, Idempotency_Key="k")
    statuses = [
        api.post("/fine_tuning/jobs", b"no JSON").status,
        api.delete("/models/gpt-4o-mini").status,
        api.post("/fine_tuning/jobs", {**job, "seed": 1}, Idempotency_Key="k").status,
        api.post("/fine_tuning/jobs", too_long).status,
        api.get(f"/files/{file_id}/content", Range="bytes=9999999-").status,
    ]
    for fault in (Fault.rate_limited(), Fault.status(500), Fault.status(503)):
        with server.faults.once(fault):
            statuses.append(api.get("/models").status)
    assert statuses == [400, 403, 409, 413, 416, 429, 500, 503]
    assert seen_by(api).refused.keys() == set(statuses)


def test_what_no_operation_is_named_for_is_refused_in_the_same_envelope(api: Api) -> None:
    assert api.get("/no/such/path").error["code"] == "unknown_url"
    answer = api.call("PUT", "/files")
    assert (answer.status, answer.headers["allow"]) == (405, "GET,HEAD,POST")


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_the_schemas_of_the_webhooks_are_there(end: str) -> None:
    name = f"WebhookFineTuningJob{end.capitalize()}"
    event = {"id": "evt_1", "type": f"fine_tuning.job.{end}", "created_at": 1, "data": {"id": "ftjob-1"}}
    assert complaints(f"#/components/schemas/{name}", event) == []
    assert complaints(f"#/components/schemas/{name}", {**event, "type": "none"})


def test_an_answer_that_is_not_as_specified_is_noticed() -> None:
    job = {"id": "ftjob-1", "object": "fine_tuning.job", "status": "unheard-of"}
    with pytest.raises(AssertionError, match="is not one of"):
        Witness().see("GET", "/fine_tuning/jobs/ftjob-1", 200, "application/json", json.dumps(job).encode())
    with pytest.raises(AssertionError, match="may not answer text/html"):
        Witness().see("GET", "/models", 200, "text/html", b"<html>")
    with pytest.raises(AssertionError, match="'code' is a required property"):
        Witness().see(
            "GET", "/models", 401, "application/json", b'{"error": {"type": "t", "message": "m", "param": null}}'
        )
    assert document()["openapi"] == "3.1.0"
