"""Graders: how a model's sample is scored, as a union tagged by `type`."""

from typing import Annotated, TypeAlias

from ._base import JSONObject, WireObject, model
from ._limits import OneOf

__all__ = [
    "Grader",
    "LabelModelGrader",
    "MultiGrader",
    "PythonGrader",
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
class ScoreModelGrader(WireObject):
    """Lets a model give a score (schema GraderScoreModel).

    `input` holds the messages as the API's reference describes them; `range` is the lowest and highest score.
    """

    name: str
    model: str
    input: list[JSONObject]
    sampling_params: JSONObject | None = None
    range: list[float] | None = None
    type: str = "score_model"


@model(kw_only=True)
class LabelModelGrader(WireObject):
    """Lets a model choose a label (schema GraderLabelModel)."""

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
    shows a list in its example.
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
