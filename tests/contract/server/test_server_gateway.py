"""The local server as a gateway, asked over plain HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import Api, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

JOBS = "/fine_tuning/jobs"
MARK = "custom_llm_provider"


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer(like="gateway") as running:
        yield running


@pytest.fixture
def api(server: LocalServer) -> Api:
    return Api(server.url)


def test_it_stands_under_a_prefix_and_nowhere_else(server: LocalServer) -> None:
    assert server.url.endswith("/gateway/v1")
    origin = server.url.removesuffix("/gateway/v1")
    assert Api(server.url).get("/models").status == 200
    for path in ("/v1/models", "/openai/v1/models", "/gateway/models", "/gateway/v1/nothing"):
        answer = Api(origin).get(path)
        assert (answer.status, answer.json) == (404, {"detail": "Not Found"})
    assert Api(server.url).post("/models").json == {"detail": "Method Not Allowed"}


def test_metadata_is_lost_and_unknown_fields_are_echoed(api: Api) -> None:
    job = api.create(metadata={"team": "a"}, lora={"r": 8}, packing=True)
    assert job["metadata"] is None
    assert (job["lora"], job["packing"]) == ({"r": 8}, True)
    assert api.job(job["id"]) == job
    assert api.get(f"{JOBS}?metadata[team]=a").json["data"] == []
    assert len(api.get(f"{JOBS}?metadata=null").json["data"]) == 1


def test_a_clients_own_headers_go_no_further(server: LocalServer, api: Api) -> None:
    body = {"model": "gpt-4o-mini", "training_file": api.training_file()}
    made = {api.post(JOBS, body, Idempotency_Key="one").json["id"] for _ in range(2)}
    assert len(made) == 2
    assert server.requests[-1].headers["idempotency-key"] == "one"


def test_every_object_has_more_in_it_than_the_api_has(server: LocalServer, api: Api) -> None:
    job = api.create()
    server.finish(job["id"])
    path = f"{JOBS}/{job['id']}"
    assert job[MARK] == api.job(job["id"])[MARK] == "openai"
    for listed in ("/files", JOBS, f"{path}/events", f"{path}/checkpoints"):
        items = api.get(listed).json["data"]
        assert items
        assert {each[MARK] for each in items} == {"openai"}


def test_lists_say_too_little_or_too_much_about_what_follows(server: LocalServer, api: Api) -> None:
    jobs = [api.create()["id"] for _ in range(2)]
    server.finish(jobs[0])
    for name in ("events", "checkpoints"):
        assert "has_more" not in api.get(f"{JOBS}/{jobs[0]}/{name}?limit=2").json
    assert api.get(f"{JOBS}?limit=1").json["has_more"] is True
    assert api.get(f"{JOBS}?limit=2").json["has_more"] is True, "nothing follows: it is wrong"
    assert api.get(f"{JOBS}?limit=2&after={jobs[0]}").json["has_more"] is False
    assert api.get(f"{JOBS}?limit=3").json["has_more"] is False
    assert api.get(JOBS).json["has_more"] is False


def test_models_have_its_shape(api: Api) -> None:
    shape = recorded("page-models-litellm-01.json")
    page = api.get("/models").json
    assert page.keys() == shape.keys()
    assert {frozenset(each) for each in page["data"]} == {frozenset(shape["data"][0])}


def test_an_error_of_the_api_is_repeated_as_python_writes_it(api: Api) -> None:
    answer = api.get("/files/file-none")
    assert (answer.status, answer.json) == (404, recorded("error-litellm-05.json"))


@pytest.mark.parametrize("key", ["sk-invalid", "sk-invalid-0123456789"])
def test_a_wrong_key_is_a_400(api: Api, key: str) -> None:
    answer = api.get(JOBS, Authorization=f"Bearer {key}")
    assert (answer.status, answer.json) == (400, recorded("error-litellm-03.json"))


def test_no_key_at_all_is_a_401(api: Api) -> None:
    answer = api.get(JOBS, Authorization="")
    assert (answer.status, answer.error["type"], answer.error["param"]) == (401, "auth_error", "None")


def test_answers_bear_an_id_of_its_own_beside_that_of_the_api(api: Api) -> None:
    headers = api.get("/models").headers
    assert headers["x-request-id"] == f"req_{headers['x-litellm-call-id']}"
