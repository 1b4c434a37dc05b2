"""The public face: each name that is fixed, with its parameters."""

from __future__ import annotations

import inspect

import attrs
import pytest

import fine_tuning_async
from fine_tuning_async import FineTuningClient, Method, Page, Paginator, RetryPolicy

# What stands before the bar is positional, what stands behind it keyword-only.
DESIGNED: dict[str, tuple[object, str]] = {
    "FineTuningClient": (
        FineTuningClient,
        "api_key | base_url organization project headers session timeout retry on_attempt",
    ),
    "FineTuningClient.azure": (
        FineTuningClient.azure,
        "endpoint api_key | token_provider api_version headers session timeout retry on_attempt",
    ),
    "RetryPolicy": (RetryPolicy, "| attempts attempt_timeout base cap budget"),
    "Method.supervised": (Method.supervised, "| n_epochs batch_size learning_rate_multiplier"),
    "Method.dpo": (Method.dpo, "| n_epochs batch_size learning_rate_multiplier beta"),
    "Method.reinforcement": (
        Method.reinforcement,
        (
            "grader | response_format n_epochs batch_size learning_rate_multiplier compute_multiplier "
            "eval_interval eval_samples reasoning_effort"
        ),
    ),
    "to_dict": (fine_tuning_async.to_dict, "model |"),
    "from_dict": (fine_tuning_async.from_dict, "cls data |"),
    "unwrap": (fine_tuning_async.unwrap, "body headers secret |"),
    "WebhookInbox": (fine_tuning_async.WebhookInbox, "secret | on_event max_body remember"),
    "check_dataset": (fine_tuning_async.check_dataset, "path | method validation_path"),
}
METHODS = {
    "close": "|",
    "with_options": "| timeout headers retry api_key project",
    "create_job": (
        "model training_file | validation_file method suffix seed integrations metadata hyperparameters "
        "idempotency_key extra_body"
    ),
    "list_jobs": "| after limit metadata max_items",
    "retrieve_job": "job_id |",
    "cancel_job": "job_id |",
    "pause_job": "job_id |",
    "resume_job": "job_id |",
    "list_events": "job_id | after limit max_items",
    "list_checkpoints": "job_id | after limit max_items",
    "create_checkpoint_permissions": "checkpoint project_ids |",
    "list_checkpoint_permissions": "checkpoint | project_id after limit order max_items",
    "delete_checkpoint_permission": "checkpoint permission_id |",
    "run_grader": "grader model_sample | item",
    "validate_grader": "grader |",
    "upload_file": "source | purpose filename expires_after progress",
    "list_files": "| purpose after limit order max_items",
    "retrieve_file": "file_id |",
    "delete_file": "file_id |",
    "download_file": "file_id destination | progress",
    "stream_file": "file_id |",
    "training_metrics": "job |",
    "list_models": "|",
    "retrieve_model": "model |",
    "delete_model": "model |",
    "wait_for_job": "job_id | timeout poll inbox check",
    "follow_events": "job_id | after poll",
    "watch_jobs": "job_ids | metadata poll",
    "request": "method path | params json headers",
}


def _face(function: object) -> tuple[list[str], list[str]]:
    parameters = [each for each in inspect.signature(function).parameters.values() if each.name != "self"]  # type: ignore[arg-type]
    positional = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    keywords = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    assert len(positional) + len(keywords) == len(parameters), "neither *args nor **kwargs"
    return positional, keywords


def _plan(text: str) -> tuple[list[str], list[str]]:
    positional, keywords = text.split("|")
    return positional.split(), keywords.split()


@pytest.mark.parametrize("name", DESIGNED)
def test_what_is_designed_has_its_parameters(name: str) -> None:
    function, plan = DESIGNED[name]
    assert _face(function) == _plan(plan)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_the_client_has_the_designed_parameters(name: str) -> None:
    positional, keywords = _face(getattr(FineTuningClient, name))
    planned, named = _plan(METHODS[name])
    assert len(positional) == len(planned)
    # The name of a positional identifier is free, that of anything else is fixed.
    assert keywords == named


def test_the_client_has_the_designed_public_methods_and_no_other() -> None:
    public = {name for name in dir(FineTuningClient) if not name.startswith("_")}
    assert public == {*METHODS, "azure"}


def test_lists_are_read_in_the_designed_ways() -> None:
    for name in ("__aiter__", "pages", "__await__", "collect"):
        assert callable(getattr(Paginator, name))
    assert [each.name for each in attrs.fields(Page)] == ["data", "has_more", "next_cursor", "request_id"]


def test_names_that_are_no_functions_are_what_the_plan_says() -> None:
    assert isinstance(fine_tuning_async.TERMINAL_STATUSES, frozenset)
    assert issubclass(fine_tuning_async.JobStatus, str)
    assert fine_tuning_async.NO_METADATA.value == "null"
    assert {"is_terminal", "created", "finished", "extra"} <= set(dir(fine_tuning_async.FineTuningJob))
    assert {"status", "headers", "body", "json", "request_id"} <= {
        *dir(fine_tuning_async.Response),
        *(each.name for each in attrs.fields(fine_tuning_async.Response)),
    }


def test_no_parameter_has_a_mutable_default() -> None:
    for name in (each for each in dir(FineTuningClient) if not each.startswith("_")):
        for parameter in inspect.signature(getattr(FineTuningClient, name)).parameters.values():
            assert not isinstance(parameter.default, list | dict | set), name
