"""Faults and the control paths of a server in its own thread: steered from outside, over HTTP, through a stop."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from fine_tuning_async.server import Fault, LocalServer
from tests.contract.server.http_api import Answer, Api

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n\r\n"


class Steering:
    """Sends to the control paths, without a key."""

    def __init__(self, server: LocalServer) -> None:
        self.api = Api(server.url.replace("/v1", "/_local"))

    def __call__(self, method: str, path: str, body: object = None) -> Answer:
        return self.api.call(method, path, body, {"Authorization": ""})


@pytest.fixture
def steer(server: LocalServer) -> Steering:
    return Steering(server)


@pytest.fixture
def connection(server: LocalServer) -> Iterator[socket.socket]:
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=10) as sock:
        yield sock


# ------------------------------------------------------------------------------------------------ the thread


def test_faults_are_scripted_from_another_thread(api: Api, server: LocalServer) -> None:
    with server.faults.add(Fault.status(503)):
        assert api.get("/models").status == 503
    assert api.get("/models").status == 200
    server.faults.once(Fault.reply_dropped())
    with pytest.raises(http.client.RemoteDisconnected):
        api.create()
    server.faults.once(Fault.cut(5), path="/models")
    with pytest.raises(http.client.IncompleteRead) as caught:
        api.get("/models")
    assert len(caught.value.partial) == 5


@pytest.mark.parametrize(("fault", "told"), [(Fault.reset(), ConnectionResetError), (Fault.reply_dropped(), None)])
def test_a_reset_and_a_close_look_different_to_a_socket(
    fault: Fault, told: type[Exception] | None, server: LocalServer, connection: socket.socket
) -> None:
    server.faults.once(fault)
    connection.sendall(HEAD)
    if told is None:
        assert connection.recv(1) == b""
    else:
        with pytest.raises(told):
            connection.recv(1)


def test_threads_that_ask_at_once_share_the_count() -> None:
    faults = LocalServer().faults
    once, drawn = faults.add(Fault.status(), times=100), faults.rate({Fault.reset(): 0.5}, seed=3)

    def ask() -> None:
        for _ in range(250):
            faults.draw("GET", "/models")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (sum(once.hits.values()), drawn.seen) == (100, 1000)


@pytest.mark.parametrize(
    "fault",
    [Fault.stalled(0), Fault.stalled(), Fault.work_delayed(3600), Fault.reply_delayed(3600), Fault.trickled(3600)],
)
def test_a_stop_breaks_off_what_waits_within_a_second(
    fault: Fault, server: LocalServer, connection: socket.socket
) -> None:
    script = server.faults.add(fault)
    connection.sendall(HEAD)
    while not script.seen:
        time.sleep(0.001)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 1
    rest = b""
    with suppress(ConnectionResetError):
        while data := connection.recv(4096):
            rest += data
    assert not rest.endswith(b"}")


@pytest.mark.real_time
async def test_a_mounted_app_is_shut_down_as_quickly_whatever_its_runner_would_wait_for() -> None:
    server = LocalServer()
    runner = web.AppRunner(server.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.faults.add(Fault.stalled(0))
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/models"
    key = {"Authorization": "Bearer k"}
    async with aiohttp.ClientSession(headers=key) as session, session.get(url) as answer:
        assert answer.status == 200
        reading = asyncio.create_task(answer.read())
        async with asyncio.timeout(10):  # the runner itself would wait for a minute
            await runner.cleanup()
        with pytest.raises(aiohttp.ClientPayloadError):
            await reading


def test_a_stop_ends_work_that_is_still_to_be_done(tmp_path: Any) -> None:
    path = tmp_path / "server.db"
    with LocalServer(db=path) as server:
        api = Api(server.url)
        file_id = api.training_file()
        script = server.faults.add(Fault.work_delayed(3600), method="POST")
        parts = urlsplit(server.url)
        with closing(http.client.HTTPConnection(str(parts.hostname), parts.port)) as waiting:
            body = f'{{"model": "gpt-4o", "training_file": "{file_id}"}}'
            waiting.request("POST", "/v1/fine_tuning/jobs", body, {"Authorization": "Bearer k"})
            while not script.seen:
                time.sleep(0.001)
    with LocalServer(db=path) as server:
        assert Api(server.url).get("/fine_tuning/jobs").json["data"] == []


# ------------------------------------------------------------------------------------------------ over HTTP


def test_a_reset_over_http(api: Api, server: LocalServer, steer: Steering) -> None:
    first = api.create()
    server.faults.add(Fault.status(500), path="/models")
    assert (steer("POST", "/reset").status, steer("POST", "/reset").json) == (200, {"reset": True})
    assert api.get("/models").status == 200
    assert server.faults.active == []
    assert api.create()["id"] == first["id"]


def test_time_is_moved_over_http(api: Api, steer: Steering) -> None:
    job = api.create()
    before = steer("POST", "/advance", {"seconds": 0}).json["now"]
    assert steer("POST", "/advance", {"seconds": 12, "minutes": 1.5}).json == {"now": before + 102}
    assert api.job(job["id"])["status"] == "running"


def test_jobs_end_over_http(api: Api, steer: Steering) -> None:
    done, failed = api.create(), api.create()
    assert steer("POST", f"/jobs/{done['id']}/finish").json["status"] == "succeeded"
    told = steer("POST", f"/jobs/{failed['id']}/fail", {"code": "wet", "message": "the room is wet"})
    assert told.json == api.job(failed["id"])
    assert told.json["error"] == {"code": "wet", "param": None, "message": "the room is wet"}
    assert steer("POST", f"/jobs/{done['id']}/fail").status == 400
    assert steer("POST", f"/jobs/{failed['id']}/finish").error["message"].endswith("it cannot succeed any more")
    unknown = steer("POST", "/jobs/ftjob-none/finish")
    assert (unknown.status, unknown.error["code"]) == (404, "fine_tune_not_found")


def test_faults_are_scripted_over_http(api: Api, server: LocalServer, steer: Steering) -> None:
    rule = {
        "fault": {"kind": "status", "status": 503, "after_work": True},
        "method": "POST",
        "times": 2,
        "skip": 1,
    }
    told = steer("POST", "/faults", {**rule, "path": "/fine_tuning/jobs"}).json
    assert told == {
        "method": "POST", "path": "/fine_tuning/jobs", "skip": 1, "times": 2, "seed": 0, "seen": 0,
        "faults": [{"kind": "status", "status": 503, "after_work": True, "code": None, "rate": 1, "hits": 0}],
    }  # fmt: skip
    body = {"model": "gpt-4o-mini", "training_file": api.training_file()}
    assert [api.post("/fine_tuning/jobs", body).status for _ in range(3)] == [200, 503, 503]
    assert steer("GET", "/faults").json == {"object": "list", "data": []}, "it is spent"
    assert [record.fault for record in server.requests[1:]] == [None, "status", "status"]


def test_rates_over_http_are_those_of_the_same_seed(api: Api, server: LocalServer, steer: Steering) -> None:
    def told() -> list[int]:
        return [api.get("/models").status for _ in range(40)]

    server.faults.rate({Fault.status(502): 0.3, Fault.rate_limited(3): 0.2}, seed=9)
    here = told()
    assert steer("DELETE", "/faults").json == {"object": "list", "data": []}
    assert told() == [200] * 40
    rates = [{"kind": "status", "status": 502, "rate": 0.3}, {"kind": "rate_limited", "seconds": 3, "rate": 0.2}]
    assert steer("POST", "/faults", {"rates": rates, "seed": 9}).status == 200
    assert told() == here
    (rule,) = steer("GET", "/faults").json["data"]
    assert rule["seen"] == 40
    assert [each["hits"] for each in rule["faults"]] == [here.count(502), here.count(429)]


def test_what_is_listed_can_be_sent_back(server: LocalServer, steer: Steering) -> None:
    made = [
        Fault.reply_delayed(1, up_to=2), Fault.work_delayed(0), Fault.status(409, code="x"), Fault.rate_limited(5),
        Fault.reply_dropped(), Fault.reset(), Fault.cut(3), Fault.stalled(), Fault.trickled(size=3),
        Fault.malformed("<"), Fault.has_more(None), Fault.query_ignored("after"), Fault.header_ignored("x"),
    ]  # fmt: skip
    for fault in made:
        server.faults.add(fault)
    listed = steer("GET", "/faults").json["data"]
    assert [rule["faults"][0]["kind"] for rule in listed] == [fault.kind for fault in made]
    server.faults.clear()
    for rule in listed:
        said = {name: value for name, value in rule["faults"][0].items() if name not in {"rate", "hits"}}
        assert steer("POST", "/faults", {"fault": said}).status == 200
    assert [fault for rule in server.faults.active for fault in rule.rates] == made


BAD = [
    ("/faults", {}, "fault"),
    ("/faults", {"fault": {"kind": "cut"}, "rates": []}, "fault"),
    ("/faults", {"fault": "cut"}, "fault"),
    ("/faults", {"fault": {"kind": "explode"}}, "fault.kind"),
    ("/faults", {"fault": {"kind": "ready"}}, "fault.kind"),
    ("/faults", {"fault": {"kind": "_late"}}, "fault.kind"),
    ("/faults", {"fault": {}}, "fault.kind"),
    ("/faults", {"fault": {"kind": "work_delayed"}}, "fault"),
    ("/faults", {"fault": {"kind": "cut", "colour": "red"}}, "fault"),
    ("/faults", {"fault": {"kind": "cut", "after": "x"}}, "fault.after"),
    ("/faults", {"fault": {"kind": "cut"}, "path": "x"}, "path"),
    ("/faults", {"fault": {"kind": "cut"}, "path": 5}, "path"),
    ("/faults", {"fault": {"kind": "cut"}, "times": 1.5}, "times"),
    ("/faults", {"fault": {"kind": "cut"}, "colour": "red"}, "colour"),
    ("/faults", {"rates": [{"kind": "cut"}]}, "rates"),
    ("/faults", {"rates": [{"kind": "cut", "rate": 0.6}, {"kind": "reset", "rate": 0.6}]}, "rates"),
    ("/faults", {"rates": [{"kind": "nothing", "rate": 0.6}]}, "rates[0].kind"),
    ("/faults", {"rates": [], "times": 3}, "faults.times"),
    ("/faults", {"rates": {}}, "rates"),
    ("/advance", {"seconds": -1}, "seconds"),
    ("/advance", {"seconds": "5"}, "seconds"),
    ("/advance", {"hours": 1}, "hours"),
    ("/advance", {"seconds": 1e300}, "seconds"),
    ("/advance", [], None),
    ("/jobs/ftjob-none/fail", {"code": 5}, "code"),
    ("/jobs/ftjob-none/finish", {"code": "x"}, "code"),
]


@pytest.mark.parametrize(("path", "body", "param"), BAD)
def test_what_cannot_be_is_a_400_that_names_the_parameter(
    path: str, body: object, param: str | None, server: LocalServer, steer: Steering
) -> None:
    told = steer("POST", path, body)
    assert (told.status, told.error["param"]) == (400, param), told.body
    assert told.error["message"]
    assert server.faults.active == []


def test_steering_is_no_request_to_the_api(api: Api, server: LocalServer, steer: Steering) -> None:
    server.faults.add(Fault.reply_dropped())
    assert steer("GET", "/faults").status == 200
    assert server.requests == []
    assert server.faults.active[0].seen == 0
    assert steer("POST", "/nothing").error["code"] == "unknown_url"
    assert steer("GET", "/reset").status == 405
    server.faults.clear()
    assert Api(server.url).call("GET", "/_local/faults").status == 404, "it stands at the server's root alone"
