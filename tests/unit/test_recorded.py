"""Answers that real servers gave: each is understood, and comes back as it was."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest
from multidict import CIMultiDict

from fine_tuning_async import (
    APIError,
    CheckpointPermission,
    Deletion,
    File,
    FineTuningJob,
    GraderErrors,
    GraderRun,
    GraderRunMetadata,
    JobCheckpoint,
    JobEvent,
    Model,
    SamplingParams,
    Upload,
    UploadPart,
    from_dict,
    to_dict,
)
from fine_tuning_async._codec import structure
from fine_tuning_async._secret import Secret
from fine_tuning_async._wire import Response, decipher
from fine_tuning_async.api import _create
from fine_tuning_async.errors import error_class
from fine_tuning_async.models import (
    DPOHyperparameters,
    LabelModelGrader,
    MultiGrader,
    PythonGrader,
    ReinforcementHyperparameters,
    ScoreModelGrader,
    StringCheckGrader,
    SupervisedHyperparameters,
    TextSimilarityGrader,
    WireObject,
)
from fine_tuning_async.models._limits import Fraction, Limit, OneOf, Whole
from fine_tuning_async.pagination import parse_page

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = Path(__file__).parents[3] / "shared"
RECORDED = SHARED / "data" / "responses"
SPECIFICATION = SHARED / "spec" / "openai-fine-tuning.openapi.json"

# Kinds without a model of their own are left out.
MODELS: dict[str, type[WireObject]] = {
    "job": FineTuningJob,
    "event": JobEvent,
    "checkpoint": JobCheckpoint,
    "file": File,
    "model": Model,
    "permission": CheckpointPermission,
    "deletion": Deletion,
    "grader run": GraderRun,
    "upload": Upload,
}
# The tag that each object bears, by which examples are found in the specification.
BY_TAG = {
    "fine_tuning.job": FineTuningJob,
    "fine_tuning.job.event": JobEvent,
    "file": File,
    "fine_tuning.job.checkpoint": JobCheckpoint,
    "model": Model,
    "checkpoint.permission": CheckpointPermission,
    "upload": Upload,
    "upload.part": UploadPart,
}
BY_TYPE: dict[str, type[WireObject]] = {
    "string_check": StringCheckGrader,
    "text_similarity": TextSimilarityGrader,
    "python": PythonGrader,
    "score_model": ScoreModelGrader,
    "label_model": LabelModelGrader,
    "multi": MultiGrader,
}


def _index() -> list[dict[str, Any]]:
    index = RECORDED / "index.json"
    found: list[dict[str, Any]] = json.loads(index.read_text("utf-8")) if index.exists() else []
    return [{**each, "kind": _kind(each)} for each in found]


def _kind(entry: dict[str, Any]) -> str:
    # What deleting answers is filed under several kinds, that of the thing itself among them.
    if entry["method"] == "DELETE" and entry["kind"] != "error":
        return "deletion"
    kind: str = entry["kind"]
    return "grader run" if kind == "other" and entry["url"].endswith("/graders/run") else kind


def _recorded(*kinds: str) -> pytest.MarkDecorator:
    entries = [each for each in _index() if each["kind"] in kinds]
    missing = pytest.param(None, marks=pytest.mark.skip(reason=f"no recorded answers in {RECORDED}"))
    rows = [pytest.param(each, id=each["file"]) for each in entries]
    return pytest.mark.parametrize("entry", rows or [missing])


def _body(entry: dict[str, Any]) -> bytes:
    file: str = entry["file"]
    return (RECORDED / file).read_bytes()


def exact(document: object) -> str:
    return json.dumps(document, sort_keys=True)


@_recorded(*MODELS)
def test_a_recorded_object_comes_back_exactly(entry: dict[str, Any]) -> None:
    cls = MODELS[entry["kind"]]
    response = Response(entry["status"], CIMultiDict(), _body(entry))
    model = structure(cls, response.json())
    assert exact(to_dict(model)) == exact(json.loads(_body(entry)))
    assert exact(to_dict(from_dict(cls, json.loads(_body(entry))))) == exact(json.loads(_body(entry)))


@_recorded(*(f"page-{kind}s" for kind in MODELS))
def test_a_recorded_page_is_parsed_whole(entry: dict[str, Any]) -> None:
    cls = MODELS[entry["kind"].removeprefix("page-").removesuffix("s")]
    document = json.loads(_body(entry))
    page = parse_page(cls, Response(entry["status"], CIMultiDict({"x-request-id": "req_1"}), _body(entry)))
    assert exact([to_dict(each) for each in page.data]) == exact(document["data"])
    assert page.has_more is document.get("has_more")
    assert page.request_id == "req_1"
    goes_on = document.get("has_more") is not False and document["data"]
    assert page.next_cursor == (document["data"][-1]["id"] if goes_on else None)


@_recorded("page-models")
def test_a_recorded_page_of_models_is_the_only_one(entry: dict[str, Any]) -> None:
    page = parse_page(Model, Response(entry["status"], CIMultiDict(), _body(entry)), paged=False)
    assert page.data
    assert (page.has_more, page.next_cursor) == (None, None)


@_recorded("deletion")
def test_a_recorded_deletion_says_what_is_gone(entry: dict[str, Any]) -> None:
    document = json.loads(_body(entry))
    gone = from_dict(Deletion, document)
    assert (gone.id, gone.deleted, gone.object) == (document["id"], True, document["object"])


@_recorded("error")
def test_a_recorded_error_is_read(entry: dict[str, Any]) -> None:
    document = json.loads(_body(entry))["error"]
    failure = decipher(Response(entry["status"], CIMultiDict(), _body(entry)), "GET /x", secret=Secret(""), now=0)
    assert type(failure) is error_class(entry["status"])
    assert isinstance(failure, APIError)
    for name in ("message", "code", "param", "type"):
        said = document.get(name)
        assert getattr(failure, name) == (None if said is None else str(said))
    assert document["message"] in str(failure)


@_recorded("text")
def test_a_recorded_text_is_an_error_where_its_status_says_so(entry: dict[str, Any]) -> None:
    answer = Response(entry["status"], CIMultiDict(), _body(entry))
    deciphered = decipher(answer, "GET /x", secret=Secret(""), now=0)
    if entry["status"] < 300:
        assert deciphered is answer
    else:
        assert isinstance(deciphered, APIError)
        assert deciphered.message == _body(entry).decode().strip()


@_recorded("job")
def test_what_the_models_say_of_a_recorded_job_does_not_fail(entry: dict[str, Any]) -> None:
    document = json.loads(_body(entry))
    job = from_dict(FineTuningJob, document)
    assert job.created.timestamp() == document["created_at"]
    assert job.is_terminal is (document["status"] in {"succeeded", "failed", "cancelled", "canceled"})
    assert job.id in repr(job)
    assert not set(job.extra) - set(document)


# -- the specification -------------------------------------------------------------------------------------------


def _specification() -> dict[str, Any]:
    if not SPECIFICATION.exists():
        pytest.skip(f"no specification in {SPECIFICATION}")
    document: dict[str, Any] = json.loads(SPECIFICATION.read_text("utf-8"))
    return document


def _examples(node: object) -> Iterator[dict[str, Any]]:
    """Every object in an example of the specification; examples are texts, and some are nearly JSON."""
    if isinstance(node, str) and node.lstrip().startswith("{"):
        tidied = re.sub(r",(\s*[}\]])", r"\1", node.replace("None", "null"))
        tidied = re.sub(r",\s*\{ \.\.\. \}", "", tidied)
        try:
            node = json.loads(tidied)
        except ValueError:
            return
        yield from _examples(node)
    elif isinstance(node, dict):
        yield node
        for each in node.values():
            yield from _examples(each)
    elif isinstance(node, list):
        for each in node:
            yield from _examples(each)


def test_every_example_of_the_specification_comes_back_exactly() -> None:
    seen: set[type[WireObject]] = set()
    for example in _examples(_specification()):
        tag, kind = example.get("object"), example.get("type")
        cls = BY_TAG.get(tag) if isinstance(tag, str) else BY_TYPE.get(kind) if isinstance(kind, str) else None
        # What deleting and running a grader answer bears the tags of objects too.
        cls = GraderRun if isinstance(example.get("reward"), float) else cls
        if cls is None or "errors" in example:
            continue
        cls = Deletion if "deleted" in example else cls
        assert exact(to_dict(from_dict(cls, example))) == exact(example)
        seen.add(cls)
    assert seen >= {FineTuningJob, JobEvent, JobCheckpoint, File, MultiGrader, StringCheckGrader}
    assert seen >= {Model, CheckpointPermission, Deletion, GraderRun, Upload, UploadPart}


@pytest.mark.parametrize("cls", [SupervisedHyperparameters, DPOHyperparameters, ReinforcementHyperparameters])
def test_the_limits_of_hyperparameters_are_the_specifications(cls: type[WireObject]) -> None:
    schema = _specification()["components"]["schemas"][f"FineTune{cls.__name__}"]["properties"]
    limits = _limits(cls)
    assert set(limits) == set(schema)
    for name, rule in schema.items():
        assert limits[name] == _limit(rule), name


@pytest.mark.parametrize("cls", [StringCheckGrader, TextSimilarityGrader])
def test_the_vocabularies_of_graders_are_the_specifications(cls: type[WireObject]) -> None:
    schema = _specification()["components"]["schemas"][f"Grader{cls.__name__.removesuffix('Grader')}"][
        "properties"
    ]
    for name, limit in _limits(cls).items():
        assert isinstance(limit, OneOf)
        assert set(limit.choices) == set(schema[name]["enum"])


def test_the_limits_of_sampling_are_the_specifications() -> None:
    schemas = _specification()["components"]["schemas"]
    rules = schemas["GraderScoreModel"]["properties"]["sampling_params"]["properties"]
    assert set(get_type_hints(SamplingParams)) - {"_raw"} == set(rules)
    limits = _limits(SamplingParams)
    assert set(limits) == {"max_completions_tokens", "reasoning_effort"}
    assert limits["reasoning_effort"] == OneOf(tuple(schemas["ReasoningEffort"]["anyOf"][0]["enum"]))
    least = rules["max_completions_tokens"]["anyOf"][0]["minimum"]
    assert limits["max_completions_tokens"] == Whole(least, auto=False)


def test_a_run_has_the_fields_of_the_specification() -> None:
    schema = _specification()["components"]["schemas"]["RunGraderResponse"]["properties"]
    for cls, properties in (
        (GraderRun, schema),
        (GraderRunMetadata, schema["metadata"]["properties"]),
        (GraderErrors, schema["metadata"]["properties"]["errors"]["properties"]),
    ):
        assert set(get_type_hints(cls)) - {"_raw"} == set(properties)


@_recorded("grader run")
def test_a_recorded_run_is_understood(entry: dict[str, Any]) -> None:
    run = from_dict(GraderRun, json.loads(_body(entry)))
    assert run.metadata is not None
    assert run.metadata.errors is not None
    assert (run.reward, run.metadata.errors.raised, run.metadata.type) == (1.0, [], "score_model")
    assert isinstance(run.metadata.token_usage, dict)


def test_the_limits_of_a_create_are_the_specifications() -> None:
    schema = _specification()["components"]["schemas"]["CreateFineTuningJobRequest"]["properties"]
    assert (_create.SUFFIX.minimum, _create.SUFFIX.maximum) == (
        schema["suffix"]["minLength"],
        schema["suffix"]["maxLength"],
    )
    assert (_create.SEED.minimum, _create.SEED.maximum) == (schema["seed"]["minimum"], schema["seed"]["maximum"])


def _limits(cls: type[WireObject]) -> dict[str, Limit]:
    hints = get_type_hints(cls, include_extras=True)
    found = {
        name: [each for each in get_args(hint)[1:] if isinstance(each, Limit)] for name, hint in hints.items()
    }
    return {name: limits[0] for name, limits in found.items() if limits}


def _limit(rule: dict[str, Any]) -> Limit:
    if "enum" in rule:
        return OneOf(tuple(rule["enum"]))
    (number,) = (each for each in rule["oneOf"] if each["type"] != "string")
    if number["type"] == "integer":
        return Whole(number["minimum"], number.get("maximum"))
    assert number["exclusiveMinimum"]
    return Fraction(number["minimum"], number.get("maximum"))
