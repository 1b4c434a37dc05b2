"""Graders that are well-formed, and graders that are not, each with the refusal of a server."""

from __future__ import annotations

from typing import Any

SAID, WANTED = "{{sample.output_text}}", "{{item.answer}}"

EXACT = {"type": "string_check", "name": "exact", "input": SAID, "reference": WANTED, "operation": "eq"}
CLOSE = {
    "type": "text_similarity",
    "name": "close",
    "input": SAID,
    "reference": WANTED,
    "evaluation_metric": "fuzzy_match",
}
SCRIPT = {"type": "python", "name": "script", "source": "def grade(sample, item):\n    return 1.0\n"}
MESSAGES = [
    {"role": "system", "content": "Be fair."},
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": f"Score {SAID}"},
            {"type": "output_text", "text": "0.5"},
            {"type": "input_image", "image_url": "https://example.com/a.png", "file_id": None, "detail": "high"},
            {"type": "input_audio", "input_audio": {"data": "{{item.answer}}", "format": "mp3"}},
            "plain",
        ],
    },
    {"role": "developer", "content": {"type": "input_text", "text": WANTED}},
]
SCORE = {
    "type": "score_model",
    "name": "score",
    "model": "gpt-5-mini",
    "input": MESSAGES,
    "sampling_params": {
        "temperature": 1,
        "top_p": None,
        "seed": 42,
        "max_completions_tokens": 9,
        "reasoning_effort": "low",
    },
    "range": [0, 5],
}
LABEL = {
    "type": "label_model",
    "name": "label",
    "model": "gpt-4o",
    "input": MESSAGES,
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}


def multi(graders: object, formula: str) -> dict[str, Any]:
    return {"type": "multi", "name": "all", "graders": graders, "calculate_output": formula}


