"""Graders: how a model's sample is scored, as a union tagged by `type`."""

from typing import Annotated, TypeAlias

from ._base import JSONObject, WireObject, model
from ._limits import Bounds, OneOf, Whole

__all__ = [
    "Grader",
    "LabelModelGrader",
    "MultiGrader",
    "PythonGrader",
    "SamplingParams",
    "ScoreModelGrader",
    "SingleGrader",
    "StringCheckGrader",
    "TextSimilarityGrader",
    "UnknownGrader",
]

Operation: TypeAlias = Annotated[str, OneOf(("eq", "ne", "like", "ilike"))]
SIMILARITIES = (
    *("cosine", "fuzzy_match", "bleu", "gleu", "meteor"),
    *("rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"),
)
Metric: TypeAlias = Annotated[str, OneOf(SIMILARITIES)]
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")  # schema ReasoningEffort


@model(kw_only=True)
class StringCheckGrader(WireObject):
    """Compares two templates as strings (schema GraderStringCheck)."""

    name: str
    input: str
    reference: str
    operation: Operation
    type: str = "string_check"


@model(kw_only=True)
class TextSimilarityGrader(WireObject):
    """Scores how close two templates are (schema GraderTextSimilarity)."""

    name: str
    input: str
    reference: str
    evaluation_metric: Metric
    type: str = "text_similarity"


@model(kw_only=True)
class PythonGrader(WireObject):
    """Runs a Python script on the server (schema GraderPython)."""

    name: str
    source: str
    image_tag: str | None = None
    type: str = "python"


@model(kw_only=True)
class SamplingParams(WireObject):
    """How the model of a `ScoreModelGrader` is sampled; what is left out is the server's choice.

    `max_completions_tokens` is spelled as the specification spells it.
    """

    seed: int | None = None
    top_p: float | None = None
    temperature: float | None = None
    max_completions_tokens: Annotated[int | None, Whole(1, auto=False)] = None
    reasoning_effort: Annotated[str | None, OneOf(EFFORTS)] = None


@model(kw_only=True)
class ScoreModelGrader(WireObject):
    """Lets a model give a score (schema GraderScoreModel).

    `input` holds the messages as the API's reference describes them; `range` is the lowest and highest score,
    0 and 1 if left out.
    """

    name: str
    model: str
    input: list[JSONObject]
    sampling_params: SamplingParams | None = None
    range: Annotated[list[float] | None, Bounds()] = None
    type: str = "score_model"


@model(kw_only=True)
class LabelModelGrader(WireObject):
    """Lets a model choose a label (schema GraderLabelModel); the specification has it only within a MultiGrader.

    `passing_labels` are those of `labels` that count as passed.
    """

    name: str
    model: str
    input: list[JSONObject]
    labels: list[str]
    passing_labels: list[str]
    type: str = "label_model"


@model(kw_only=True)
class UnknownGrader(WireObject):
    """A grader of a type that this library does not know; `extra` holds the rest of it."""

    type: str | None = None
    name: str | None = None


SingleGrader: TypeAlias = (
    StringCheckGrader | TextSimilarityGrader | PythonGrader | ScoreModelGrader | LabelModelGrader | UnknownGrader
)


@model(kw_only=True)
class MultiGrader(WireObject):
    """Combines the scores of several graders by a formula (schema GraderMulti).

    `graders` maps the names that the formula uses to graders. The specification also allows one bare grader, and
    shows a list in its example; OpenAI's own server takes a mapping alone.
    """

    name: str
    graders: dict[str, SingleGrader] | list[SingleGrader] | SingleGrader
    calculate_output: str
    type: str = "multi"


Grader: TypeAlias = (
    StringCheckGrader
    | TextSimilarityGrader
    | PythonGrader
    | ScoreModelGrader
    | LabelModelGrader
    | MultiGrader
    | UnknownGrader
)
