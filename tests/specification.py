"""The published specification as it can be held against answers: proper JSON Schema, with what is known to differ.

It is read where it lies beside the repository; where it is not, `SPEC` does not exist.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SPEC = Path(__file__).parents[2] / "shared" / "spec" / "openai-fine-tuning.openapi.json"
ABSENT = "the specification is not beside the repository"

_NULL: Any = {"type": "null"}
_SOME_TEXT: Any = {"type": "string", "minLength": 1}
_PART = {
    "oneOf": [
        {"$ref": f"#/components/schemas/Grader{kind}"}
        for kind in ("StringCheck", "TextSimilarity", "Python", "ScoreModel", "LabelModel")
    ]
}

# What recorded answers, the newest reference or the official clients have otherwise, each with its witness.
_DIFFERENT: tuple[tuple[str, str, Any], ...] = (
    # The newest reference; the specification has the operations that lead there, but not the statuses.
    ("schemas/FineTuningJob/properties/status/enum", "+", ["pausing", "paused"]),
    # Recorded: null for all but supervised jobs.
    ("schemas/FineTuningJob/properties/hyperparameters", "or", _NULL),
    # Recorded: null at the start of a training.
    ("schemas/FineTuningJobEvent/properties/data", "or", _NULL),
    # Recorded: null where there is nothing to say.
    ("schemas/OpenAIFile/properties/expires_at", "or", _NULL),
    ("schemas/OpenAIFile/properties/status_details", "or", _NULL),
    # A request for a file may say so, and so may the official clients; the answer's enumeration lacks it.
    ("schemas/OpenAIFile/properties/purpose/enum", "+", ["evals"]),
    # The official clients' type of a purpose, which is that of files too.
    ("schemas/CreateUploadRequest/properties/purpose/enum", "+", ["user_data", "evals"]),
    # Null on an empty page, as on the lists where the specification says so.
    ("schemas/ListFilesResponse/properties/first_id", "or", _NULL),
    ("schemas/ListFilesResponse/properties/last_id", "or", _NULL),
    # A template may stand there.
    ("schemas/EvalItemInputImage/properties/image_url", "-", "format"),
)

# What the reference says in words, or what a server has to bound.
_BOUNDS: dict[str, dict[str, Any]] = {
    "schemas/Metadata/anyOf/0": {
        "maxProperties": 16,
        "propertyNames": {"maxLength": 64},
        "additionalProperties": {"type": "string", "maxLength": 512},
    },
    "schemas/CreateFineTuningJobRequest/properties/integrations": {"maxItems": 5},
    "schemas/CreateUploadRequest/properties/bytes": {"minimum": 1, "maximum": 2**33},
    "schemas/CreateUploadRequest/properties/filename": {"minLength": 1},
    "schemas/CreateUploadRequest/properties/mime_type": {"minLength": 1},
    "schemas/CompleteUploadRequest/properties/md5": {"pattern": "^[0-9a-fA-F]{32}$"},
    "schemas/CreateFineTuningCheckpointPermissionRequest/properties/project_ids": {
        "minItems": 1,
        "maxItems": 100,
        "items": _SOME_TEXT,
    },
    "schemas/CreateFineTuningJobRequest/properties/integrations/anyOf/0/items/properties/wandb/properties": {
        "project": _SOME_TEXT,
    },
    # The guide has a mapping, and the specification one bare grader. Their formula needs their names.
    "schemas/GraderMulti/properties": {
        "name": _SOME_TEXT,
        "calculate_output": _SOME_TEXT,
        "graders": {
            "anyOf": [
                _PART,
                {"type": "array", "items": _PART, "minItems": 1, "maxItems": 50},
                {"type": "object", "additionalProperties": _PART, "minProperties": 1, "maxProperties": 50},
            ]
        },
    },
    "schemas/GraderStringCheck/properties": {"name": _SOME_TEXT},
    "schemas/GraderTextSimilarity/properties": {"name": _SOME_TEXT},
    "schemas/GraderPython/properties": {"name": _SOME_TEXT, "source": _SOME_TEXT, "image_tag": _SOME_TEXT},
    "schemas/GraderScoreModel/properties": {"name": _SOME_TEXT, "model": _SOME_TEXT},
    "schemas/GraderScoreModel/properties/sampling_params/properties/seed/anyOf/0": {
        "minimum": 1 - 2**63,
        "maximum": 2**63 - 1,
    },
    "schemas/GraderLabelModel/properties": {
        "name": _SOME_TEXT,
        "model": _SOME_TEXT,
        "labels": {"type": "array", "items": _SOME_TEXT, "minItems": 1},
        "passing_labels": {"type": "array", "items": _SOME_TEXT, "minItems": 1},
    },
    # What trains is named: a setting that is misspelt would be a training that nobody wanted.
    **{
        f"schemas/FineTune{kind}{what}": {"additionalProperties": False}
        for kind in ("Supervised", "DPO", "Reinforcement")
        for what in ("Method", "Hyperparameters")
    },
    "schemas/CreateFineTuningJobRequest/properties/hyperparameters": {"additionalProperties": False},
    # The guide has it; it is passed through.
    "schemas/FineTuneReinforcementMethod/properties": {"response_format": {}},
    # A method's settings go with its type, as the reference has it in a table of variants.
    "schemas/FineTuneMethod": {
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "type": {"type": "string", "enum": [kind.lower()]},
                    kind.lower(): {"$ref": f"#/components/schemas/FineTune{kind}Method"},
                },
                "required": ["type", "reinforcement"] if kind == "Reinforcement" else ["type"],
                "additionalProperties": False,
            }
            for kind in ("Supervised", "DPO", "Reinforcement")
        ],
    },
}
_LONGEST_PAGE = {"/files": 10_000}


@cache
def document() -> dict[str, Any]:
    """Return the specification, made good. It is shared: it must not be changed."""
    found: dict[str, Any] = _proper(json.loads(SPEC.read_text()))
    for path, how, what in _DIFFERENT:
        _differ(found["components"], path.split("/"), how, what)
    for path, bounds in _BOUNDS.items():
        schema = _at(found["components"], path.split("/"))
        if "oneOf" in bounds:
            schema.clear()
        schema.update(bounds)
    error = {"description": "a refusal", "content": _json({"$ref": "#/components/schemas/ErrorResponse"})}
    for path, methods in found["paths"].items():
        for operation in methods.values():
            operation["responses"]["4XX"] = error
            _bound_page(operation, _LONGEST_PAGE.get(path, 100))
    # A download has the type of what was uploaded, which nobody knows.
    content = {"description": "the content", "content": {"application/octet-stream": {"schema": {}}}}
    found["paths"]["/files/{file_id}/content"]["get"]["responses"] |= {"200": content, "206": content}
    return found


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _bound_page(operation: dict[str, Any], most: int) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "limit":
            parameter["schema"] |= {"minimum": 1, "maximum": most}


def _proper(schema: Any) -> Any:
    """Turn what OpenAPI 3.0 had, and 3.1 ignores, into JSON Schema."""
    if isinstance(schema, list):
        return [_proper(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _proper(value) for key, value in schema.items()}
    if found.get("exclusiveMinimum") is True:
        found["exclusiveMinimum"] = found.pop("minimum")
    items = found.get("items")
    if isinstance(items, dict) and "min_items" in items:
        found |= {"minItems": items.pop("min_items"), "maxItems": items.pop("max_items")}
    if found.pop("nullable", False) is True and found:
        description = found.pop("description", "")
        found = {"anyOf": [found, _NULL], "description": description}
    return found


def _differ(root: dict[str, Any], path: list[str], how: str, what: Any) -> None:
    holder, last = _at(root, path[:-1]), path[-1]
    if how == "+":
        holder[last] = [*holder[last], *what]
    elif how == "or":
        holder[last] = {"anyOf": [holder[last], what]}
    else:
        del holder[last][what]


def _at(root: dict[str, Any], path: list[str]) -> Any:
    found: Any = root
    for step in path:
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


@cache
def operations() -> dict[str, tuple[str, re.Pattern[str]]]:
    """Return for each operationId its method and what matches its paths, those without parameters first."""
    found = {
        operation["operationId"]: (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }
    return dict(sorted(found.items(), key=lambda each: each[1][1].pattern.count("[^/]+")))


def operation_of(method: str, path: str) -> str | None:
    """Return the operationId of a request, or None."""
    plain = path.partition("?")[0]
    for name, (its, pattern) in operations().items():
        if its == method and pattern.fullmatch(plain):
            return name
    return None


@cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({**document(), "$ref": pointer})


def complaints(pointer: str, value: object) -> list[str]:
    """Say in what a value is not as the schema has it that a pointer into the document names."""
    return [f"{error.json_path}: {error.message[:500]}" for error in _validator(pointer).iter_errors(value)]


@cache
def _answers() -> dict[str, tuple[str, dict[str, Any]]]:
    return {
        operation["operationId"]: (f"#/paths/{path.replace('/', '~1')}/{method}/responses", operation["responses"])
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


@dataclass
class Witness:
    """Holds answers against the specification, and remembers which operations it saw.

    Attributes:
        succeeded: The operations that it saw succeed.
        refused: For each status of a refusal, the operations that it saw refused with it.
    """

    succeeded: set[str] = field(default_factory=set)
    refused: dict[int, set[str]] = field(default_factory=dict)

    def see(self, method: str, path: str, status: int, kind: str, body: bytes) -> None:
        """Look at an answer.

        Args:
            method: The request's method.
            path: Its path, behind that of the base URL.
            status: The answer's status.
            kind: Its content type.
            body: Its body.

        Raises:
            AssertionError: It is not as specified.
        """
        name = operation_of(method, path)
        if name is None:
            assert status in {404, 405}, f"{method} {path} is not specified, but answers {status}"
            assert complaints("#/components/schemas/ErrorResponse", json.loads(body)) == []
            return
        pointer, answers = _answers()[name]
        key = "4XX" if status >= 400 else str(status)  # what a test makes fail has the shape of a refusal too
        assert key in answers, f"{name} may not answer {status}: {body[:500]!r}"
        plain = kind.partition(";")[0]
        assert plain in answers[key]["content"], f"{name} may not answer {kind}"
        if plain == "application/json":
            found = complaints(f"{pointer}/{key}/content/application~1json/schema", json.loads(body))
            assert not found, f"{method} {path} answered {body[:500]!r}: {found}"
        (self.succeeded if status < 400 else self.refused.setdefault(status, set())).add(name)
