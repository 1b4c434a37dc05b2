"""What the models say about what a server sent, and how a caller builds them."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from fine_tuning_async import (
    TERMINAL_STATUSES,
    DPOHyperparameters,
    DPOMethod,
    File,
    FineTuningJob,
    InvalidArgumentError,
    JobCheckpoint,
    JobError,
    JobEvent,
    JobStatus,
    Method,
    ReinforcementMethod,
    ResponseFormatError,
    StringCheckGrader,
    SupervisedHyperparameters,
    SupervisedMethod,
    from_dict,
    to_dict,
)

JOB: dict[str, Any] = {"id": "ftjob-1", "created_at": 1_721_764_800, "model": "m", "status": "running"}
EVENT: dict[str, Any] = {"id": "e", "created_at": 1_721_764_800, "message": "m"}
GRADER = StringCheckGrader(name="n", input="i", reference="r", operation="eq")


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled", "canceled"])
def test_a_job_that_will_not_change_again_is_terminal(status: str) -> None:
    assert from_dict(FineTuningJob, JOB | {"status": status}).is_terminal
    assert status in TERMINAL_STATUSES


@pytest.mark.parametrize(
    "status",
    [
        *("validating_files", "queued", "running", "pausing", "paused", "created", "pending", "notRunning"),
        *("canceling", "RUNNING", "Succeeded", "a status of tomorrow", ""),
    ],
)
def test_any_other_status_is_carried_and_not_terminal(status: str) -> None:
    job = from_dict(FineTuningJob, JOB | {"status": status, "finished_at": 1})
    assert job.status == status
    assert type(job.status) is str
    assert not job.is_terminal


def test_a_status_compares_equal_to_its_name() -> None:
    job = from_dict(FineTuningJob, JOB)
    assert job.status == JobStatus.RUNNING
    assert {each.value for each in JobStatus} >= {"running", "paused", "notRunning"}
    assert all(isinstance(each, str) for each in JobStatus)
    assert to_dict(attrs.evolve(job, status=JobStatus.FAILED))["status"] == "failed"
    assert type(to_dict(attrs.evolve(job, status=JobStatus.FAILED))["status"]) is str


def test_times_are_aware() -> None:
    moment = datetime(2024, 7, 23, 20, tzinfo=UTC)
    job = from_dict(FineTuningJob, JOB | {"finished_at": 1_721_764_801})
    assert job.created == moment
    assert job.finished == moment.replace(second=1)
    assert from_dict(JobEvent, EVENT).created == moment
    file = {"id": "f", "created_at": 1_721_764_800, "filename": "f", "purpose": "p"}
    assert from_dict(File, file).created == moment
    checkpoint = {"id": "c", "created_at": 1_721_764_800, "fine_tuned_model_checkpoint": "m", "step_number": 1}
    assert from_dict(JobCheckpoint, checkpoint).created == moment


@pytest.mark.parametrize("absent", [{}, {"finished_at": None}])
def test_a_job_without_an_end_has_none(absent: dict[str, object]) -> None:
    assert from_dict(FineTuningJob, JOB | {"status": "failed"} | absent).finished is None


@pytest.mark.parametrize("seconds", [1_721_764_800_000_000, 2**63, -(2**63), 10**30])
def test_a_time_that_no_calendar_has_is_a_format_error_when_it_is_read(seconds: int) -> None:
    job = from_dict(FineTuningJob, JOB | {"created_at": seconds, "finished_at": seconds})
    for name in ("created", "finished"):
        with pytest.raises(ResponseFormatError, match=str(seconds)):
            getattr(job, name)


@pytest.mark.parametrize("error", [None, {}, {"code": None, "message": None, "param": None}, {"code": ""}])
def test_a_healthy_job_has_an_error_that_is_false(error: object) -> None:
    assert not from_dict(FineTuningJob, JOB | {"error": error}).error


@pytest.mark.parametrize("error", [{"code": "c"}, {"message": "m"}, {"param": "p"}])
def test_a_failed_job_has_an_error_that_is_true(error: dict[str, Any]) -> None:
    assert from_dict(FineTuningJob, JOB | {"error": error}).error == JobError(**error)
    assert JobError(**error)


@pytest.mark.parametrize(
    "nulls",
    [
        {"error": None},
        {"hyperparameters": None},
        {"seed": None},
        {"organization_id": None},
        {"result_files": None},
        {"method": None, "metadata": None, "integrations": None, "estimated_finish": None},
        {"finished_at": None, "fine_tuned_model": None, "trained_tokens": None, "validation_file": None},
        {"training_file": None, "user_provided_suffix": None, "object": None},
        {"hyperparameters": {"n_epochs": None, "batch_size": None, "learning_rate_multiplier": None}},
        {"hyperparameters": {"n_epochs": -1, "batch_size": -1, "learning_rate_multiplier": 2}},
        {"hyperparameters": {}},
        {"method": {"type": "supervised", "supervised": None, "dpo": None, "reinforcement": None}},
        {"method": {"type": "supervised", "supervised": {"hyperparameters": None}}},
        {"method": {"type": "dpo", "dpo": {}}},
        {"integrations": [{"type": "wandb", "wandb": None}]},
        {"integrations": []},
        {"usage_metrics": None, "shared_with_openai": False, "eval_id": None, "trainingType": "globalStandard"},
        {"organization_id": "", "trained_steps": 0, "total_steps": None},
    ],
)
def test_every_null_and_oddity_that_servers_send_is_taken(nulls: dict[str, object]) -> None:
    assert to_dict(from_dict(FineTuningJob, JOB | nulls)) == JOB | nulls


@pytest.mark.parametrize("data", [None, {}, [], 0, "text", True, {"scores": {"train_reward_mean": 0.1}}])
def test_the_data_of_an_event_is_any_json(data: object) -> None:
    event = from_dict(JobEvent, EVENT | {"data": data, "type": "message"})
    assert event.data == data
    assert event.metrics is None


def test_the_figures_of_a_metrics_event_are_read() -> None:
    data = {"step": 60, "total_steps": 200, "train_loss": 0.73, "valid_loss": None, "usage": {"tokens": 1}}
    metrics = from_dict(JobEvent, EVENT | {"type": "metrics", "data": data}).metrics
    assert metrics is not None
    assert (metrics.step, metrics.total_steps, metrics.train_loss, metrics.valid_loss) == (60, 200, 0.73, None)
    assert metrics.extra == {"usage": {"tokens": 1}}


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_a_metrics_event_without_figures_has_none(data: object) -> None:
    assert from_dict(JobEvent, EVENT | {"type": "metrics", "data": data}).metrics is None


@pytest.mark.parametrize("figure", ["0.5", None, True, [], {}])
def test_a_figure_that_is_no_number_reads_as_none_and_never_fails(figure: object) -> None:
    event = from_dict(JobEvent, EVENT | {"type": "metrics", "data": {"train_loss": figure, "step": 1}})
    assert event.metrics is not None
    assert event.metrics.train_loss is None
    assert event.metrics.step == 1


def test_metrics_of_a_checkpoint_may_hold_a_word() -> None:
    document = {
        "id": "c",
        "created_at": 1,
        "fine_tuned_model_checkpoint": "m",
        "step_number": 1,
        "metrics": {"step": 1, "train_loss": 0.5, "type": "supervised"},
    }
    checkpoint = from_dict(JobCheckpoint, document)
    assert checkpoint.metrics is not None
    assert checkpoint.metrics.extra == {"type": "supervised"}


# -- models are values -------------------------------------------------------------------------------------------


def test_models_are_equal_by_their_fields_and_unhashable() -> None:
    one, other = from_dict(FineTuningJob, JOB), from_dict(FineTuningJob, JOB | {"unknown": 1})
    assert one == other
    assert one != attrs.evolve(one, seed=1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def _pickled(job: FineTuningJob, protocol: int) -> FineTuningJob:
    twin: FineTuningJob = pickle.loads(pickle.dumps(job, protocol))  # noqa: S301 - our own bytes
    return twin


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_model_pickles_and_copies_with_what_it_does_not_know(protocol: int) -> None:
    document = JOB | {"method": {"type": "dpo", "dpo": {"x": 1}}, "unknown": [1]}
    job = from_dict(FineTuningJob, document)
    for twin in (_pickled(job, protocol), copy.copy(job), copy.deepcopy(job)):
        assert twin == job
        assert to_dict(twin) == document


def test_a_repr_shows_fields_and_not_the_machinery() -> None:
    text = repr(from_dict(FineTuningJob, JOB | {"method": {"type": "dpo", "dpo": {}}}))
    assert "id='ftjob-1'" in text
    assert "dpo=DPOMethod(" in text
    assert "_raw" not in text


# -- methods -----------------------------------------------------------------------------------------------------


def test_one_word_builds_a_method_and_reads_its_settings() -> None:
    method = Method.dpo(beta=0.5, n_epochs="auto")
    assert method.type == "dpo"
    assert method.dpo == DPOMethod(DPOHyperparameters(n_epochs="auto", beta=0.5))
    assert method.supervised is None
    assert method.reinforcement is None


def test_a_method_read_from_a_server_has_its_settings() -> None:
    document = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}, "dpo": None}
    method = from_dict(Method, document)
    assert method.supervised == SupervisedMethod(SupervisedHyperparameters(n_epochs=3))
    assert method.dpo is None
    evolved = attrs.evolve(method, supervised=SupervisedMethod(SupervisedHyperparameters(n_epochs=4)))
    assert to_dict(evolved) == {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 4}},
        "dpo": None,
    }


def test_what_is_left_out_is_the_servers_choice() -> None:
    assert to_dict(Method.supervised()) == {"type": "supervised", "supervised": {}}
    assert to_dict(Method.dpo()) == {"type": "dpo", "dpo": {}}
    assert to_dict(Method.reinforcement(GRADER)) == {
        "type": "reinforcement",
        "reinforcement": {"grader": to_dict(GRADER)},
    }


def test_a_reinforcement_method_says_all_it_was_given() -> None:
    method = Method.reinforcement(
        GRADER,
        response_format={"type": "json_schema"},
        n_epochs=2,
        batch_size=4,
        learning_rate_multiplier=0.5,
        compute_multiplier=2,
        eval_interval=5,
        eval_samples=3,
        reasoning_effort="low",
    )
    assert isinstance(method.reinforcement, ReinforcementMethod)
    assert to_dict(method)["reinforcement"] == {
        "grader": to_dict(GRADER),
        "hyperparameters": {
            "n_epochs": 2,
            "batch_size": 4,
            "learning_rate_multiplier": 0.5,
            "compute_multiplier": 2,
            "eval_interval": 5,
            "eval_samples": 3,
            "reasoning_effort": "low",
        },
        "response_format": {"type": "json_schema"},
    }


def test_building_a_method_out_of_range_fails_at_once() -> None:
    with pytest.raises(InvalidArgumentError, match=r"method\.supervised\.hyperparameters\.n_epochs is 51"):
        Method.supervised(n_epochs=51)
