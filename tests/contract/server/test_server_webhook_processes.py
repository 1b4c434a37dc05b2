"""Webhooks of a server in a thread or a process of its own: stopped, killed, from the command line."""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import unwrap
from fine_tuning_async.server import LocalServer, delivery
from tests.contract.server.http_api import Api
from tests.deliveries import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 30

Delivery = tuple[dict[str, str], bytes]


class Receiver:
    """A synchronous server, in a thread, that answers each delivery with the status it is set to."""

    def __init__(self) -> None:
        self.status = 200
        self.came: Queue[Delivery] = Queue()
        self.stalls = threading.Event()
        self.stalls.set()

    @contextmanager
    def serving(self) -> Iterator[str]:
        receiver = self

        class Answering(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.put(({name.lower(): value for name, value in self.headers.items()}, body))
                receiver.stalls.wait()
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/hook"
            finally:
                self.stalls.set()
                server.shutdown()
                thread.join()

    def next(self) -> Delivery:
        return self.came.get(timeout=PATIENCE)


@contextmanager
def serving(*words: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], list[str], Api]]:
    """`fine-tuning serve`, the lines that it announced, and a client for it."""
    command = [sys.executable, "-W", "error", "-m", "fine_tuning_async", "serve", *words]
    environment = {**os.environ, **variables}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:  # noqa: S603 - our own words
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline().strip() for _ in range(1 + words.count("--webhook"))]
            yield process, lines, Api(lines[0].split()[-1])
        finally:
            process.kill()


def test_a_server_in_a_thread_tells_of_jobs_that_are_ended_from_outside() -> None:
    receiver = Receiver()
    with receiver.serving() as url, LocalServer() as server:
        secret = server.add_webhook(url)
        api = Api(server.url)
        advanced, failed, cancelled = (api.create()["id"] for _ in range(3))
        server.fail(failed)
        api.post(f"/fine_tuning/jobs/{cancelled}/cancel")
        server.advance(minutes=60)
        events = [unwrap(body, headers, secret) for headers, body in (receiver.next() for _ in range(3))]
    assert {event.job_id: event.type.rpartition(".")[2] for event in events} == {
        advanced: "succeeded",
        failed: "failed",
        cancelled: "cancelled",
    }


def test_a_stop_does_not_wait_for_one_who_stalls() -> None:
    receiver = Receiver()
    receiver.stalls.clear()
    with receiver.serving() as url:
        server = LocalServer().start()
        server.add_webhook(url)
        server.finish(Api(server.url).create()["id"])
        receiver.next()
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < delivery.PATIENCE / 2, "far less than an attempt may take"
        assert "fine-tuning-local-server" not in {each.name for each in threading.enumerate()}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is a POSIX thing")
def test_a_killed_server_goes_on_delivering(tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.status = 500
    with receiver.serving() as url:
        words = ("--db", str(tmp_path / "jobs.sqlite"), "--speed", "10000", "--webhook", url)
        with serving(*words) as (process, lines, api):
            job_id = api.create()["id"]
            first, body = receiver.next()
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        while not receiver.came.empty():
            receiver.next()
        receiver.status = 200
        # The webhook is in the database: it need not be named again.
        with serving(*words[:4]):
            second, again = receiver.next()
    secret = lines[1].split()[-1]
    assert body == again
    assert json.loads(body)["data"]["id"] == job_id
    assert first["webhook-id"] == second["webhook-id"]
    for headers in (first, second):
        assert unwrap(body, headers, secret).job_id == job_id


def test_serve_says_what_it_signs_with() -> None:
    receiver = Receiver()
    with receiver.serving() as url, serving("--webhook", url, "--webhook", f"{url}2") as (_, lines, _):
        assert lines[0].startswith("listening on http://127.0.0.1:")
        for line, end in zip(lines[1:], (url, f"{url}2"), strict=True):
            assert re.fullmatch(rf"webhook {re.escape(end)} signed with whsec_[A-Za-z0-9+/=]+", line)


def test_serve_takes_a_secret_from_the_environment_and_does_not_show_it() -> None:
    receiver = Receiver()
    with receiver.serving() as url:
        words = ("--speed", "10000", "--webhook", url)
        with serving(*words, OPENAI_WEBHOOK_SECRET=SECRET) as (_, lines, api):
            job_id = api.create()["id"]
            headers, body = receiver.next()
    assert lines[1] == f"webhook {url} signed with the secret given"
    assert unwrap(body, headers, SECRET).job_id == job_id


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (("--webhook", "ftp://h/"), {}, "absolute http or https URL"),
        (("--webhook", "http://h/"), {"OPENAI_WEBHOOK_SECRET": "sesame-open"}, "the secret of a webhook is"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_1(
    words: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "fine_tuning_async", "serve", *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "sesame" not in done.stderr + done.stdout
