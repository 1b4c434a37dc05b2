"""The local server as an Azure, asked over plain HTTP."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import Api, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

JOBS = "/fine_tuning/jobs"
VERSION = "api-version=2024-10-21"


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer(like="azure") as running:
        yield running


@pytest.fixture
def api(server: LocalServer) -> Api:
    return Api(f"{server.url}/openai/v1")


def create(api: Api, **fields: object) -> dict[str, Any]:
    body = {"model": "gpt-4.1", "training_file": api.training_file(), **fields}
    answer = api.post(JOBS, body)
    assert answer.status == 201, answer.body
    job: dict[str, Any] = answer.json
    return job


def test_what_is_created_is_answered_with_201_and_where_it_is(server: LocalServer, api: Api) -> None:
    file = api.upload(b"{}")
    job = api.post(JOBS, {"model": "gpt-4.1", "training_file": api.training_file()})
    for made, path in ((file, "/files"), (job, JOBS)):
        assert made.status == 201
        assert made.headers["location"] == f"{server.url}/openai/v1{path}/{made.json['id']}"
        there = urlsplit(made.headers["location"]).path.removeprefix("/openai/v1")
        assert api.get(there).json["id"] == made.json["id"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/openai{JOBS}?{VERSION}", 200, None),
        (f"/openai{JOBS}?api-version=2025-04-01-preview", 200, None),
        (f"/openai{JOBS}", 404, "404"),
        (f"/openai{JOBS}?api-version=", 404, "404"),
        (f"/openai{JOBS}?api-version=0613", 404, "404"),
        (f"/openai{JOBS}?api-version=preview", 404, "404"),
        (f"/openai/v1{JOBS}", 200, None),
        (f"/openai/v1{JOBS}?api-version=v1", 200, None),
        (f"/openai/v1{JOBS}?api-version=preview", 200, None),
        (f"/openai/v1{JOBS}?{VERSION}", 400, "BadRequest"),
        (f"/v1{JOBS}", 404, "404"),
        (f"/openai/v1/nothing?{VERSION}", 404, "404"),
    ],
)
def test_each_path_has_its_versions(server: LocalServer, path: str, status: int, code: str | None) -> None:
    answer = Api(server.url).get(path)
    assert answer.status == status
    assert status == 200 or set(answer.error) == {"code", "message"}
    assert status == 200 or answer.error["code"] == code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"api-key": "anything"}, 200),
        ({"Authorization": "Bearer a-token"}, 200),
        ({}, 401),
        ({"api-key": ""}, 401),
        ({"api-key": "sk-invalid"}, 401),
        ({"Authorization": "Bearer sk-invalid"}, 401),
        ({"Authorization": "Basic abc"}, 401),
    ],
)
def test_a_key_or_a_token_is_wanted(api: Api, headers: dict[str, str], status: int) -> None:
    answer = api.get(JOBS, **{"Authorization": "", **headers})
    assert answer.status == status
    assert answer.headers["apim-request-id"]
    assert "openai-organization" not in answer.headers
    if status == 401:
        assert answer.error["code"] == "401"
        assert answer.error["message"].startswith("Access denied due to invalid subscription key")


def test_a_job_has_the_keys_of_recorded_ones(server: LocalServer, api: Api) -> None:
    file = api.training_file()
    job = create(api, validation_file=file, suffix="mine", trainingType="globalStandard", other=1)
    assert job.keys() <= recorded("job-azure-01.json").keys()
    assert (job["status"], job["suffix"], job["trainingType"]) == ("pending", "mine", "globalStandard")
    assert job["hyperparameters"] == {"n_epochs": -1, "batch_size": -1, "learning_rate_multiplier": 1.0}
    assert job["method"]["supervised"]["hyperparameters"] == job["hyperparameters"]
    server.finish(job["id"])
    done = api.job(job["id"])
    also = {"method", "validation_file", "trainingType"}
    assert done.keys() <= recorded("job-azure-05.json").keys() | also
    assert done["fine_tuned_model"] == f"gpt-4.1-2025-04-14.ft-{job['id'].removeprefix('ftjob-')}-mine"
    assert done["hyperparameters"]["n_epochs"] > 0


def test_a_file_has_the_keys_of_a_recorded_one_and_is_pending_at_first(api: Api) -> None:
    file = api.upload(b"{}").json
    assert file.keys() == recorded("file-azure-01.json").keys()
    assert (file["status"], api.get(f"/files/{file['id']}").json["status"]) == ("pending", "processed")
    (listed,) = api.get("/files").json["data"]
    assert listed == {**file, "status": "processed"}


@pytest.mark.parametrize(("prefix", "length"), [("ftjob-", 38), ("file-", 37)])
def test_ids_are_hexadecimal(api: Api, prefix: str, length: int) -> None:
    made = create(api)
    found = made["id"] if prefix == "ftjob-" else made["training_file"]
    assert found.startswith(prefix)
    assert len(found) == length
    int(found.removeprefix(prefix), 16)


def test_minus_one_is_what_it_stands_for_in_answers(server: LocalServer, api: Api) -> None:
    """What a job shows can be sent again to make another like it."""
    first = create(api)
    assert create(api, hyperparameters=first["hyperparameters"])["hyperparameters"] == first["hyperparameters"]
    settings = {"n_epochs": -1, "batch_size": 2}
    again = create(api, method={"type": "supervised", "supervised": {"hyperparameters": settings}})
    server.finish(again["id"])
    assert api.job(again["id"])["hyperparameters"]["batch_size"] == 2


def test_the_result_file_grows_while_the_job_runs(server: LocalServer, api: Api) -> None:
    job = create(api)
    assert "result_files" not in api.job(job["id"])
    sizes, files = [], set()
    for seconds in (25, 60, 60, 600):
        server.advance(seconds)
        (file_id,) = api.job(job["id"])["result_files"]
        files.add(file_id)
        rows = api.get(f"/files/{file_id}/content").body.decode().splitlines()
        sizes.append(len(rows))
        assert rows[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
        assert all(row.endswith(",-1,-1") for row in rows[1:])
        assert api.get(f"/files/{file_id}").json["bytes"] == len("\n".join(rows)) + 1
    assert api.job(job["id"])["status"] == "succeeded"
    assert sizes == sorted(set(sizes))
    assert len(files) == 1
    assert len(api.get("/files?purpose=fine-tune-results").json["data"]) == 1


def test_events_are_told_in_its_words(server: LocalServer, api: Api) -> None:
    job = create(api)
    server.finish(job["id"])
    events = api.events(job["id"])
    messages = [each["message"] for each in events]
    done = api.job(job["id"])
    assert messages[0] == "Job enqueued. Waiting for jobs ahead to complete."
    assert messages[-3:] == [
        f"Training tokens billed: {done['trained_tokens']}",
        f"Completed results file: {done['result_files'][0]}",
        "Job succeeded.",
    ]
    steps = [each for each in events if each["type"] == "metrics"]
    assert steps[0]["message"] == f"Step 1: training loss={steps[0]['data']['train_loss']:.2f}"
    assert all("data" not in each for each in events if each["type"] == "message")


def test_a_cancelled_job_is_spelt_its_way(api: Api) -> None:
    job = create(api)
    answer = api.post(f"{JOBS}/{job['id']}/cancel")
    assert (answer.status, answer.json["status"]) == (200, "canceled")
    assert api.job(job["id"])["status"] == "canceled"
    again = api.post(f"{JOBS}/{job['id']}/cancel")
    assert (again.status, again.error["code"]) == (400, "invalidPayload")


def test_checkpoints_bear_the_models_name_and_no_ends(server: LocalServer, api: Api) -> None:
    job = create(api)
    server.finish(job["id"])
    page = api.get(f"{JOBS}/{job['id']}/checkpoints").json
    assert page.keys() == {"object", "data", "has_more"}
    model = api.job(job["id"])["fine_tuned_model"]
    names = [each["fine_tuned_model_checkpoint"] for each in page["data"]]
    assert names[0] == model
    assert names[1:] == [f"{model}:ckpt-step-{each['step_number']}" for each in page["data"][1:]]
    assert all(each["id"].startswith("ftchkpt-") for each in page["data"])


def test_models_tell_what_they_can_do_and_where_they_come_from(server: LocalServer, api: Api) -> None:
    job = create(api)
    server.finish(job["id"])
    models = {each["id"]: each for each in api.get("/models").json["data"]}
    name = api.job(job["id"])["fine_tuned_model"]
    assert models["gpt-4.1-2025-04-14"]["capabilities"]["fine_tune"] is True
    assert (models[name]["model"], models[name]["fine_tune"]) == ("gpt-4.1-2025-04-14", job["id"])
    assert all("owned_by" not in each and each["created_at"] for each in models.values())
    server.finish(again := create(api, model=name)["id"])
    assert api.job(again)["fine_tuned_model"] == f"gpt-4.1-2025-04-14.ft-{again.removeprefix('ftjob-')}"


def test_deletes_are_answered_with_204_and_nothing(server: LocalServer, api: Api) -> None:
    job = create(api)
    server.finish(job["id"])
    model, file = api.job(job["id"])["fine_tuned_model"], job["training_file"]
    for path in (f"/models/{model}", f"/files/{file}"):
        answer = api.call("DELETE", path)
        assert (answer.status, answer.body) == (204, b"")
        gone = api.call("DELETE", path)
        assert (gone.status, gone.error["code"]) == (404, "notFound")


def test_the_dated_versions_know_no_pages_of_files(server: LocalServer) -> None:
    for _ in range(3):
        Api(f"{server.url}/openai/v1").upload(b"{}")
    page = Api(server.url).get(f"/openai/files?{VERSION}&limit=1&after=file-none").json
    assert (len(page["data"]), page.keys()) == (3, {"object", "data"})
    newer = Api(server.url).get("/openai/v1/files?limit=1").json
    assert (len(newer["data"]), newer["has_more"]) == (1, True)


def test_the_dated_versions_know_no_metadata(server: LocalServer) -> None:
    body = {"model": "gpt-4.1", "metadata": {"team": "a"}}
    for path, kept in (("/openai/v1", True), ("/openai", False)):
        api = Api(server.url)
        file = Api(f"{server.url}/openai/v1").training_file()
        made = api.post(f"{path}{JOBS}?{'' if kept else VERSION}", {**body, "training_file": file})
        assert made.status == 201
        assert ("metadata" in made.json) is kept


def test_the_header_of_a_key_means_nothing_to_it(api: Api) -> None:
    body = {"model": "gpt-4.1", "training_file": api.training_file()}
    assert len({api.post(JOBS, body, Idempotency_Key="one").json["id"] for _ in range(2)}) == 2


def test_a_host_that_is_none_does_not_lose_the_answer(server: LocalServer, api: Api) -> None:
    body = {"model": "gpt-4.1", "training_file": api.training_file()}
    assert api.post(JOBS, body, Host="[::bad").status in {201, 400}
    assert len(api.get(JOBS).json["data"]) <= 1


def test_what_is_no_json_passes_untouched(server: LocalServer, api: Api) -> None:
    content = b'{"object": "file", "id": "x", "user_provided_suffix": null}'
    file_id = api.upload(content).json["id"]
    answer = api.call("GET", f"/files/{file_id}/content", headers={"Range": "bytes=1-8"})
    assert (answer.status, answer.body) == (206, content[1:9])
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("HEAD", f"/openai/v1/files/{file_id}", headers={"api-key": "k"})
    assert connection.getresponse().status == 200
    connection.close()
