"""Many things at once: threads, resets, servers."""

from __future__ import annotations

import json
import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import IncompleteRead
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import Fault, JobStateError, LocalServer, UnknownJobError, UnknownWebhookError
from fine_tuning_async.server.store import CHUNK
from tests.contract.server.http_api import Api, chat_lines
from tests.contract.server.raw_http import connected, exchange, post, request

if TYPE_CHECKING:
    from collections.abc import Callable

FORM = "Content-Type: multipart/form-data; boundary=b"
PURPOSE = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
OPEN_FILES = Path("/proc/self/fd")


def upload(content: bytes) -> bytes:
    return post("/v1/files", PURPOSE + FILE + content + b"\r\n--b--\r\n", FORM)


def something(server: LocalServer, draw: random.Random, jobs: list[str]) -> list[Callable[[], object]]:
    """Everything that a thread may do with a server."""
    api, job = Api(server.url), draw.choice(jobs or ["ftjob-none"])
    hook = f"http://127.0.0.1:9/{draw.randrange(3)}"
    content = draw.randbytes(draw.randrange(CHUNK * 2))

    def create() -> None:
        body = {"model": "gpt-4o-mini", "training_file": api.upload(chat_lines(10)).json.get("id", "file-none")}
        made = api.post("/fine_tuning/jobs", body).json
        jobs.extend([made["id"]] if "id" in made else [])

    def store() -> None:
        made = api.upload(content, purpose="batch").json
        found = api.get(f"/files/{made.get('id')}/content")
        # After a reset, the same id may be that of another thread's file.
        assert found.status in {200, 404}

    return [
        create,
        store,
        lambda: server.advance(draw.random() * 20),
        lambda: server.finish(job),
        lambda: server.fail(job),
        server.reset if draw.random() < 0.2 else create,
        lambda: (server.requests, server.deliveries, server.faults.active, repr(server)),
        lambda: server.add_webhook(hook),
        lambda: server.remove_webhook(hook),
        lambda: server.faults.add(Fault.reply_delayed(0), path="/models").remove(),
        lambda: api.post(f"/fine_tuning/jobs/{job}/{draw.choice(['pause', 'resume', 'cancel'])}"),
        lambda: api.get(f"/fine_tuning/jobs/{job}/events"),
    ]


@pytest.mark.parametrize("stored", [False, True])
def test_threads_may_do_anything_at_once(stored: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with LocalServer(db=tmp_path / "jobs.db" if stored else None) as server:

        def work(seed: int) -> None:
            draw, jobs = random.Random(seed), list[str]()
            for _ in range(15):
                # The download of a file that is gone breaks off.
                with suppress(UnknownJobError, JobStateError, UnknownWebhookError, IncompleteRead):
                    draw.choice(something(server, draw, jobs))()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert [record for record in server.requests if record.status >= 500] == []
        assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


def test_an_upload_that_a_reset_overtakes_is_refused_and_spoils_no_other() -> None:
    with LocalServer() as server, connected(server.url) as connection:
        data = upload(b"old" * CHUNK)
        connection.sendall(data[: 2 * CHUNK])
        Api(server.url).get("/models")  # by now the first half has been read
        server.reset()
        other = json.loads(exchange(server.url, upload(b"new" * CHUNK)).last)
        with suppress(ConnectionError):
            connection.sendall(data[2 * CHUNK :])
        answer = connection.recv(65536)
        assert b" 409 " in answer
        assert b"server_reset" in answer
        api = Api(server.url)
        assert [file["id"] for file in api.get("/files").json["data"]] == [other["id"]]
        assert api.get(f"/files/{other['id']}/content").body == b"new" * CHUNK


def test_a_download_that_a_reset_overtakes_breaks_off_and_goes_on_with_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with LocalServer() as server:
        size = 128 * CHUNK
        file_id = json.loads(exchange(server.url, upload(b"o" * size)).last)["id"]
        with connected(server.url) as connection:
            connection.sendall(request(f"GET /v1/files/{file_id}/content"))
            received = b""
            while not received.partition(b"\r\n\r\n")[2]:
                received += connection.recv(65536)
            for _ in range(60):  # by then the server has sent what the system takes, and waits for the client
                Api(server.url).get("/models")
            server.reset()
            assert json.loads(exchange(server.url, upload(b"n" * size)).last)["id"] == file_id
            while chunk := connection.recv(1 << 20):
                received += chunk
        content = received.partition(b"\r\n\r\n")[2]
        assert len(content) < size
        assert set(content) == {ord("o")}
        assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


def test_servers_in_one_process_know_nothing_of_each_other(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(LocalServer(seed=seed, db=tmp_path / f"{seed}.db" if seed % 2 else None))
            for seed in range(4)
        ]
        for number, server in enumerate(servers):
            for _ in range(number):
                Api(server.url).create()
        servers[3].finish(Api(servers[3].url).get("/fine_tuning/jobs").json["data"][0]["id"])
        servers[2].reset()
        found = [Api(server.url).get("/fine_tuning/jobs").json["data"] for server in servers]
        assert [len(jobs) for jobs in found] == [0, 1, 0, 3]
        assert len({job["id"] for jobs in found for job in jobs}) == 4
        assert [job["status"] for job in found[3]].count("succeeded") == 1


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="open files are listed by Linux")
def test_starts_and_stops_leave_no_thread_and_no_open_file(tmp_path: Path) -> None:
    again, left = LocalServer(db=tmp_path / "again.db"), []
    for turn in range(12):
        with again if turn % 2 else LocalServer() as server:
            Api(server.url).get("/models")
        left.append((len([*OPEN_FILES.iterdir()]), threading.active_count()))
    assert left[1:] == left[:1] * 11
