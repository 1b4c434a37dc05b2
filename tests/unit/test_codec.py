"""Strict in types, exact in numbers: what is not as promised is a ResponseFormatError that says where."""

from __future__ import annotations

import json
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fine_tuning_async import (
    File,
    FineTuningJob,
    InvalidArgumentError,
    JobCheckpoint,
    JobEvent,
    Method,
    ResponseFormatError,
    SupervisedHyperparameters,
    WandbSettings,
    from_dict,
    to_dict,
)
from fine_tuning_async._codec import structure, structure_page
from fine_tuning_async._document import decode, encode
from fine_tuning_async.models import (
    Integration,
    MultiGrader,
    PythonGrader,
    ScoreModelGrader,
    StringCheckGrader,
    UnknownGrader,
)

JOB: dict[str, Any] = {"id": "ftjob-1", "created_at": 1, "model": "m", "status": "running"}
CHECK = {"type": "string_check", "name": "n", "input": "i", "reference": "r", "operation": "eq"}


def refused(cls: Any, document: object, path: str) -> str:
    with pytest.raises(ResponseFormatError) as caught:
        structure(cls, document, request_id="req_7")
    assert caught.value.path == path
    assert caught.value.request_id == "req_7"
    assert caught.value.cursor is None
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": None}, "$.id"),
        ({"id": 5}, "$.id"),
        ({"created_at": None}, "$.created_at"),
        ({"created_at": "1"}, "$.created_at"),
        ({"created_at": True}, "$.created_at"),
        ({"created_at": 5.9}, "$.created_at"),
        ({"created_at": 1e22}, "$.created_at"),
        ({"status": ["running"]}, "$.status"),
        ({"seed": "7"}, "$.seed"),
        ({"seed": False}, "$.seed"),
        ({"result_files": "file-1"}, "$.result_files"),
        ({"result_files": ["file-1", None]}, "$.result_files[1]"),
        ({"metadata": {"a": "b", "c": 1}}, "$.metadata.c"),
        ({"metadata": {"two words": None}}, "$.metadata['two words']"),
        ({"metadata": ["a"]}, "$.metadata"),
        ({"error": "bad"}, "$.error"),
        ({"error": {"code": 5}}, "$.error.code"),
        ({"hyperparameters": []}, "$.hyperparameters"),
        ({"hyperparameters": {"n_epochs": 1.5}}, "$.hyperparameters.n_epochs"),
        ({"hyperparameters": {"n_epochs": True}}, "$.hyperparameters.n_epochs"),
        ({"hyperparameters": {"learning_rate_multiplier": True}}, "$.hyperparameters.learning_rate_multiplier"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": 1}}]}, "$.integrations[0].wandb.project"),
        ({"method": "supervised"}, "$.method"),
        (
            {"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": []}}}},
            "$.method.dpo.hyperparameters.beta",
        ),
        ({"method": {"type": "reinforcement", "reinforcement": {"grader": []}}}, "$.method.reinforcement.grader"),
    ],
)
def test_a_wrong_type_is_refused_with_its_path(change: dict[str, object], path: str) -> None:
    assert path in refused(FineTuningJob, JOB | change, path)


@pytest.mark.parametrize("name", JOB)
def test_a_missing_field_is_named(name: str) -> None:
    document = {key: value for key, value in JOB.items() if key != name}
    assert f"no field {name!r}" in refused(FineTuningJob, document, "$")


@pytest.mark.parametrize("document", [None, True, 5, 5.0, "text", [], [JOB]])
def test_a_root_that_is_no_object_is_refused(document: object) -> None:
    assert "an object" in refused(FineTuningJob, document, "$")
    with pytest.raises(ResponseFormatError):
        from_dict(FineTuningJob, document)  # type: ignore[arg-type]  # what a type checker cannot see


def test_an_item_of_a_page_is_named_by_its_index() -> None:
    with pytest.raises(ResponseFormatError) as caught:
        structure_page(FineTuningJob, [JOB, JOB, JOB | {"seed": "x"}], request_id="req_9")
    assert caught.value.path == "$.data[2].seed"
    assert caught.value.request_id == "req_9"
    assert "req_9" in str(caught.value)


@pytest.mark.parametrize("cls", [FineTuningJob, JobEvent, JobCheckpoint, File])
def test_an_empty_object_is_refused(cls: Any) -> None:
    assert "no field" in refused(cls, {}, "$")


@pytest.mark.parametrize(
    "value", [-(2**63), -(2**63) - 1, 2**63, 2**64 - 1, 2**64, 10**18, 10**19, -(10**25), 10**300]
)
def test_whole_numbers_of_any_size_are_exact(value: int) -> None:
    body = json.dumps(JOB | {"seed": value, "unknown": {"deep": [value]}}).encode()
    job = structure(FineTuningJob, decode(body))
    assert job.seed == value
    assert type(job.seed) is int
    assert to_dict(job) == json.loads(body)


@settings(deadline=None, max_examples=60)
@given(st.integers())
def test_any_whole_number_is_exact_or_refused(value: int) -> None:
    assert decode(b'{"a":[%d]}' % value) == {"a": [value]}


