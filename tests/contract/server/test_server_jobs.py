"""A job over HTTP: its shape, its life, its lists."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from fine_tuning_async.server import LocalServer
    from tests.contract.server.http_api import Api

JOB_KEYS = [
    *("object", "id", "model", "created_at", "finished_at", "fine_tuned_model", "organization_id", "result_files"),
    *("status", "validation_file", "training_file", "hyperparameters", "trained_tokens", "error"),
    *("user_provided_suffix", "seed", "estimated_finish", "integrations", "metadata", "usage_metrics"),
    *("shared_with_openai", "eval_id", "method"),
]


def test_a_new_job_has_the_recorded_keys_in_the_recorded_order(api: Api) -> None:
    job = api.create(suffix="mine", metadata={"team": "a"}, seed=7)
    assert list(job) == JOB_KEYS
    assert (job["status"], job["error"], job["seed"]) == ("validating_files", None, 7)
    assert job["model"] == "gpt-4o-mini-2024-07-18"
    assert job["hyperparameters"] == dict.fromkeys(["n_epochs", "batch_size", "learning_rate_multiplier"], "auto")
    assert job["method"] == {"type": "supervised", "supervised": {"hyperparameters": job["hyperparameters"]}}


def test_each_answer_carries_the_headers_of_the_api(api: Api) -> None:
    first, second = api.get("/models"), api.get("/nothing")
    for answer in (first, second):
        assert answer.headers["openai-version"] == "2020-10-01"
        assert answer.headers["openai-organization"].startswith("org-")
        assert int(answer.headers["openai-processing-ms"]) >= 0
        assert len(answer.headers["x-request-id"]) == len("req_") + 32
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_a_job_walks_from_validation_to_success_as_time_moves(api: Api, server: LocalServer) -> None:
    job = api.create(hyperparameters={"n_epochs": 2})
    seen = [job["status"]]
    for _ in range(20):
        server.advance(8)
        seen.append(api.job(job["id"])["status"])
    assert list(dict.fromkeys(seen)) == ["validating_files", "queued", "running", "succeeded"]


def test_nothing_happens_while_time_stands_still(api: Api) -> None:
    job = api.create()
    assert [api.job(job["id"]) for _ in range(3)] == [job] * 3


def test_auto_becomes_a_number_when_training_begins(api: Api, server: LocalServer) -> None:
    job = api.create()
    server.advance(20)
    running = api.job(job["id"])
    assert running["status"] == "running"
    assert running["hyperparameters"] == {"n_epochs": 10, "batch_size": 1, "learning_rate_multiplier": 2.0}
    assert running["method"]["supervised"]["hyperparameters"] == running["hyperparameters"]
    end = running["estimated_finish"]
    server.advance(end - running["created_at"])
    done = api.job(job["id"])
    assert (done["status"], done["finished_at"], done["estimated_finish"]) == ("succeeded", end, None)


def test_the_events_of_a_job_tell_its_story_in_order(api: Api, server: LocalServer) -> None:
    file_id = api.training_file()
    job = api.create(file_id, validation_file=file_id, hyperparameters={"n_epochs": 2, "batch_size": 5})
    server.advance(minutes=5)
    events = api.events(job["id"])
    model = api.job(job["id"])["fine_tuned_model"]
    messages = [event["message"] for event in events]
    assert messages[:4] == [
        f"Created fine-tuning job: {job['id']}",
        f"Validating training file: {file_id} and validation file: {file_id}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
    ]
    assert messages[4].startswith("Step 1/4: training loss=")
    assert "validation loss=" in messages[4]
    assert messages[6].startswith("Checkpoint created at step 2 with Snapshot ID: ft:gpt-4o-mini-2024-07-18:")
    assert messages[6].endswith(":ckpt-step-2")
    assert "full validation loss=" in messages[8]
    assert messages[9:] == [f"New fine-tuned model created: {model}", "The job has successfully completed"]
    assert (events[0]["data"], events[3]["data"]) == ({}, None)
    assert [event["created_at"] for event in events] == sorted(event["created_at"] for event in events)
    assert events[4]["created_at"] == job["created_at"] + 23


def test_metrics_events_carry_numbers_that_fall(api: Api, server: LocalServer) -> None:
    job = api.create()
    server.advance(minutes=10)
    metrics = [event["data"] for event in api.events(job["id"]) if event["type"] == "metrics"]
    assert [figures["step"] for figures in metrics] == list(range(1, 101))
    assert metrics[0].keys() == {"step", "total_steps", "train_loss", "train_mean_token_accuracy"}
    assert metrics[-1]["train_loss"] < metrics[0]["train_loss"] / 5


def test_a_reinforcement_reports_rewards(api: Api, server: LocalServer) -> None:
    grader = {"type": "string_check", "name": "g", "input": "a", "reference": "b", "operation": "eq"}
    method = {"type": "reinforcement", "reinforcement": {"grader": grader, "hyperparameters": {"n_epochs": 1}}}
    job = api.create(model="o4-mini", method=method)
    assert job["hyperparameters"] is None
    assert job["method"]["reinforcement"]["grader"] == grader
    server.finish(job["id"])
    data = next(event["data"] for event in api.events(job["id"]) if event["type"] == "metrics")
    assert 0 <= data["train_reward_mean"] <= 1


def test_only_the_last_three_checkpoints_stay(api: Api, server: LocalServer) -> None:
    job = api.create(hyperparameters={"n_epochs": 5, "batch_size": 10})
    server.finish(job["id"])
    page = api.get(f"/fine_tuning/jobs/{job['id']}/checkpoints").json
    model = api.job(job["id"])["fine_tuned_model"]
    assert [point["step_number"] for point in page["data"]] == [5, 4, 3]
    assert page["data"][0]["fine_tuned_model_checkpoint"] == model
    assert page["data"][1]["fine_tuned_model_checkpoint"].endswith(":ckpt-step-4")
    assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][2]["id"])
    assert page["has_more"] is False


def test_a_finished_job_leaves_a_model_and_a_result_file(api: Api, server: LocalServer) -> None:
    job = api.create(suffix="mine", hyperparameters={"n_epochs": 1})
    server.finish(job["id"])
    done = api.job(job["id"])
    assert done["trained_tokens"] > 0
    prefix, _, tail = done["fine_tuned_model"].rpartition(":")
    assert prefix == "ft:gpt-4o-mini-2024-07-18:local:mine"
    assert len(tail) == 8
    assert done["fine_tuned_model"] in [model["id"] for model in api.get("/models").json["data"]]
    (file_id,) = done["result_files"]
    described = api.get(f"/files/{file_id}").json
    assert (described["purpose"], described["filename"]) == ("fine-tune-results", "step_metrics.csv")
    lines = api.get(f"/files/{file_id}/content").body.decode().splitlines()
    assert lines[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert [line.split(",")[0] for line in lines[1:]] == [str(step) for step in range(1, 11)]


def test_too_few_examples_fail_the_job_with_the_apis_words(api: Api, server: LocalServer) -> None:
    job = api.create(api.training_file(7))
    server.advance(10)
    failed = api.job(job["id"])
    assert (failed["status"], failed["finished_at"]) == ("failed", None)
    assert failed["error"] == {
        "code": "invalid_n_examples",
        "param": "training_file",
        "message": "Training file has 7 example(s), but must have at least 10 examples",
    }
    assert api.events(job["id"])[-1]["level"] == "error"


def test_a_file_deleted_before_validation_fails_the_job(api: Api, server: LocalServer) -> None:
    file_id = api.training_file()
    job = api.create(file_id)
    assert api.call("DELETE", f"/files/{file_id}").json == {"id": file_id, "object": "file", "deleted": True}
    server.advance(10)
    assert api.job(job["id"])["error"]["code"] == "deleted_training_file"


def test_a_chat_file_does_not_do_for_dpo(api: Api, server: LocalServer) -> None:
    file_id = api.training_file()
    job = api.create(file_id, method={"type": "dpo"})
    server.advance(10)
    message = api.job(job["id"])["error"]["message"]
    assert f"Input file {file_id} is in the fine-tune-chat format, but" in message
    assert "(provided method=dpo)" in message


@pytest.mark.parametrize("seconds", [0, 12, 30])
def test_a_cancelled_job_stays_so(api: Api, server: LocalServer, seconds: int) -> None:
    job = api.create()
    server.advance(seconds)
    cancelled = api.post(f"/fine_tuning/jobs/{job['id']}/cancel")
    assert (cancelled.status, cancelled.json["status"], cancelled.json["finished_at"]) == (200, "cancelled", None)
    server.advance(minutes=60)
    assert api.job(job["id"]) == cancelled.json
    again = api.post(f"/fine_tuning/jobs/{job['id']}/cancel")
    assert (again.status, again.error["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(("seconds", "status"), [(0, "validating_files"), (12, "queued"), (60, "running")])
def test_a_paused_job_goes_on_where_it_was(api: Api, server: LocalServer, seconds: int, status: str) -> None:
    job = api.create()
    server.advance(seconds)
    path = f"/fine_tuning/jobs/{job['id']}"
    assert api.post(f"{path}/resume").status == 400
    assert api.post(f"{path}/pause").json["status"] == "pausing"
    assert api.post(f"{path}/resume").status == 400
    server.advance(5)
    steps = [event for event in api.events(job["id"]) if event["type"] == "metrics"]
    server.advance(minutes=60)
    assert api.job(job["id"])["status"] == "paused"
    assert api.post(f"{path}/pause").status == 400
    assert [event for event in api.events(job["id"]) if event["type"] == "metrics"] == steps
    assert api.post(f"{path}/resume").json["status"] == status
    server.advance(minutes=10)
    assert api.job(job["id"])["status"] == "succeeded"


@pytest.mark.parametrize("step", ["", "/events", "/checkpoints"])
def test_an_unknown_job_is_a_404_in_the_apis_words(api: Api, step: str) -> None:
    answer = api.get(f"/fine_tuning/jobs/123{step}")
    assert answer.status == 404
    assert answer.error == {
        "message": "Could not find fine tune: 123",
        "type": "invalid_request_error",
        "param": "fine_tune_id",
        "code": "fine_tune_not_found",
    }


def test_one_idempotency_key_makes_one_job_under_a_stampede(api: Api) -> None:
    body = {"model": "gpt-4o-mini", "training_file": api.training_file()}
    with ThreadPoolExecutor(16) as pool:
        sent = [pool.submit(api.post, "/fine_tuning/jobs", body, Idempotency_Key="k") for _ in range(64)]
        ids = {answer.result().json["id"] for answer in sent}
    assert len(ids) == 1
    assert [job["id"] for job in api.get("/fine_tuning/jobs").json["data"]] == list(ids)


def test_an_idempotency_key_with_another_body_conflicts(api: Api) -> None:
    file_id = api.training_file()
    body = {"model": "gpt-4o-mini", "training_file": file_id}
    first = api.post("/fine_tuning/jobs", body, Idempotency_Key="k")
    turned = dict(reversed(body.items()))
    assert api.post("/fine_tuning/jobs", turned, Idempotency_Key="k").json == first.json
    other = api.post("/fine_tuning/jobs", {**body, "seed": 1}, Idempotency_Key="k")
    assert (other.status, other.error["code"]) == (409, "idempotency_key_reused")


def test_a_refused_create_does_not_use_up_its_key(api: Api) -> None:
    body = {"model": "gpt-4o-mini", "training_file": "file-none"}
    assert api.post("/fine_tuning/jobs", body, Idempotency_Key="k").status == 400
    body["training_file"] = api.training_file()
    assert api.post("/fine_tuning/jobs", body, Idempotency_Key="k").status == 200


def test_pages_stay_whole_while_jobs_are_created(api: Api) -> None:
    file_id = api.training_file()
    made = [api.create(file_id)["id"] for _ in range(25)]
    seen, after = [], ""
    while True:
        page = api.get(f"/fine_tuning/jobs?limit=10{after}").json
        seen += [job["id"] for job in page["data"]]
        api.create(file_id)
        if not page["has_more"]:
            break
        after = f"&after={seen[-1]}"
    assert seen == made[::-1]


def test_a_full_last_page_says_that_no_more_follow(api: Api) -> None:
    file_id = api.training_file()
    for _ in range(20):
        api.create(file_id)
    page = api.get("/fine_tuning/jobs").json
    assert (len(page["data"]), page["has_more"]) == (20, False)
    api.create(file_id)
    page = api.get("/fine_tuning/jobs").json
    assert (len(page["data"]), page["has_more"]) == (20, True)


def test_metadata_filters_jobs(api: Api) -> None:
    file_id = api.training_file()
    both = api.create(file_id, metadata={"a": "1", "b": "2"})["id"]
    one = api.create(file_id, metadata={"a": "1"})["id"]
    none = [api.create(file_id)["id"], api.create(file_id, metadata={})["id"]]

    def listed(query: str) -> list[str]:
        return [job["id"] for job in api.get(f"/fine_tuning/jobs?{query}").json["data"]]

    assert listed("metadata[a]=1") == [one, both]
    assert listed("metadata%5Ba%5D=1&limit=1") == [one]
    assert listed(f"metadata[a]=1&after={one}") == [both]
    assert listed("metadata[a]=1&metadata[b]=2") == [both]
    assert listed("metadata[a]=2") == []
    assert listed("metadata=null") == none[::-1]
    for wrong in (
        "metadata=none",
        "metadata=",
        "metadata[]=",
        "metadata[]=1",
        "metadata[a][b]=1",
        "metadata=null&metadata[a]=1",
    ):
        assert api.get(f"/fine_tuning/jobs?{wrong}").status == 400, wrong


@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "1.5", "", "٣", "9" * 5000, "1e2", "+1", " 1"])
@pytest.mark.parametrize("step", ["", "/events", "/checkpoints"])
def test_a_limit_out_of_bounds_is_refused(api: Api, limit: str, step: str) -> None:
    job = f"/{api.create()['id']}" if step else ""
    parts = {"limit": limit}
    answer = api.get(f"/fine_tuning/jobs{job}{step}?{urlencode(parts)}")
    assert (answer.status, answer.error["param"]) == (400, "limit")


@pytest.mark.parametrize("step", ["", "/events", "/checkpoints"])
def test_an_unknown_cursor_is_refused(api: Api, step: str) -> None:
    job = f"/{api.create()['id']}" if step else ""
    answer = api.get(f"/fine_tuning/jobs{job}{step}?after=ftjob-none")
    assert (answer.status, answer.error["param"]) == (400, "after")
