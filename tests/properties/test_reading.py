"""The quick ways from text to models are the strict one: the same models, the same refusals, the same words."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fine_tuning_async import ResponseFormatError, to_dict
from fine_tuning_async._codec import structure
from fine_tuning_async._document import decode, encode
from fine_tuning_async._reading import _read_strictly, read, read_page
from fine_tuning_async.models import FineTuningJob, JobEvent, MultiGrader, WireObject
from tests.properties.strategies import cases, events, jobs, json_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.properties.strategies import Case, Document

quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
thorough = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))

MARK = "@here@"
JOB = {"id": "ftjob-1", "created_at": 1, "model": "m", "status": "running"}

# What can stand in the place of a value, good and bad.
TOKENS = (
    *("1e400", "-1e400", "1E+400", "[1e0400]", "1e308", "1e-400", "1e5", "5.0", "-0", "-0.0", "0e999"),
    *("9" * 20, "-" + "9" * 40, "9" * 310, "9" * 5_000, "9" * 230 + "e99", "9" * 310 + ".5", "0.1e1"),
    *('"\\ud800"', '"\\udc00x"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\q"', '"\t"', '"é😀"', '"e300,"', '"9e400}"'),
    *("01", "1.", ".5", "+5", "-", "NaN", "Infinity", "nul", "tru", "[1,]", '{"a":1,}', '{"a":1 "b":2}', "[1 2]"),
    *('{"a":1,"a":2}', '{"\\u0061":1,"a":[]}', '{"_raw":5}', "{}", "[]", "null", "true", '""', ""),
    *("[" * 100 + "]" * 100, '{"a":' * 400 + "1" + "}" * 400, "[" * 3_000 + "]" * 3_000, " \n [ ] \t"),
    *(
        '"x":1',
        '1,"id":"other"',
        '1,"id":5',
        '1,"method":null',
        '1,"method":{"type":"dpo","type":"x"}',
        "1}",
        "1}{",
    ),
)
RAW = (b'"\xff"', b'"\xed\xa0\x80"', b'"\xc3"', b"\x00", b"\xef\xbb\xbf1", b"1\x0b")
tokens = st.sampled_from([*(each.encode() for each in TOKENS), *RAW])


def strictly(cls: type[WireObject], text: bytes) -> WireObject:
    return structure(cls, decode(text, request_id="req_1"), request_id="req_1")


def quickly(cls: type[WireObject], text: bytes) -> WireObject:
    return read(cls, text, request_id="req_1")


def outcome(way: Callable[[], Any]) -> Any:
    try:
        return way()
    except ResponseFormatError as error:
        return (str(error), error.path, error.request_id)


def exact(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def assert_same(cls: type[WireObject], text: bytes) -> None:
    quick_one, strict_one = outcome(lambda: quickly(cls, text)), outcome(lambda: strictly(cls, text))
    if isinstance(strict_one, tuple):
        assert quick_one == strict_one
    else:
        assert_alike(quick_one, strict_one)


def assert_alike(one: Any, other: Any) -> None:
    """Nothing tells two values apart: not their types, not their fields, nor what was unknown at any depth."""
    assert type(one) is type(other)
    assert one == other
    assert repr(one) == repr(other)
    for here, there in zip(models_in(one), models_in(other), strict=True):
        assert type(here) is type(there)
        assert exact(to_dict(attrs.evolve(here))) == exact(to_dict(attrs.evolve(there)))
        assert exact(here.extra) == exact(there.extra)
        assert exact(to_dict(here)) == exact(to_dict(there))


def models_in(value: Any) -> Iterator[WireObject]:
    if isinstance(value, WireObject):
        yield value
        for each in attrs.fields(type(value)):
            if each.name != "_raw":
                yield from models_in(getattr(value, each.name))
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from models_in(inner)


@quick
@given(cases)
def test_both_ways_make_the_same_model(case: Case) -> None:
    cls, document = case
    assert_same(cls, encode(document))
    assert_same(cls, json.dumps(document, indent=1).encode())


@thorough
@given(case=cases, token=tokens, data=st.data())
def test_both_ways_refuse_the_same_in_the_same_words(case: Case, token: bytes, data: st.DataObject) -> None:
    cls, document = case
    spoilt = {**document, data.draw(st.sampled_from(["x", *document])): MARK}
    assert_same(cls, encode(spoilt).replace(encode(MARK), token))


@thorough
@given(case=cases, value=json_values, data=st.data())
def test_both_ways_agree_on_any_value_in_any_place(case: Case, value: object, data: st.DataObject) -> None:
    cls, document = case
    spoilt = copy.deepcopy(document)
    place: Any = spoilt
    while isinstance(place, dict) and place:
        key = data.draw(st.sampled_from(list(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            place[key] = value
            break
        place = place[key]
    assert_same(cls, encode(spoilt))


@thorough
@given(case=cases, byte=st.sampled_from(list(b'{}[]":,\\0e.-\xff ')), data=st.data())
def test_both_ways_agree_on_a_damaged_text(case: Case, byte: int, data: st.DataObject) -> None:
    cls, document = case
    text = bytearray(encode(document))
    at = data.draw(st.integers(0, len(text) - 1))
    text[at : at + data.draw(st.integers(0, 1))] = bytes([byte])
    assert_same(cls, bytes(text))


@pytest.mark.parametrize("value", ["null", "[]", "{}", '"x"', '{"a":null}', "[null]"])
def test_both_ways_refuse_a_null_where_something_is_required_that_no_struct_can_say(value: str) -> None:
    assert_same(MultiGrader, f'{{"name":"n","graders":{value},"calculate_output":"a"}}'.encode())


@quick
@given(cases)
def test_a_model_that_was_read_quickly_is_copied_and_pickled_whole(case: Case) -> None:
    cls, document = case
    model = quickly(cls, encode(document))
    for each in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301 - our own
        assert_alike(each, strictly(cls, encode(document)))


@quick
@given(document=jobs, data=st.data())
def test_a_model_within_another_can_be_changed_and_keeps_the_rest(document: Document, data: st.DataObject) -> None:
    one, other = quickly(FineTuningJob, encode(document)), strictly(FineTuningJob, encode(document))
    at = data.draw(st.integers(0, len(list(models_in(one))) - 1))
    here, there = list(models_in(one))[at], list(models_in(other))[at]
    name = data.draw(st.sampled_from([each.alias for each in attrs.fields(type(here)) if each.name != "_raw"]))
    changes: dict[str, Any] = {name or "": data.draw(json_values)}
    assert exact(to_dict(attrs.evolve(here, **changes))) == exact(to_dict(attrs.evolve(there, **changes)))


# -- pages -------------------------------------------------------------------------------------------------------

around = {
    "object": st.just("list"),
    "has_more": st.none() | st.booleans(),
    "first_id": json_values,
    "last_id": json_values,
    "unknown": json_values,
}
listed = st.fixed_dictionaries({"data": st.lists(jobs, max_size=3)}, optional=around)
listed_plainly = st.fixed_dictionaries({"data": st.lists(st.just(JOB), max_size=3)}, optional=around)


def assert_same_page(cls: type[WireObject], text: bytes) -> None:
    strict_one = outcome(lambda: _read_strictly(cls, decode(text, request_id="r"), "r"))
    quick_one = outcome(lambda: read_page(cls, text, request_id="r"))
    if isinstance(strict_one, tuple):
        assert quick_one == strict_one
        return
    assert_alike(quick_one.items, strict_one.items)
    assert quick_one.has_more is strict_one.has_more
    assert exact(quick_one.last) == exact(strict_one.last)


@quick
@given(listed)
def test_both_ways_make_the_same_page(document: Document) -> None:
    assert_same_page(FineTuningJob, encode(document))


@quick
@given(st.lists(events, max_size=3))
def test_both_ways_make_the_same_page_of_events(documents: list[Document]) -> None:
    assert_same_page(JobEvent, encode({"data": documents, "has_more": True}))


@thorough
@given(document=listed_plainly, token=tokens, data=st.data())
def test_both_ways_refuse_the_same_pages(document: Document, token: bytes, data: st.DataObject) -> None:
    where = data.draw(st.sampled_from(["page", "data", "item", "within"]))
    if where == "page":
        document = {**document, data.draw(st.sampled_from(["x", "has_more", "last_id", "data"])): MARK}
    elif where == "data":
        document = {**document, "data": [*document["data"], MARK]}
    else:
        key = data.draw(st.sampled_from(["x", "seed", "method", "metadata", "id"]))
        document = {
            **document,
            "data": [*document["data"], {**JOB, key: MARK if where == "item" else {"a": MARK}}],
        }
    assert_same_page(FineTuningJob, encode(document).replace(encode(MARK), token))


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\r", "\v", "\f", "\x1c", "\x85", "\xa0", "\u2028", "\0"])
@pytest.mark.parametrize("page", ["@[%s]", "@[%s@]", "@[%s@%s]", "@[%s@%s,%s@%s]", "%s@[%s@,%s@]%s", "@[%s,%s]"])
def test_both_ways_take_the_same_for_space_in_a_page(page: str, space: str) -> None:
    opened = page.replace("%s", space).replace("@[", '{"data":[', 1)
    assert_same_page(FineTuningJob, (opened.replace("@", json.dumps(JOB)) + "}").encode())


@pytest.mark.parametrize("levels", [400, 700, 799, 850, 5_000])
@pytest.mark.parametrize("key", ["object", "first_id", "last_id"])
def test_both_ways_bear_the_same_depth_around_the_items_of_a_page(key: str, levels: int) -> None:
    nested = '{"a":' * levels + "1" + "}" * levels
    assert_same_page(FineTuningJob, f'{{"{key}":{nested},"data":[]}}'.encode())


@quick
@given(json_values)
@example([])
@example({"data": {}})
def test_both_ways_refuse_what_is_no_page(value: object) -> None:
    assert_same_page(FineTuningJob, encode(value))


# -- that there is more than one way -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra", [{}, {"usage_metrics": {"a": 1}}, {"unknown": "ft:e3001"}, {"unknown": {"a": [1.5]}}]
)
def test_a_usual_job_is_kept_as_text_until_somebody_asks(extra: Document) -> None:
    job = quickly(FineTuningJob, encode(JOB | extra))
    assert type(job._raw) is bytes
    assert job.extra == extra
    assert to_dict(job) == JOB | extra


def test_a_job_keeps_its_own_text_and_not_its_page() -> None:
    page = read_page(FineTuningJob, encode({"data": [JOB, JOB], "has_more": False}))
    assert [each._raw for each in page.items] == [encode(JOB), encode(JOB)]


@pytest.mark.parametrize("depth", [100, 300, 480])
def test_what_is_nested_deeply_is_written_without_recursion(depth: int) -> None:
    text = b'{"id":"e","created_at":1,"message":"m","data":' + b"[" * depth + b"]" * depth + b"}"
    event = read(JobEvent, text)
    assert isinstance(event._raw, bytes)
    assert encode(to_dict(event)["data"]) == b"[" * depth + b"]" * depth