@settings(deadline=None, max_examples=60)
@given(st.integers(min_value=10**17), st.sampled_from(["{}.0", "{}e0", "{}E2", "0.{}", "1e-{}", '"{}"']))
def test_long_digits_that_are_no_whole_number_read_as_json_says(value: int, form: str) -> None:
    text = f"[{form.format(value)}]"
    try:
        assert decode(text.encode()) == json.loads(text)
    except ResponseFormatError:
        assert json.loads(text) == [float("inf")]


def test_a_whole_number_written_as_a_float_counts_and_goes_back_as_it_came() -> None:
    job = from_dict(FineTuningJob, JOB | {"seed": 5.0, "hyperparameters": {"n_epochs": 3.0}})
    assert (job.seed, type(job.seed)) == (5, int)
    assert job.hyperparameters is not None
    assert type(job.hyperparameters.n_epochs) is int
    back = to_dict(job)
    assert json.dumps(back["seed"]) == "5.0"
    assert json.dumps(back["hyperparameters"]) == '{"n_epochs": 3.0}'


@pytest.mark.parametrize(
    ("value", "fits"), [(2.0**53, True), (2.0**53 + 2, False), (-(2.0**53), True), (1e300, False)]
)
def test_a_float_counts_as_whole_only_where_doubles_are_exact(value: float, fits: bool) -> None:
    if fits:
        assert from_dict(FineTuningJob, JOB | {"seed": value}).seed == int(value)
    else:
        refused(FineTuningJob, JOB | {"seed": value}, "$.seed")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"<html>down</html>",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b'{"a":1e400}',
        b'{"a":1e400,"b":99999999999999999999}',
        b'{"a":-1e400}',
        b'{"a":NaN}',
        b'{"a":NaN,"b":99999999999999999999}',
        b'{"a":Infinity}',
        b'{"a":-Infinity,"b":99999999999999999999}',
        b'"\\ud800"',
        b'["\\ud800",99999999999999999999]',
        b'["\\udc00\\ud800"]',
        b'["\xed\xa0\x80",99999999999999999999]',
        b'["\xff"]',
        b"\xff\xfe[\x001\x00]\x00",
        '["a",99999999999999999999]'.encode("utf-16"),
        b'{"a":1}{"b":2}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":01}',
        b'{"a":1',
        b'{"a":"\n"}',
        b"[" * 100_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b"[" * 2_000 + b"99999999999999999999" + b"]" * 2_000,
        b"[" + b"9" * 5_000 + b"]",
    ],
    ids=range(29),
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ResponseFormatError) as caught:
        decode(body, request_id="req_3")
    assert caught.value.path == "$"
    assert caught.value.request_id == "req_3"
    assert len(str(caught.value)) < 500


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=40))
def test_garbage_decodes_as_json_says_or_is_refused(body: bytes) -> None:
    try:
        document = decode(body)
    except ResponseFormatError:
        return
    assert document == json.loads(body)


@pytest.mark.parametrize("depth", [100, 500, 790])
def test_depth_is_carried_or_refused_and_never_breaks_the_stack(depth: int) -> None:
    nest = b"[" * depth + b"]" * depth
    job = structure(FineTuningJob, decode(json.dumps(JOB)[:-1].encode() + b',"unknown":' + nest + b"}"))
    assert isinstance(to_dict(job)["unknown"], list)
    assert isinstance(job.extra["unknown"], list)
    event = structure(JobEvent, decode(b'{"id":"e","created_at":1,"message":"m","data":' + nest + b"}"))
    assert to_dict(event)["data"] is not event.data
    assert isinstance(from_dict(JobEvent, to_dict(event)).data, list)
    refused(FineTuningJob, decode(b'{"id":' + nest + b"}"), "$.id")


def test_a_number_of_thousands_of_digits_is_refused_where_it_does_not_belong() -> None:
    refused(FineTuningJob, JOB | {"model": 10**5_000}, "$.model")


def test_a_message_says_what_was_expected_and_found_in_few_words() -> None:
    message = refused(FineTuningJob, JOB | {"seed": "x" * 10_000}, "$.seed")
    assert "should be a whole number, but is the string 'xxx" in message
    assert len(message) < 250


def test_absent_and_null_are_told_apart() -> None:
    assert to_dict(from_dict(FineTuningJob, JOB)) == JOB
    assert to_dict(from_dict(FineTuningJob, JOB | {"seed": None})) == JOB | {"seed": None}
    assert to_dict(from_dict(FineTuningJob, JOB | {"error": {}})) == JOB | {"error": {}}


def test_a_model_that_the_caller_built_says_only_what_was_said() -> None:
    method = Method.supervised(n_epochs=3)
    assert to_dict(method) == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}}
    assert to_dict(Integration(wandb=WandbSettings("p", tags=["a"]))) == {
        "type": "wandb",
        "wandb": {"project": "p", "tags": ["a"]},
    }


