"""JSON objects as servers send them, of every kind that has a model, with unknown fields at every depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import strategies as st

from fine_tuning_async.models import (
    CheckpointPermission,
    Deletion,
    DPOHyperparameters,
    File,
    FineTuningJob,
    GraderErrors,
    GraderRun,
    GraderRunMetadata,
    Integration,
    JobCheckpoint,
    JobError,
    JobEvent,
    LabelModelGrader,
    Method,
    Metrics,
    Model,
    MultiGrader,
    PythonGrader,
    ReinforcementHyperparameters,
    SamplingParams,
    ScoreModelGrader,
    StringCheckGrader,
    SupervisedHyperparameters,
    TextSimilarityGrader,
    UnknownGrader,
    Upload,
    UploadPart,
    WebhookEvent,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fine_tuning_async.models import WireObject

__all__ = ["DOCUMENTS", "Case", "Document", "cases", "checkpoints", "events", "files", "jobs", "json_values"]

Document: TypeAlias = dict[str, Any]
Strategy: TypeAlias = st.SearchStrategy[Any]
Case: TypeAlias = "tuple[type[WireObject], Document]"

# Surrogates are no JSON text; Python's own strings may hold them.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text("abcdefghij-_0123456789", min_size=1, max_size=12)
# Whole numbers of more than 64 bits among them, which must stay exact.
whole = st.integers(0, 2**53) | st.integers(-(2**70), 2**70) | st.integers(0, 500).map(float)
numbers = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | whole | texts
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def objects(draw: st.DrawFn, required: Mapping[str, Strategy], optional: Mapping[str, Strategy]) -> Document:
    """Draw an object: any of the optional fields absent, null or there; fields that nobody knows; in any order."""
    document = {name: draw(strategy) for name, strategy in required.items()}
    for name in draw(st.lists(st.sampled_from(sorted(optional)), unique=True)) if optional else ():
        document[name] = draw(st.none() | optional[name])
    unknown = draw(st.dictionaries(texts.map("x_{}".format), json_values, max_size=2))
    return dict(draw(st.permutations(list((document | unknown).items()))))


auto_or_whole = st.just("auto") | st.just(-1) | whole
auto_or_number = st.just("auto") | numbers

_tuning = {"n_epochs": auto_or_whole, "batch_size": auto_or_whole, "learning_rate_multiplier": auto_or_number}
supervised_hyperparameters = objects({}, _tuning)
dpo_hyperparameters = objects({}, {**_tuning, "beta": auto_or_number})
reinforcement_hyperparameters = objects(
    {},
    {
        **_tuning,
        "compute_multiplier": auto_or_number,
        "eval_interval": auto_or_whole,
        "eval_samples": auto_or_whole,
        "reasoning_effort": st.sampled_from(["default", "low", "extreme"]),
    },
)

plain_objects = st.dictionaries(texts, json_values, max_size=3)
_messages = st.lists(plain_objects, max_size=2)
_compared = {"name": texts, "input": texts, "reference": texts}
string_check = objects({"type": st.just("string_check"), **_compared, "operation": texts}, {})
text_similarity = objects({"type": st.just("text_similarity"), **_compared, "evaluation_metric": texts}, {})
python_grader = objects({"type": st.just("python"), "name": texts, "source": texts}, {"image_tag": texts})
sampling_params = objects(
    {},
    {
        "seed": whole,
        "top_p": numbers,
        "temperature": numbers,
        "max_completions_tokens": whole,
        "reasoning_effort": texts,
    },
)
score_model = objects(
    {"type": st.just("score_model"), "name": texts, "model": texts, "input": _messages},
    {"sampling_params": sampling_params, "range": st.lists(numbers, max_size=2)},
)
label_model = objects(
    {
        "type": st.just("label_model"),
        "name": texts,
        "model": texts,
        "input": _messages,
        "labels": st.lists(texts, max_size=2),
        "passing_labels": st.lists(texts, max_size=2),
    },
    {},
)
unknown_grader = objects({}, {"type": texts.map("x_{}".format), "name": texts})
single_graders = string_check | text_similarity | python_grader | score_model | label_model | unknown_grader
# A bare grader is told from a mapping of graders by its type, which therefore must be a string.
_bare_graders = single_graders.filter(lambda document: isinstance(document.get("type"), str))
_mapped_graders = st.dictionaries(texts.filter(lambda name: name != "type"), single_graders, max_size=2)
multi = objects(
    {
        "type": st.just("multi"),
        "name": texts,
        "graders": _mapped_graders | st.lists(single_graders, max_size=2) | _bare_graders,
        "calculate_output": texts,
    },
    {},
)
graders = single_graders | multi

methods = objects(
    {"type": st.sampled_from(["supervised", "dpo", "reinforcement", "distillation"])},
    {
        "supervised": objects({}, {"hyperparameters": supervised_hyperparameters}),
        "dpo": objects({}, {"hyperparameters": dpo_hyperparameters}),
        "reinforcement": objects(
            {},
            {
                "grader": graders,
                "hyperparameters": reinforcement_hyperparameters,
                "response_format": plain_objects,
            },
        ),
    },
)

_wandb = objects({"project": texts}, {"name": texts, "entity": texts, "tags": st.lists(texts, max_size=2)})
integrations = objects({"type": st.sampled_from(["wandb", "mlflow"])}, {"wandb": _wandb})
job_errors = objects({}, {"code": texts, "message": texts, "param": texts})

jobs = objects(
    {
        "id": names,
        "created_at": whole,
        "model": texts,
        "status": st.sampled_from(["running", "notRunning", "new"]),
    },
    {
        "training_file": texts,
        "validation_file": texts,
        "fine_tuned_model": texts,
        "finished_at": whole,
        "estimated_finish": whole,
        "trained_tokens": whole,
        "result_files": st.lists(texts, max_size=2),
        "organization_id": texts,
        "seed": whole,
        "hyperparameters": supervised_hyperparameters,
        "method": methods,
        "integrations": st.lists(integrations, max_size=2),
        "metadata": st.dictionaries(texts, texts, max_size=3),
        "error": job_errors,
        "user_provided_suffix": texts,
        "object": texts,
    },
)

_figures = (
    *("step", "total_steps", "train_loss", "valid_loss", "full_valid_loss"),
    *("train_mean_token_accuracy", "valid_mean_token_accuracy", "full_valid_mean_token_accuracy"),
    *("train_reward_mean", "valid_reward_mean"),
)
metrics = objects({}, dict.fromkeys(_figures, numbers))
events = objects(
    {"id": names, "created_at": whole, "message": texts},
    {"level": texts, "type": st.just("metrics") | texts, "data": json_values | metrics, "object": texts},
)
checkpoints = objects(
    {"id": names, "created_at": whole, "fine_tuned_model_checkpoint": texts, "step_number": whole},
    {"metrics": metrics, "fine_tuning_job_id": texts, "object": texts},
)
files = objects(
    {"id": names, "created_at": whole, "filename": texts, "purpose": texts},
    {"bytes": whole, "status": texts, "status_details": texts, "expires_at": whole, "object": texts},
)
uploads = objects(
    {"id": names, "created_at": whole, "filename": texts, "purpose": texts, "status": texts},
    {"bytes": whole, "expires_at": whole, "file": files, "object": texts},
)
upload_parts = objects({"id": names}, {"created_at": whole, "upload_id": names, "object": texts})
permissions = objects({"id": names, "created_at": whole, "project_id": names}, {"object": texts})
models = objects({"id": names}, {"created": whole, "owned_by": texts, "shutdown_date": texts, "object": texts})
grader_errors = objects(
    {},
    {
        **dict.fromkeys(("formula_parse_error", "invalid_variable_error", "other_error"), st.booleans()),
        **dict.fromkeys(("python_grader_server_error", "model_grader_server_error"), st.booleans()),
        **dict.fromkeys(("python_grader_server_error_type", "model_grader_server_error_details"), texts),
    },
)
grader_metadata = objects(
    {},
    {
        **dict.fromkeys(("name", "type", "sampled_model_name"), texts),
        "errors": grader_errors,
        "execution_time": numbers,
        "scores": plain_objects,
        "token_usage": whole | plain_objects,
    },
)
grader_runs = objects(
    {"reward": numbers},
    {
        "metadata": grader_metadata,
        **dict.fromkeys(("sub_rewards", "model_grader_token_usage_per_model"), plain_objects),
    },
)
deletions = objects({"id": names, "deleted": st.booleans()}, {"object": texts})
webhook_events = objects(
    {"id": names, "created_at": whole, "type": st.just("fine_tuning.job.failed") | texts},
    {"data": objects({"id": names}, {}) | json_values, "object": texts},
)

DOCUMENTS: dict[type[WireObject], Strategy] = {
    FineTuningJob: jobs,
    JobError: job_errors,
    JobEvent: events,
    JobCheckpoint: checkpoints,
    Metrics: metrics,
    File: files,
    Upload: uploads,
    UploadPart: upload_parts,
    CheckpointPermission: permissions,
    Model: models,
    Deletion: deletions,
    WebhookEvent: webhook_events,
    Integration: integrations,
    Method: methods,
    SupervisedHyperparameters: supervised_hyperparameters,
    DPOHyperparameters: dpo_hyperparameters,
    ReinforcementHyperparameters: reinforcement_hyperparameters,
    StringCheckGrader: string_check,
    TextSimilarityGrader: text_similarity,
    PythonGrader: python_grader,
    ScoreModelGrader: score_model,
    LabelModelGrader: label_model,
    UnknownGrader: unknown_grader,
    MultiGrader: multi,
    SamplingParams: sampling_params,
    GraderErrors: grader_errors,
    GraderRunMetadata: grader_metadata,
    GraderRun: grader_runs,
}

cases: st.SearchStrategy[Case] = st.sampled_from(list(DOCUMENTS)).flatmap(
    lambda cls: st.tuples(st.just(cls), DOCUMENTS[cls])
)
