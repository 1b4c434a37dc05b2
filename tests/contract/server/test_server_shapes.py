"""Answers held against the published specification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fine_tuning_async.server import LocalServer
    from tests.contract.server.http_api import Api

SPEC = Path(__file__).parents[4] / "shared" / "spec" / "openai-fine-tuning.openapi.json"
SCHEMAS = json.loads(SPEC.read_text())["components"]["schemas"] if SPEC.exists() else {}
TYPES = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
# What the real server sends although the specification has it otherwise, as recordings show.
KNOWN = {
    ("FineTuningJob.hyperparameters", type(None)),
    ("FineTuningJobEvent.data", type(None)),
    ("OpenAIFile.expires_at", type(None)),
    ("OpenAIFile.status_details", type(None)),
}

pytestmark = pytest.mark.skipif(not SCHEMAS, reason="the specification is not beside the repository")


def complaints(value: object, schema: dict[str, Any], place: str) -> list[str]:
    """Check required keys, types, enumerations: as much of JSON Schema as the specification's answers need."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return complaints(value, SCHEMAS[name], name)
    if (place, type(value)) in KNOWN:
        return []
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants:
        found = [complaints(value, variant, place) for variant in variants]
        return [] if [] in found else min(found, key=len)
    if "type" in schema and not isinstance(value, TYPES[schema["type"]]):
        return [f"{place}: {value!r} is not of type {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is none of {schema['enum']}"]
    return inside(value, schema, place)


def inside(value: object, schema: dict[str, Any], place: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, list):
        for item in value:
            found += complaints(item, schema.get("items", {}), place)
    if isinstance(value, dict):
        found += [f"{place}: {key} is missing" for key in schema.get("required", []) if key not in value]
        for key in schema.get("properties", {}).keys() & value.keys():
            found += complaints(value[key], schema["properties"][key], f"{place}.{key}")
    return found


def permission_answers(api: Api, model: str) -> list[tuple[str, Any]]:
    path = f"/fine_tuning/checkpoints/{model}/permissions"
    listed = "ListFineTuningCheckpointPermissionResponse"
    created = api.post(path, {"project_ids": ["proj_a", "proj_b"]}).json
    return [
        (listed, created),
        (listed, api.get(path).json),
        (listed, api.get(f"{path}?project_id=proj_none").json),
        ("DeleteFineTuningCheckpointPermissionResponse", api.call("DELETE", f"{path}/{created['first_id']}").json),
        ("ErrorResponse", api.call("DELETE", f"{path}/cp_none").json),
    ]


@pytest.mark.parametrize("method", ["supervised", "dpo", "reinforcement"])
def test_every_answer_is_as_specified(api: Api, server: LocalServer, method: str) -> None:
    grader = {"type": "string_check", "name": "g", "input": "a", "reference": "b", "operation": "eq"}
    rows = {"role": "user", "content": "q"}, [{"role": "assistant", "content": "a"}]
    pair = {"input": {"messages": rows[:1]}, "preferred_output": rows[1], "non_preferred_output": rows[1]}
    content = (json.dumps(pair).encode() + b"\n") * 10
    file_id = api.upload(content).json["id"] if method == "dpo" else api.training_file()
    wanted = {"type": method, method: {"grader": grader} if method == "reinforcement" else {}}
    job = api.create(file_id, validation_file=file_id, method=wanted)
    path = f"/fine_tuning/jobs/{job['id']}"
    answers = [("FineTuningJob", job)]
    server.advance(60)
    answers.append(("FineTuningJob", api.job(job["id"])))
    server.finish(job["id"])
    done = api.job(job["id"])
    assert done["status"] == "succeeded"
    answers += [
        ("FineTuningJob", done),
        ("ListPaginatedFineTuningJobsResponse", api.get("/fine_tuning/jobs").json),
        ("ListFineTuningJobEventsResponse", api.get(f"{path}/events?limit=100").json),
        ("ListFineTuningJobCheckpointsResponse", api.get(f"{path}/checkpoints").json),
        ("ListFilesResponse", api.get("/files").json),
        ("OpenAIFile", api.get(f"/files/{file_id}").json),
        ("ListModelsResponse", api.get("/models").json),
        ("Model", api.get(f"/models/{done['fine_tuned_model']}").json),
        *permission_answers(api, done["fine_tuned_model"]),
        ("DeleteModelResponse", api.call("DELETE", f"/models/{done['fine_tuned_model']}").json),
        ("DeleteFileResponse", api.call("DELETE", f"/files/{file_id}").json),
        ("ErrorResponse", api.get("/fine_tuning/jobs/none").json),
    ]
    for name, answer in answers:
        assert complaints(answer, SCHEMAS[name], name) == []