MALFORMED: list[tuple[object, str, str]] = [
    (None, "", "missing_required_parameter"),
    ("exact", "", "invalid_type"),
    ({}, ".type", "missing_required_parameter"),
    ({**EXACT, "type": 7}, ".type", "invalid_type"),
    ({**EXACT, "type": "regex"}, ".type", "invalid_value"),
    (LABEL, ".type", "invalid_value"),
    ({**EXACT, "name": None}, ".name", "missing_required_parameter"),
    ({**EXACT, "name": ""}, ".name", "string_below_min_length"),
    ({**EXACT, "input": 7}, ".input", "invalid_type"),
    ({**EXACT, "input": "x" * (256 * 1024 + 1)}, ".input", "string_above_max_length"),
    ({**EXACT, "reference": ["x"]}, ".reference", "invalid_type"),
    ({**EXACT, "operation": "neq"}, ".operation", "invalid_value"),
    ({**EXACT, "input": "{{item}}"}, ".input", "invalid_template"),
    ({**EXACT, "reference": "{{item.a"}, ".reference", "invalid_template"),
    ({**CLOSE, "evaluation_metric": "rouge_6"}, ".evaluation_metric", "invalid_value"),
    ({**CLOSE, "evaluation_metric": None}, ".evaluation_metric", "missing_required_parameter"),
    ({**SCRIPT, "source": ""}, ".source", "string_below_min_length"),
    ({**SCRIPT, "image_tag": 20250508}, ".image_tag", "invalid_type"),
    ({**SCORE, "model": None}, ".model", "missing_required_parameter"),
    ({**SCORE, "input": "text"}, ".input", "invalid_type"),
    ({**SCORE, "input": ["text"]}, ".input[0]", "invalid_type"),
    ({**SCORE, "input": [{"content": "x"}]}, ".input[0].role", "missing_required_parameter"),
    ({**SCORE, "input": [{"role": "judge", "content": "x"}]}, ".input[0].role", "invalid_value"),
    ({**SCORE, "input": [{"role": "user", "type": "x", "content": "x"}]}, ".input[0].type", "invalid_value"),
    ({**SCORE, "input": [{"role": "user"}]}, ".input[0].content", "missing_required_parameter"),
    ({**SCORE, "input": [{"role": "user", "content": "{{x}}"}]}, ".input[0].content", "invalid_template"),
    (
        {**SCORE, "input": [{"role": "user", "content": [{}]}]},
        ".input[0].content[0].type",
        "missing_required_parameter",
    ),
    ({**SCORE, "input": [{"role": "user", "content": {"type": "x"}}]}, ".input[0].content.type", "invalid_value"),
    ({**SCORE, "input": [{"role": "user", "content": [7]}]}, ".input[0].content[0]", "invalid_type"),
    (
        {**SCORE, "input": [{"role": "user", "content": {"type": "input_text", "text": "{{"}}]},
        ".input[0].content.text",
        "invalid_template",
    ),
    (
        {
            **SCORE,
            "input": [{"role": "user", "content": {"type": "input_audio", "input_audio": {"format": "ogg"}}}],
        },
        ".input[0].content.input_audio.format",
        "invalid_value",
    ),
    ({**SCORE, "sampling_params": []}, ".sampling_params", "invalid_type"),
    ({**SCORE, "sampling_params": {"temperature": "hot"}}, ".sampling_params.temperature", "invalid_type"),
    ({**SCORE, "sampling_params": {"seed": 0.5}}, ".sampling_params.seed", "invalid_type"),
    (
        {**SCORE, "sampling_params": {"max_completions_tokens": 0}},
        ".sampling_params.max_completions_tokens",
        "integer_below_min_value",
    ),
    (
        {**SCORE, "sampling_params": {"reasoning_effort": "some"}},
        ".sampling_params.reasoning_effort",
        "invalid_value",
    ),
    ({**SCORE, "range": [0]}, ".range", "invalid_value"),
    ({**SCORE, "range": [1, 0]}, ".range", "invalid_value"),
    ({**SCORE, "range": [0, "1"]}, ".range[1]", "invalid_type"),
    ({**SCORE, "range": [0, 1, 2]}, ".range", "array_above_max_length"),
    (multi(None, "a"), ".graders", "missing_required_parameter"),
    (multi("a", "a"), ".graders", "invalid_type"),
    (multi({}, "1"), ".graders", "invalid_value"),
    (multi([EXACT] * 51, "1"), ".graders", "invalid_value"),
    (multi({"a": EXACT}, ""), ".calculate_output", "string_below_min_length"),
    (multi({"a": EXACT}, "a +"), ".calculate_output", "invalid_formula"),
    (multi({"a": EXACT}, "a + b"), ".calculate_output", "invalid_formula"),
    (multi([EXACT], "close"), ".calculate_output", "invalid_formula"),
    (multi([EXACT, CLOSE, {**CLOSE, "name": "exact"}], "exact"), ".graders[2].name", "invalid_value"),
    (multi({"a": "x"}, "a"), ".graders.a", "invalid_type"),
    (multi({"a": {**EXACT, "operation": "?"}}, "a"), ".graders.a.operation", "invalid_value"),
    (multi({"a": {**EXACT, "input": "{{"}}, "a"), ".graders.a.input", "invalid_template"),
    (multi({"a": multi({"b": EXACT}, "b")}, "a"), ".graders.a.type", "invalid_value"),
    (multi({"a": {**LABEL, "labels": []}}, "a"), ".graders.a.labels", "empty_array"),
    (multi({"a": {**LABEL, "labels": [7]}}, "a"), ".graders.a.labels[0]", "invalid_type"),
    (multi({"a": {**LABEL, "passing_labels": ["fine"]}}, "a"), ".graders.a.passing_labels", "invalid_value"),
]
WELL_FORMED = [
    EXACT,
    CLOSE,
    {**CLOSE, "evaluation_metric": "cosine", "pass_threshold": 0.5},
    SCRIPT,
    {**SCRIPT, "image_tag": "2025-05-08"},
    SCORE,
    multi({"a": EXACT, "b": SCORE, "c": LABEL}, "max(a, b) * c ^ 2"),
    multi([EXACT, CLOSE], "exact + close"),
    multi(EXACT, "exact"),
]
