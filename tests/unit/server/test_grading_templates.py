"""Templates: what variables stand for, and what is no variable."""

from __future__ import annotations

import pytest

from fine_tuning_async.server.grading.templates import (
    LONGEST,
    MOST_VARIABLES,
    SampleParseError,
    TemplateError,
    TooLongError,
    UnknownVariableError,
    fill,
    namespaces,
    read,
    resolve,
)

ITEM = {
    "label": "Zürich",
    "nested": {"list": [1, {"deep": "x"}], "two words": "quoted", "a-b": "dashed"},
    "number": 5,
    "ratio": 0.5,
    "yes": True,
    "nothing": None,
    "braces": "{{item.label}}",
}
SAID = namespaces(ITEM, "plain text")
JSON = namespaces(ITEM, '{"x": {"y": [10, "z"]}, "n": 1.0}')


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("no variables", "no variables"),
        ("{{item.label}}", "Zürich"),
        ("{{ item.label }}", "Zürich"),
        ("<{{\titem.label\n}}>", "<Zürich>"),
        ("{{item.label}}{{item.label}}", "ZürichZürich"),
        ('{"label": "{{item.label}}"}', '{"label": "Zürich"}'),
        ("{single} }} braces", "{single} }} braces"),
        ("{{item.nested.list[0]}}", "1"),
        ("{{item.nested.list[1].deep}}", "x"),
        ('{{item.nested["two words"]}}', "quoted"),
        ("{{item['nested']['two words']}}", "quoted"),
        ("{{item.nested.a-b}}", "dashed"),
        ("{{item.number}} {{item.ratio}}", "5 0.5"),
        ("{{item.yes}} {{item.nothing}}", "true null"),
        ("{{item.nested.list}}", '[1,{"deep":"x"}]'),
        ("{{sample.output_text}}", "plain text"),
        ("{{item.braces}}", "{{item.label}}"),  # what is put in is not read again
    ],
)
def test_variables_are_filled_in(template: str, text: str) -> None:
    assert fill(template, SAID) == text


def test_a_sample_that_is_json_can_be_looked_into() -> None:
    assert fill("{{sample.output_json.x.y[1]}}", JSON) == "z"
    assert fill("{{sample.output_json.n}}", JSON) == "1.0"
    assert fill("{{sample.output_json}}", JSON) == '{"x":{"y":[10,"z"]},"n":1.0}'
    assert fill("{{sample.output_text}}", JSON) == '{"x": {"y": [10, "z"]}, "n": 1.0}'
    assert fill("{{sample.output_json}}", namespaces({}, "7")) == "7"


@pytest.mark.parametrize("template", ["{{sample.output_json}}", "{{sample.output_json.x}}"])
def test_a_sample_that_is_no_json_cannot(template: str) -> None:
    with pytest.raises(SampleParseError, match="needs a sample that is JSON"):
        fill(template, SAID)
    with pytest.raises(SampleParseError):
        resolve(template, SAID)


@pytest.mark.parametrize(
    "template",
    [
        "{{item.missing}}",
        "{{item.label.further}}",
        "{{item.nested.list[2]}}",
        "{{item.nested[0]}}",
        "{{item.nested.list.deep}}",
        "{{item.label[0]}}",
        "{{item[0]}}",
        "{{sample.output_tools}}",
        "{{sample.output_json.missing}}",
    ],
)
def test_a_variable_that_stands_for_nothing_is_told(template: str) -> None:
    with pytest.raises(UnknownVariableError, match="stands for nothing") as caught:
        fill(template, JSON)
    assert type(caught.value) is UnknownVariableError
    with pytest.raises(UnknownVariableError):
        resolve(template, JSON)


@pytest.mark.parametrize(
    "template",
    [
        "{{",
        "text {{item.label",
        "{{item.label} }",
        "{{}}",
        "{{ }}",
        "{{item}}",
        "{{label}}",
        "{{items.label}}",
        "{{item.}}",
        "{{item..label}}",
        "{{item.two words}}",
        "{{item[x]}}",
        "{{item[-1]}}",
        "{{item['label]}}",
        "{{{item.label}}}",
        "{{item.label | upper}}",
        "{{item.label}} {{",
    ],
)
def test_what_is_no_variable_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        read(template)
    with pytest.raises(TemplateError):
        fill(template, SAID)


def test_the_number_of_variables_is_bounded() -> None:
    many = "{{item.number}}" * MOST_VARIABLES
    assert fill(many, SAID) == "5" * MOST_VARIABLES
    with pytest.raises(TemplateError, match="more than 1000 variables"):
        read(many + "{{item.number}}")


def test_a_text_that_grows_too_long_is_refused_before_it_is_put_together() -> None:
    great = namespaces({"t": "x" * (LONGEST // 2)}, "")
    assert len(fill("{{item.t}}{{item.t}}", great)) == LONGEST
    with pytest.raises(TooLongError):
        fill("{{item.t}}{{item.t}}.", great)
    resolve("{{item.t}}" * MOST_VARIABLES, great)


def test_what_is_nested_too_deeply_to_be_written_stands_for_nothing() -> None:
    deep: object = "x"
    for _ in range(400):
        deep = [deep]
    with pytest.raises(UnknownVariableError, match="nested too deeply"):
        fill("{{item.deep}}", namespaces({"deep": deep}, ""))