def test_an_int_that_replaces_true_is_an_int() -> None:
    event = from_dict(JobEvent, {"id": "e", "created_at": 1, "message": "m", "data": True})
    assert to_dict(attrs.evolve(event, data=1))["data"] is not True
    assert to_dict(attrs.evolve(event, data=False))["data"] is False


@pytest.mark.parametrize("wrap", [OrderedDict, MappingProxyType])
def test_any_mapping_is_taken(wrap: Any) -> None:
    assert to_dict(from_dict(FineTuningJob, wrap(JOB | {"x": 1}))) == JOB | {"x": 1}


def test_what_was_given_is_not_kept_but_copied() -> None:
    given_: dict[str, Any] = JOB | {"unknown": {"a": [1]}, "metadata": {"a": "b"}}
    job = from_dict(FineTuningJob, given_)
    given_["unknown"]["a"].append(2)
    given_["metadata"]["c"] = "d"
    assert job.extra == {"unknown": {"a": [1]}}
    assert job.metadata == {"a": "b"}


# -- graders: a union by tag -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "cls"),
    [
        (CHECK, StringCheckGrader),
        ({"type": "python", "name": "n", "source": "s", "image_tag": None}, PythonGrader),
        ({"type": "score_model", "name": "n", "model": "m", "input": [{}], "range": [0, 1.5]}, ScoreModelGrader),
        ({"type": "endpoint", "url": "https://a"}, UnknownGrader),
        ({"type": None, "name": "n"}, UnknownGrader),
        ({}, UnknownGrader),
    ],
)
def test_a_grader_is_told_by_its_type(document: dict[str, object], cls: type) -> None:
    job = JOB | {"method": {"type": "reinforcement", "reinforcement": {"grader": document}}}
    method = from_dict(FineTuningJob, job).method
    assert method is not None
    assert method.reinforcement is not None
    assert method.reinforcement.grader is not None
    assert type(method.reinforcement.grader) is cls
    assert to_dict(method.reinforcement.grader) == document


@pytest.mark.parametrize("graders", [{"a": CHECK, "b": {"type": "new"}}, [CHECK, {"type": "new"}], CHECK, {}, []])
def test_a_multi_grader_takes_a_mapping_a_list_or_one_grader(graders: object) -> None:
    document = {"type": "multi", "name": "n", "graders": graders, "calculate_output": "a"}
    assert to_dict(from_dict(MultiGrader, document)) == document


def test_the_graders_of_a_multi_grader_are_typed() -> None:
    multi = {"type": "multi", "name": "n", "calculate_output": "a"}
    named = from_dict(MultiGrader, multi | {"graders": {"a": CHECK, "b": multi}}).graders
    assert isinstance(named, dict)
    assert isinstance(named["a"], StringCheckGrader)
    assert isinstance(named["b"], UnknownGrader)  # the API nests no multi grader in another
    listed = from_dict(MultiGrader, multi | {"graders": [CHECK]}).graders
    assert isinstance(listed, list)
    assert isinstance(listed[0], StringCheckGrader)
    assert isinstance(from_dict(MultiGrader, multi | {"graders": CHECK}).graders, StringCheckGrader)


@pytest.mark.parametrize(
    ("graders", "path"),
    [
        ("a", "$.graders"),
        ({"a": 1}, "$.graders.a"),
        ({"a b": CHECK | {"name": 1}}, "$.graders['a b'].name"),
        ([CHECK, CHECK | {"name": 1}], "$.graders[1].name"),
        (CHECK | {"name": 1}, "$.graders.name"),
    ],
)
def test_a_wrong_grader_within_a_multi_grader_is_found(graders: object, path: str) -> None:
    document = {"type": "multi", "name": "n", "graders": graders, "calculate_output": "a"}
    refused(MultiGrader, document, path)


# -- encoding ----------------------------------------------------------------------------------------------------


def test_a_byte_order_mark_before_a_document_is_passed_over() -> None:
    text = b'{"id":"job","n":99999999999999999999}'
    assert decode(b"\xef\xbb\xbf" + text) == decode(text)


def test_encoding_is_compact_utf8_and_exact() -> None:
    document = {"a": ["ä", 2**70, None, True, 0.1]}
    assert encode(document) == '{"a":["ä",1180591620717411303424,null,true,0.1]}'.encode()


@pytest.mark.parametrize(
    "document", [object(), {"a": {1, 2}}, {"a": float("nan")}, [float("inf")], "\ud800", {("a",): 1}, b"bytes"]
)
def test_what_json_cannot_say_is_the_callers_mistake(document: object) -> None:
    with pytest.raises(InvalidArgumentError, match="JSON"):
        encode(document)


def test_hyperparameters_keep_their_order_and_unknown_neighbours() -> None:
    document = {"lora_r": 16, "n_epochs": 3, "packing": True}
    changed = attrs.evolve(from_dict(SupervisedHyperparameters, document), n_epochs=4, batch_size=8)
    assert to_dict(changed) == {"lora_r": 16, "n_epochs": 4, "packing": True, "batch_size": 8}
    assert list(to_dict(changed)) == ["lora_r", "n_epochs", "packing", "batch_size"]
