"""The page without a browser: the document, what it is told, and who may ask for it."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from fine_tuning_async.server import Fault, LocalServer, Step
from tests.contract.server.http_api import Api
from tests.contract.server.trainers import begin, ends_as, trained_by

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fine_tuning_async.server import Report, TrainingTask

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def local(server: LocalServer) -> Api:
    """The same server, at its root."""
    return Api(server.url.removesuffix("/v1"))


def look(local: Api, job_id: str = "") -> Any:
    answer = local.get(f"/_local/state?job={job_id}")
    assert answer.status == 200, answer.body
    return answer.json


# -- the document ------------------------------------------------------------------------------------------------


def test_a_browser_gets_one_document_that_may_load_nothing(local: Api) -> None:
    answer = local.get("/", **BROWSER)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = answer.body.decode()
    policy = answer.headers["content-security-policy"]
    for directive, tag in (("style-src", "style"), ("script-src", "script")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; connect-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert set(re.findall(r"https?://[^'\" ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\bstyle=|\bon[a-z]+=|innerHTML|insertAdjacentHTML|document\.write|eval\(", page)


def test_the_page_needs_no_key_is_hit_by_no_fault_and_is_not_among_the_requests(
    local: Api, server: LocalServer
) -> None:
    server.faults.add(Fault.status(500))
    for path in ("/", "/_local/state"):
        assert local.get(path, Authorization="", **BROWSER).status == 200
    assert server.requests == []


@pytest.mark.parametrize(
    ("method", "accept"), [("GET", "*/*"), ("GET", "application/json"), ("POST", "text/html")]
)
def test_for_anything_but_a_browser_there_is_nothing_at_the_root(local: Api, method: str, accept: str) -> None:
    answer = local.call(method, "/", headers={"Accept": accept})
    assert (answer.status, answer.error["code"]) == (404, "unknown_url")


@pytest.mark.parametrize("like", ["openai", "azure", "gateway"])
def test_every_personality_has_the_page(like: Any) -> None:
    with LocalServer(like=like) as server:
        root = Api("http://" + urlsplit(server.url).netloc)
        assert root.get("/", **BROWSER).body.startswith(b"<!doctype html>")
        told = look(root)["server"]
        assert (told["like"], server.url) == (like, root.url + told["home"])


# -- what it is told ---------------------------------------------------------------------------------------------


def test_it_is_told_of_jobs_their_progress_and_their_losses(api: Api, local: Api, server: LocalServer) -> None:
    assert look(local)["job"] is None
    first = api.create(validation_file=api.training_file(5), hyperparameters={"n_epochs": 2}, metadata={"a": "b"})
    second = api.create(suffix="<script>")
    server.advance(20 + 3 * 12)
    told = look(local, first["id"])
    assert [(job["id"], job["status"], job["suffix"]) for job in told["jobs"]["data"]] == [
        (second["id"], "running", "<script>"),
        (first["id"], "running", None),
    ]
    job = told["job"]
    assert (job["id"], job["step"], job["total"], job["metadata"]) == (first["id"], 12, 20, {"a": "b"})
    assert [point["step"] for point in job["curve"]] == list(range(1, 13))
    assert all(0 < point["train_loss"] < 3 and 0 < point["valid_loss"] < 4 for point in job["curve"])
    assert [checkpoint["step_number"] for checkpoint in job["checkpoints"]] == [10]
    assert job["events"] == api.events(first["id"])[::-1]
    assert told["server"]["simulated"]
    assert look(local)["job"]["id"] == second["id"]
    assert look(local, "ftjob-unknown")["job"] is None


def test_it_is_told_of_requests_faults_and_webhooks(api: Api, local: Api, server: LocalServer) -> None:
    server.faults.once(Fault.status(503), method="GET", path="/models")
    server.faults.rate({Fault.reset(): 0.25}, path="/none")
    assert [rule["faults"][0]["kind"] for rule in look(local)["faults"]] == ["status", "reset"]
    api.get("/models?a=<b>")
    server.add_webhook("http://127.0.0.1:9/hook")
    server.fail(api.create()["id"])
    told = look(local)
    assert [rule["path"] for rule in told["faults"]] == ["/none"]
    newest, *_, oldest = told["requests"]["data"]
    assert (newest["method"], newest["path"], newest["status"]) == ("POST", "/v1/fine_tuning/jobs", 200)
    assert (oldest["path"], oldest["status"], oldest["fault"]) == ("/v1/models?a=<b>", 503, "status")
    assert told["requests"]["total"] == len(told["requests"]["data"]) == 3
    assert "sk-test" not in json.dumps(told)
    (delivery,) = told["webhooks"]
    assert (delivery["url"], delivery["type"]) == ("http://127.0.0.1:9/hook", "fine_tuning.job.failed")
    assert "whsec" not in json.dumps(told)


def test_what_it_is_told_does_not_grow_with_what_the_server_holds(
    api: Api, local: Api, server: LocalServer
) -> None:
    file_id = api.training_file()
    jobs = [api.create(file_id)["id"] for _ in range(55)]
    for _ in range(10):
        api.get("/models")
    told = look(local)
    assert (told["jobs"]["total"], [job["id"] for job in told["jobs"]["data"]]) == (55, jobs[:4:-1])
    assert (told["requests"]["total"], len(told["requests"]["data"])) == (66, 50)
    long = api.create(api.training_file(200), hyperparameters={"n_epochs": 10})["id"]
    server.finish(long)
    assert len(look(local, long)["job"]["events"]) == 60


def test_the_curve_of_a_long_training_is_thinned_and_ends_where_the_training_does() -> None:
    async def script(task: TrainingTask) -> AsyncIterator[Report]:
        for number in range(1, 451):
            yield Step(number, 450, {"train_loss": 450 / number, "odd": 1.0})

    with trained_by(script) as (server, api, _):
        job_id = begin(server, api)
        ends_as(api, job_id, "succeeded")
        told = look(Api(server.url.removesuffix("/v1")), job_id)
        assert not told["server"]["simulated"]
        assert told["server"]["trainer"] == "Scripted"
        curve = told["job"]["curve"]
        assert [point["step"] for point in curve] == list(range(2, 451, 2))
        assert set(curve[0]) == {"step", "train_loss"}


# -- who may ask -------------------------------------------------------------------------------------------------

EVIL = "http://evil.example"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        # a program, a browser that was told to go there, the page itself
        ("POST", "/_local/reset", {}, 200),
        ("POST", "/_local/reset", {"Host": "fine-tuning:8080"}, 200),
        ("GET", "/_local/state", {"Sec-Fetch-Site": "none"}, 200),
        ("GET", "/_local/state", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("GET", "/_local/state", {"Host": "localhost:1234"}, 200),
        ("GET", "/_local/state", {"Host": "jobs.localhost"}, 200),
        ("GET", "/_local/state", {"Host": "[::1]:1234"}, 200),
        ("GET", "/_local/state", {"Host": "192.168.1.7:80"}, 200),
        ("POST", "/_local/reset", {"Host": "localhost:80", "Origin": "http://localhost:80"}, 200),
        ("GET", "/", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        # another site (CSRF)
        ("POST", "/_local/reset", {"Origin": EVIL}, 403),
        ("POST", "/_local/reset", {"Origin": "null"}, 403),
        ("POST", "/_local/advance", {"Origin": "http://localhost:3000", "Content-Type": "text/plain"}, 403),
        ("POST", "/_local/reset", {"Origin": "http://[::1"}, 403),
        ("DELETE", "/_local/faults", {"Origin": EVIL}, 403),
        ("GET", "/_local/state", {"Origin": EVIL}, 403),
        ("GET", "/_local/stream", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", "/_local/state", {"Sec-Fetch-Site": "same-site"}, 403),
        ("POST", "/_local/reset", {"Sec-Fetch-Site": "cross-site"}, 403),
        # a name that was made to lead here (DNS rebinding)
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("GET", "/_local/state", {"Host": "evil.example:80"}, 403),
        ("GET", "/_local/faults", {"Host": "127.0.0.1.evil.example"}, 403),
        ("GET", "/_local/state", {"Host": "[::1"}, 403),
        ("POST", "/_local/reset", {"Host": "evil.example", "Origin": EVIL}, 403),
    ],
)
def test_no_foreign_web_site_looks_or_steers(
    local: Api, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = local.call(method, path, headers={**BROWSER, **headers})
    assert answer.status == status
    if status == 403:
        assert answer.error["code"] == "foreign_origin"


def test_a_server_is_known_by_the_name_that_it_listens_on() -> None:
    """`localhost` leads to a loopback address here, as any other name may elsewhere."""
    with LocalServer(host="localhost") as server:
        local = Api(server.url.removesuffix("/v1"))
        assert local.get("/_local/state").status == 200
        assert local.get("/_local/state", Host="other").status == 403


def test_a_server_that_listens_for_containers_is_known_by_the_name_that_they_have_for_it() -> None:
    with LocalServer(host="0.0.0.0") as server:  # noqa: S104 - the point
        local = Api(server.url.removesuffix("/v1"))
        for host, status in (("fine-tuning:8080", 200), ("evil.example", 403), ("evil.", 403), (":80", 403)):
            assert local.get("/_local/state", Host=host).status == status


def test_the_api_itself_asks_for_no_origin(api: Api) -> None:
    """It asks for a key, which no foreign site can send without being asked first."""
    assert api.get("/models", Origin=EVIL, Host="proxy.example").status == 200
    assert api.call("OPTIONS", "/models", headers={"Origin": EVIL}).status == 405
