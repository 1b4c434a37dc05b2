"""A server that is renewed for one test after another, and a clock that each look at jobs moves."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async.server import Fault, LocalServer
from fine_tuning_async.server.clock import LATEST
from fine_tuning_async.server.lasting import LastingServer
from tests.contract.server.http_api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUSES = ["validating_files", "queued", "running", "succeeded"]

FORM = (
    b'--of-the-test\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
    b'--of-the-test\r\nContent-Disposition: form-data; name="file"; filename="t.jsonl"\r\n\r\n{}\r\n'
    b"--of-the-test--\r\n"
)
HEAD = (
    b"POST /v1/files HTTP/1.1\r\nHost: local\r\nAuthorization: Bearer k\r\n"
    b"Content-Type: multipart/form-data; boundary=of-the-test\r\nContent-Length: %d\r\n\r\n" % len(FORM)
)


@pytest.fixture(scope="module")
def lasting() -> Iterator[LastingServer]:
    server = LastingServer()
    yield server
    server.stop()


@pytest.fixture
def server(lasting: LastingServer) -> LastingServer:
    lasting.renew(seed=0, advance_per_poll=0)
    return lasting


@pytest.fixture
def api(server: LastingServer) -> Api:
    return Api(server.url)


def port_of(server: LocalServer) -> int:
    return int(server.url.split(":")[2].split("/")[0])


def now(server: LocalServer) -> int:
    """Return the server's time."""
    local = Api(server.url.removesuffix("/v1") + "/_local")
    return int(local.post("/advance", {"seconds": 0}).json["now"])


def used(server: LocalServer, api: Api) -> dict[str, Any]:
    """Leave something of everything behind; return a job."""
    server.add_webhook("http://127.0.0.1:9/nobody")
    job = api.create()
    server.finish(job["id"])
    server.advance(minutes=10_000)
    server.faults.add(Fault.status(503), path="/nowhere")
    return job


def test_nothing_is_seen_of_an_earlier_use(server: LastingServer, api: Api) -> None:
    url, first = server.url, used(server, api)
    server.renew(seed=0, advance_per_poll=0)
    assert server.url == url
    assert (server.requests, server.faults.active, server.deliveries) == ([], [], [])
    for path in ("/fine_tuning/jobs", "/files"):
        assert api.get(path).json["data"] == []
    again = api.create()
    assert abs(again["created_at"] - time.time()) < 60, "the clock shows the real time again"
    assert {**again, "created_at": 0} == {**first, "created_at": 0}, "same seed, same requests, same answers"
    server.finish(again["id"])
    assert not server.deliveries, "there is no webhook"


def test_another_seed_draws_other_ids(server: LastingServer, api: Api) -> None:
    organization = api.get("/models").headers["openai-organization"]
    first = api.create()
    server.renew(seed=1, advance_per_poll=0)
    assert api.get("/models").headers["openai-organization"] != organization
    assert api.create()["id"] != first["id"]
    with LocalServer(seed=1) as new:
        server.renew(seed=1, advance_per_poll=0)
        assert Api(new.url).create()["id"] == api.create()["id"]


def test_a_connection_lasts(server: LastingServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)
    connection.connect()
    held = connection.sock
    for _ in range(2):
        connection.request("GET", "/v1/models", headers={"Authorization": "Bearer k"})
        assert connection.getresponse().read()
        server.renew(seed=0, advance_per_poll=0)
    assert connection.sock is held
    connection.close()


@pytest.mark.parametrize("fault", [Fault.reply_delayed(60), Fault.work_delayed(60), Fault.stalled()])
def test_what_was_left_in_flight_is_not_seen_afterwards(server: LastingServer, api: Api, fault: Fault) -> None:
    file_id = api.training_file()
    rule = server.faults.once(fault, method="POST")
    with ThreadPoolExecutor(1) as pool:
        left = pool.submit(api.create, file_id)
        while not rule.seen:
            time.sleep(0.001)
        server.renew(seed=0, advance_per_poll=0)
        assert isinstance(left.exception(timeout=10), ConnectionError | http.client.HTTPException | AssertionError)
    assert server.requests == []
    assert api.get("/fine_tuning/jobs").json["data"] == []


def test_an_upload_that_is_under_way_ends_before(server: LastingServer, api: Api) -> None:
    answers: list[bytes] = []
    with socket.create_connection(("127.0.0.1", port_of(server))) as upload:
        upload.sendall(HEAD + FORM[:100])
        assert api.get("/models").status == 200, "what was sent before is being read"
        renewing = threading.Thread(target=lambda: server.renew(seed=0, advance_per_poll=0))
        renewing.start()
        renewing.join(0.05)
        upload.sendall(FORM[100:])
        answers.append(upload.recv(15))
        renewing.join()
    assert answers == [b"HTTP/1.1 200 OK"]
    assert server.requests == []
    assert api.get("/files").json["data"] == []


def test_a_server_that_was_stopped_starts_again(server: LastingServer) -> None:
    server.stop()
    server.renew(seed=0, advance_per_poll=0)
    assert Api(server.url).get("/models").status == 200


# -- each look moves the clock -----------------------------------------------------------------------------------


def test_each_look_at_a_job_moves_it_on(server: LastingServer, api: Api) -> None:
    job = api.create()
    path, began = f"/fine_tuning/jobs/{job['id']}", now(server)
    server.advance_per_poll = 10
    for done, look in enumerate((path, "/fine_tuning/jobs", f"{path}/events", f"{path}/checkpoints"), 1):
        assert api.get(look).status == 200
        assert now(server) == began + 10 * done
    for other in ("/files", "/models"):
        assert api.get(other).status == 200
    assert api.post(f"{path}/pause").status == 200
    assert now(server) == began + 40, "everything else is no look"


def test_a_wait_of_looks_alone_comes_to_the_end(server: LastingServer, api: Api) -> None:
    job = api.create()
    server.advance_per_poll = 10
    seen: list[str] = [job["status"]]
    while seen[-1] != "succeeded":
        assert len(seen) < 100
        seen.append(api.job(job["id"])["status"])
    assert list(dict.fromkeys(seen)) == STATUSES


def test_a_renewed_server_moves_as_it_is_told(server: LastingServer, api: Api) -> None:
    server.renew(seed=0, advance_per_poll=3600)
    assert server.advance_per_poll == 3600
    assert api.job(api.create()["id"])["status"] == "succeeded"
    server.renew(seed=0, advance_per_poll=0)
    assert api.job(api.create()["id"])["status"] == "validating_files"


def test_looks_end_at_the_end_of_the_calendar(server: LastingServer, api: Api) -> None:
    server.advance_per_poll = LATEST
    assert [api.get("/fine_tuning/jobs").status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), True, "60", None])
def test_what_is_no_number_of_seconds_is_refused(server: LastingServer, seconds: Any) -> None:
    server.advance_per_poll = 5
    with pytest.raises(ValueError, match=r"advance_per_poll must be a number of seconds, 0 or above, not"):
        server.advance_per_poll = seconds
    assert server.advance_per_poll == 5
