"""What a server sends comes back as it was sent, and what the caller changes is all that changes."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fine_tuning_async import ResponseFormatError, from_dict, to_dict
from fine_tuning_async._codec import structure, structure_page
from fine_tuning_async._document import decode, encode
from fine_tuning_async.models import FineTuningJob, WireObject, wire_names
from tests.properties.strategies import DOCUMENTS, cases, jobs, json_values

if TYPE_CHECKING:
    from tests.properties.strategies import Case, Document

by_kind = pytest.mark.parametrize("cls", DOCUMENTS, ids=lambda cls: cls.__name__)
quick = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def exact(document: object) -> str:
    """A text that differs wherever two JSON values do: True from 1, 5 from 5.0, -0.0 from 0.0."""
    return json.dumps(document, sort_keys=True)


@by_kind
@quick
@given(data=st.data())
def test_what_a_server_sends_comes_back_exactly(cls: type[WireObject], data: st.DataObject) -> None:
    document = data.draw(DOCUMENTS[cls])
    before = deepcopy(document)
    assert exact(to_dict(from_dict(cls, document))) == exact(before)
    assert exact(document) == exact(before)


@quick
@given(cases)
def test_bytes_become_models_and_the_same_bytes_again(case: Case) -> None:
    cls, document = case
    model = structure(cls, decode(encode(document)))
    assert exact(decode(encode(to_dict(model)))) == exact(document)


@quick
@given(st.lists(jobs, max_size=3))
def test_every_item_of_a_page_comes_back_exactly(documents: list[Document]) -> None:
    page = structure_page(FineTuningJob, [deepcopy(each) for each in documents])
    assert exact([to_dict(each) for each in page]) == exact(documents)


@quick
@given(cases)
def test_extra_holds_what_the_model_does_not_name(case: Case) -> None:
    cls, document = case
    known = wire_names(cls)
    assert exact(from_dict(cls, document).extra) == exact({k: v for k, v in document.items() if k not in known})


@quick
@given(cases)
def test_what_is_handed_out_shares_nothing_with_the_model(case: Case) -> None:
    cls, document = case
    model = from_dict(cls, document)
    expected = exact(document)
    for handed in (document, model.extra, to_dict(model)):
        _wreck(handed)
    assert exact(to_dict(model)) == expected


@quick
@given(case=cases, data=st.data())
def test_a_field_changed_at_any_depth_is_the_only_difference(case: Case, data: st.DataObject) -> None:
    cls, document = case
    model = from_dict(cls, document)
    path = data.draw(st.sampled_from(_places(model)))
    marker: Any = data.draw(st.sampled_from(["changed", 7, 2.5, True, ["changed"], {"changed": None}]))
    changed = to_dict(_evolved(model, path, marker))
    assert exact(_taken(changed, path)) == exact(marker)
    assert exact(_without(changed, path)) == exact(_without(document, path))


@quick
@given(case=cases, data=st.data())
def test_setting_a_field_to_none_says_null_where_there_was_something(case: Case, data: st.DataObject) -> None:
    cls, document = case
    model = from_dict(cls, document)
    path = data.draw(st.sampled_from(_places(model)))
    changed = to_dict(_evolved(model, path, None))
    there = _parent(document, path)
    if path[-1] in there:
        assert _taken(changed, path) is None
        assert exact(_without(changed, path)) == exact(_without(document, path))
    else:
        # Nothing was said, and nothing is said; but a field with a default of its own differs from it.
        assert _taken(changed, path) is None


@quick
@given(cases)
def test_evolving_nothing_changes_nothing(case: Case) -> None:
    cls, document = case
    assert exact(to_dict(attrs.evolve(from_dict(cls, document)))) == exact(document)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases, data=st.data())
def test_any_value_in_any_place_fits_losslessly_or_is_refused_with_its_path(
    case: Case, data: st.DataObject
) -> None:
    cls, document = case
    nodes = list(_nodes(document))
    path = data.draw(st.sampled_from(nodes))
    spoilt = _replaced(document, path, data.draw(json_values))
    outcome = _structured(cls, spoilt)
    if isinstance(outcome, ResponseFormatError):
        assert outcome.request_id == "req_1"
        assert outcome.path in _written(spoilt, "$")
        assert outcome.path in str(outcome)
        assert "req_1" in str(outcome)
    else:
        assert exact(to_dict(outcome)) == exact(spoilt)


@quick
@given(json_values)
def test_a_root_of_any_kind_fits_or_is_refused(value: object) -> None:
    for cls in DOCUMENTS:
        outcome = _structured(cls, value)
        if isinstance(outcome, ResponseFormatError):
            assert outcome.path in _written(value, "$")
        else:
            assert exact(to_dict(outcome)) == exact(value)


def _structured(cls: type[WireObject], document: object) -> WireObject | ResponseFormatError:
    try:
        return structure(cls, deepcopy(document), request_id="req_1")
    except ResponseFormatError as error:
        return error


# -- walking documents and models --------------------------------------------------------------------------------


def _wreck(value: Any) -> None:
    if isinstance(value, dict):
        for each in value.values():
            _wreck(each)
        value.clear()
    elif isinstance(value, list):
        for each in value:
            _wreck(each)
        value.append("wrecked")


Path = tuple[Any, ...]


def _places(model: Any, above: Path = ()) -> list[Path]:
    """Every field of a model and of the models in it, as a path of JSON keys and indices."""
    if isinstance(model, list):
        return [each for index, item in enumerate(model) for each in _places(item, (*above, index))]
    if isinstance(model, dict):
        return [each for key, item in model.items() for each in _places(item, (*above, key))]
    if not isinstance(model, WireObject):
        return []
    places: list[Path] = []
    for key, attribute in wire_names(type(model)).items():
        places += [(*above, key), *_places(getattr(model, attribute), (*above, key))]
    return places


def _evolved(model: Any, path: Path, value: object) -> Any:
    if not path:
        return value
    first, *rest = path
    if isinstance(model, WireObject):
        inner = getattr(model, wire_names(type(model))[first])
        return attrs.evolve(model, **{first: _evolved(inner, tuple(rest), value)})
    changed = model.copy()
    changed[first] = _evolved(model[first], tuple(rest), value)
    return changed


def _taken(document: Any, path: Path) -> object:
    for step in path[:-1]:
        document = document[step]
    return document.get(path[-1])


def _parent(document: Any, path: Path) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


def _without(document: Document, path: Path) -> Document:
    rest = deepcopy(document)
    _parent(rest, path).pop(path[-1], None)
    return rest


def _nodes(document: Any, above: Path = ()) -> list[Path]:
    pairs: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        pairs = list(document.items())
    elif isinstance(document, list):
        pairs = list(enumerate(document))
    return [above, *(each for key, value in pairs for each in _nodes(value, (*above, key)))]


def _replaced(document: Any, path: Path, value: object) -> Any:
    if not path:
        return value
    changed = document.copy()
    changed[path[0]] = _replaced(document[path[0]], path[1:], value)
    return changed


def _written(document: object, above: str) -> list[str]:
    """The JSON path of every node of a document."""
    pairs: list[tuple[str, object]] = []
    if isinstance(document, dict):
        pairs = [(f".{key}" if key.isidentifier() else f"[{key!r}]", each) for key, each in document.items()]
    elif isinstance(document, list):
        pairs = [(f"[{index}]", each) for index, each in enumerate(document)]
    return [above, *(each for step, value in pairs for each in _written(value, above + step))]
