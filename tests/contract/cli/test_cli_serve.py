"""`fine-tuning serve`, as a process."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import Request, urlopen

import pytest

from fine_tuning_async.cli.command import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import Popen

PATIENCE = 30

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals that POSIX knows")


def url_of(process: Popen[str]) -> str:
    assert process.stdout is not None
    said, _, url = process.stdout.readline().strip().rpartition(" ")
    assert said == "listening on"
    return url


def page_of(url: str) -> str:
    return f"fine-tuning: to watch it, open {urljoin(url, '/')} in a browser\n"


def get(url: str) -> Any:
    with urlopen(Request(url, headers={"Authorization": "Bearer any"}), timeout=PATIENCE) as answer:  # noqa: S310 - the local server's
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_then_exits_with_0(
    number: signal.Signals, start: Callable[..., Popen[str]]
) -> None:
    process = start("serve")
    url = url_of(process)
    assert get(f"{url}/fine_tuning/jobs")["data"] == []
    process.send_signal(number)
    assert process.communicate(timeout=PATIENCE) == ("", page_of(url))
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("like", "home", "path"), [("azure", "", "/openai/v1/models"), ("gateway", "/gateway/v1", "/models")]
)
def test_it_passes_for_another_server(like: str, home: str, path: str, start: Callable[..., Popen[str]]) -> None:
    process = start("serve", "--like", like)
    url = url_of(process)
    assert urlsplit(url).path == home
    assert get(f"{url}{path}")["data"]
    assert process.stderr is not None
    assert process.stderr.readline() == page_of(f"http://{urlsplit(url).netloc}")


def test_a_database_outlives_the_process(start: Callable[..., Popen[str]], folder: Path) -> None:
    process = start("serve", "--db", "jobs.sqlite", "--speed", "0")
    url_of(process)
    process.terminate()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert (folder / "jobs.sqlite").stat().st_size > 0


def test_a_taken_port_is_one_line_and_exit_code_1(start: Callable[..., Popen[str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("serve", "--port", str(port))
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith(f"fine-tuning: cannot listen on 127.0.0.1:{port}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("host", ["\udcff", "x" * 300, "x..y"])
def test_what_can_be_no_name_of_a_host_is_one_line(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--host", host]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("fine-tuning: cannot listen on")


def test_a_database_that_cannot_be_opened_is_one_line_and_exit_code_1(start: Callable[..., Popen[str]]) -> None:
    process = start("serve", "--db", "no/such/folder/jobs.sqlite")
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert err.count("\n") == 1
    assert "jobs.sqlite" in err


def test_a_database_that_another_process_uses_is_one_line_and_exit_code_1(
    start: Callable[..., Popen[str]], folder: Path
) -> None:
    url_of(start("serve", "--db", "jobs.sqlite", "--sync", "full"))
    second = start("serve", "--db", "jobs.sqlite")
    out, err = second.communicate(timeout=PATIENCE)
    assert (second.returncode, out) == (1, "")
    assert err == (
        f"fine-tuning: cannot use the database {folder / 'jobs.sqlite'}: another server or program is using it,"
        " and it can have one user at a time\n"
    )


def test_a_second_signal_does_not_disturb_the_stop(start: Callable[..., Popen[str]]) -> None:
    process = start("serve")
    parts = urlsplit(url_of(process))
    with socket.create_connection((str(parts.hostname), parts.port or 0)) as slow:
        head = b"Host: x\r\nAuthorization: Bearer k\r\nContent-Length: 9\r\n\r\n"
        slow.sendall(b"POST /v1/fine_tuning/jobs HTTP/1.1\r\n" + head)
        get(f"{parts.geturl()}/models")  # by now the other request has been begun
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):
            while True:  # until the stop has begun
                socket.create_connection((str(parts.hostname), parts.port or 0)).close()
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=PATIENCE) == ("", page_of(parts.geturl()))
    assert process.returncode == 0


def test_a_host_that_others_can_reach_is_warned_of(start: Callable[..., Popen[str]]) -> None:
    process = start("serve", "--host", "0.0.0.0")  # noqa: S104 - it is what the warning is about
    url_of(process)
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "warning: 0.0.0.0 can be reached from other machines" in err


def test_localhost_is_not_warned_of(start: Callable[..., Popen[str]]) -> None:
    process = start("serve", "--host", "localhost")
    url = url_of(process)
    process.terminate()
    assert process.communicate(timeout=PATIENCE) == ("", page_of(url))
