"""The server as a component: starting, stopping, control, time, determinism, survival."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from fine_tuning_async.server import (
    JobStateError,
    LocalServer,
    NotRunningError,
    StartError,
    UnknownJobError,
    serve,
)
from tests.contract.server.http_api import Api, chat_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

KEY = {"Authorization": "Bearer k"}


def test_start_and_stop_may_be_repeated() -> None:
    server = LocalServer()
    assert server.start() is server
    url = server.url
    assert server.start().url == url
    server.stop()
    server.stop()
    with server:
        assert Api(server.url).get("/models").status == 200


def test_a_stop_is_quick_and_leaves_nothing() -> None:
    before = set(threading.enumerate())
    server = LocalServer().start()
    port = int(server.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as idle:
        idle.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n")
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    gc.collect()


def test_a_taken_port_is_a_clear_error(server: LocalServer) -> None:
    port = int(server.url.split(":")[2].split("/")[0])
    other = LocalServer(port=port)
    with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1:{port}"):
        other.start()
    with pytest.raises(NotRunningError):
        _ = other.url


def test_misuse_is_told(server: LocalServer) -> None:
    with pytest.raises(ValueError, match="forward"):
        server.advance(-1)
    with pytest.raises(ValueError, match="forward"):
        server.advance(float("nan"))
    with pytest.raises(UnknownJobError):
        server.finish("ftjob-none")
    with pytest.raises(LookupError):
        server.fail("ftjob-none")
    for bad in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="speed"):
            LocalServer(speed=bad)
    for call in (LocalServer().reset, LocalServer().advance):
        with pytest.raises(NotRunningError):
            call()


def test_finish_and_fail_end_a_job_at_once(api: Api, server: LocalServer) -> None:
    file_id = api.training_file()
    done, failed, paused = (api.create(file_id)["id"] for _ in range(3))
    server.finish(done)
    server.finish(done)
    server.fail(failed, code="custom", message="because")
    api.post(f"/fine_tuning/jobs/{paused}/pause")
    server.finish(paused)
    assert [api.job(job)["status"] for job in (done, failed, paused)] == ["succeeded", "failed", "succeeded"]
    assert api.job(failed)["error"] == {"code": "custom", "param": None, "message": "because"}
    with pytest.raises(JobStateError):
        server.finish(failed)
    with pytest.raises(JobStateError):
        server.fail(done)


def test_requests_are_recorded_without_secrets(api: Api, server: LocalServer) -> None:
    api.create(metadata={"a": "b"})
    api.get("/files?limit=3")
    upload, create, listed = server.requests
    assert (upload.method, upload.path, upload.status, upload.body) == ("POST", "/v1/files", 200, b"")
    assert upload.size > len(chat_lines(10))
    assert isinstance(create.json, dict)
    assert create.json["metadata"] == {"a": "b"}
    assert (listed.query, listed.json) == ({"limit": "3"}, None)
    assert "sk-test" not in repr(server.requests)
    assert create.headers["authorization"] == "***"
    server.requests.clear()
    assert len(server.requests) == 3


def test_a_reset_begins_anew_with_the_same_ids(api: Api, server: LocalServer) -> None:
    first = api.create()
    server.advance(minutes=3)
    server.reset()
    assert server.requests == []
    assert api.get("/fine_tuning/jobs").json["data"] == []
    again = api.create()
    assert (again["id"], again["created_at"]) == (first["id"], first["created_at"] + 180)


def history(seed: int) -> tuple[object, object]:
    with LocalServer(seed=seed) as server:
        api = Api(server.url)
        for epochs in (1, 2):
            api.create(hyperparameters={"n_epochs": epochs})
        server.advance(minutes=30)
        jobs = api.get("/fine_tuning/jobs").json["data"]
        events = [
            (event["id"], event["message"], event["data"]) for job in jobs for event in api.events(job["id"])
        ]
        named = [(job["id"], job["fine_tuned_model"], job["result_files"], job["seed"]) for job in jobs]
        return named, events


def test_the_same_seed_tells_the_same_story() -> None:
    assert history(3) == history(3)
    assert history(3) != history(4)


def test_many_small_steps_of_time_end_where_one_leap_does() -> None:
    stories = []
    for steps in (1, 40):
        with LocalServer() as server:
            api = Api(server.url)
            job = api.create(hyperparameters={"n_epochs": 2})
            for _ in range(steps):
                server.advance(80 / steps)
            events = api.events(job["id"])
            stories.append([(event["id"], event["created_at"] - job["created_at"]) for event in events])
    assert stories[0] == stories[1]


@pytest.mark.real_time
async def test_async_with_serves_without_holding_up_the_loop() -> None:
    async with (
        LocalServer() as server,
        aiohttp.ClientSession(headers=KEY) as session,
        session.get(f"{server.url}/models") as answer,
    ):
        assert answer.status == 200
    with pytest.raises(NotRunningError):
        _ = server.url


async def test_the_app_can_be_mounted_in_a_loop_of_ones_own() -> None:
    server = LocalServer()
    for _ in range(2):
        async with TestClient(TestServer(server.app), headers=KEY) as client:
            assert (await client.get("/v1/fine_tuning/jobs")).status == 200
            server.advance(minutes=1)
            with pytest.raises(StartError, match="running already"):
                server.start()
            assert (await client.get("/v1/models")).status == 200
    assert [record.path for record in server.requests] == ["/v1/fine_tuning/jobs", "/v1/models"] * 2


@pytest.mark.real_time
async def test_speed_follows_the_time_of_the_loop_that_serves() -> None:
    class Hasty(asyncio.SelectorEventLoop):
        ahead = 0.0

        def time(self) -> float:
            return super().time() + self.ahead

    def run() -> list[str]:
        loop = Hasty()
        server = LocalServer(speed=60)

        async def story() -> list[str]:
            runner = web.AppRunner(server.app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            base = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            form = aiohttp.FormData({"purpose": "fine-tune"})
            form.add_field("file", chat_lines(10), filename="f")
            async with aiohttp.ClientSession(headers=KEY) as session:
                async with session.post(f"{base}/files", data=form) as answer:
                    file = await answer.json()
                body = {"model": "gpt-4o", "training_file": file["id"]}
                async with session.post(f"{base}/fine_tuning/jobs", json=body) as answer:
                    job = await answer.json()
                seen = [job["status"]]
                for _ in range(3):
                    loop.ahead += 0.25
                    async with session.get(f"{base}/fine_tuning/jobs/{job['id']}") as answer:
                        seen.append((await answer.json())["status"])
            await runner.cleanup()
            return seen

        with contextlib.closing(loop):
            return loop.run_until_complete(story())

    assert await asyncio.to_thread(run) == ["validating_files", "queued", "running", "running"]


def test_jobs_go_on_where_they_were_when_a_server_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    with LocalServer(db=path) as server:
        api = Api(server.url)
        job = api.create()
        server.advance(60)
        events = len(api.events(job["id"]))
    with LocalServer(db=path) as server:
        api = Api(server.url)
        assert api.job(job["id"])["status"] == "running"
        assert len(api.events(job["id"])) == events
        server.advance(minutes=10)
        assert api.job(job["id"])["status"] == "succeeded"
        later = api.create(job["training_file"])
        assert later["id"] != job["id"]


def test_a_full_disk_keeps_no_server_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    server = LocalServer(db=path)
    with server:
        job_id = Api(server.url).create()["id"]
        connection = server._service.store._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            server.advance(minutes=60)
    with server:
        server.advance(minutes=60)
        assert Api(server.url).job(job_id)["status"] == "succeeded"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is a POSIX thing")
def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    path = str(tmp_path / "server.db")
    with served(path) as (process, api):
        job = api.create(metadata={"a": "b"})
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with LocalServer(db=path) as server:
        api = Api(server.url)
        assert api.job(job["id"]) == job
        assert api.get("/fine_tuning/jobs?metadata[a]=b").json["data"] == [job]
        server.advance(minutes=30)
        assert api.job(job["id"])["status"] == "succeeded"


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_announces_one_line_and_ends_on_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    with served(str(tmp_path / "server.db")) as (process, api):
        assert api.get("/models").status == 200
        process.send_signal(number)
        rest, _ = process.communicate(timeout=10)
        assert (rest, process.returncode) == ("", 0)


@contextlib.contextmanager
def served(path: str) -> Iterator[tuple[subprocess.Popen[str], Api]]:
    code = f"import asyncio; from fine_tuning_async.server import serve; asyncio.run(serve(db={path!r}))"
    command = [sys.executable, "-W", "error", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own code
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("listening on http://127.0.0.1:")
            yield process, Api(line.split()[-1])
        finally:
            process.kill()


@pytest.mark.real_time
async def test_serve_ends_cleanly_when_cancelled() -> None:
    lines: list[str] = []
    told = asyncio.Event()

    def announce(line: str) -> None:
        lines.append(line)
        told.set()

    task = asyncio.create_task(serve(announce=announce))
    await told.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(lines) == 1


@pytest.mark.real_time
async def test_a_request_in_flight_is_finished_by_a_stop() -> None:
    server = LocalServer().start()
    begun, stopping = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        begun.set()
        yield chat_lines(10)
        await stopping.wait()
        yield chat_lines(10)

    async with aiohttp.ClientSession(headers=KEY) as session:
        form = aiohttp.FormData({"purpose": "fine-tune"})
        form.add_field("file", slowly(), filename="f")
        # With expect100 the body is asked for once the handler has begun.
        posting = asyncio.create_task(session.post(f"{server.url}/files", data=form, expect100=True))
        await begun.wait()
        stop = asyncio.create_task(asyncio.to_thread(server.stop))
        await asyncio.sleep(0)
        stopping.set()
        async with await posting as answer:
            assert answer.status == 200
        await stop
