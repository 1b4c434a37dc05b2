"""The command as a process: a reader that leaves, Ctrl-C, an output that knows no Unicode, what it imports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.contract.cli.in_process import TRAINING
from tests.contract.cli.terminals import COLOUR, COLUMNS, ESCAPE, PATIENCE, in_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import Popen

    from fine_tuning_async.server import LocalServer

    Start = Callable[..., Popen[str]]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes that POSIX knows")

IMPORTED = """
import sys
from fine_tuning_async.cli.command import run
code = run(sys.argv[1:])
print(*sys.modules)
sys.exit(code)
"""


@pytest.fixture
def job_id(server: LocalServer, folder: Path, start: Start) -> str:
    (folder / "train.jsonl").write_text(TRAINING)
    words = ("--file", "train.jsonl", "--suffix", "süß", "--columns", "id")
    out, _ = start("jobs", "create", *words, **account(server)).communicate(timeout=PATIENCE)
    return out.split()[-1]


def account(server: LocalServer) -> dict[str, str]:
    return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": server.url}


def test_a_reader_that_has_seen_enough_ends_it_without_a_word(
    server: LocalServer, job_id: str, start: Start
) -> None:
    server.finish(job_id)
    process = start("jobs", "events", job_id, "--limit", "2", "--json", **account(server))
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=PATIENCE) == 128 + signal.SIGPIPE


def test_ctrl_c_detaches_and_the_job_goes_on(server: LocalServer, job_id: str, start: Start) -> None:
    process = start("jobs", "follow", job_id, **account(server))
    assert process.stdout is not None
    assert "Created fine-tuning job" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGINT
    assert re.fullmatch(rf"fine-tuning: detached; .* fine-tuning jobs follow {job_id} --after ftevent-\w+\n", err)


def test_a_list_on_a_terminal_has_colours_and_ends_at_its_edge(
    server: LocalServer, job_id: str, folder: Path, environment: dict[str, str]
) -> None:
    server.finish(job_id)
    where = {**environment, **account(server)}
    code, written = in_terminal("jobs", "list", folder=folder, environment=where)
    lines = ESCAPE.sub("", written).splitlines()
    assert code == 0
    assert COLOUR.search(written)
    assert [line.split()[0] for line in lines] == ["id", job_id]
    assert max(map(len, lines)) == COLUMNS


def test_an_output_that_knows_no_unicode_gets_escapes(server: LocalServer, job_id: str, start: Start) -> None:
    variables = {**account(server), "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    words = ("jobs", "list", "--columns", "user_provided_suffix")
    out, err = start(*words, **variables).communicate(timeout=PATIENCE)
    assert (out.split(), err) == (["user_provided_suffix", r"s\xfc\xdf"], "")


def test_a_list_imports_no_server_no_data_sets_no_pictures(server: LocalServer) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-W", "error", "-c", IMPORTED, "jobs", "list", "--json"],
        env={**os.environ, **account(server)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    imported = done.stdout.split()
    assert "fine_tuning_async.client" in imported
    idle = ("fine_tuning_async.server", "fine_tuning_async.datasets", "fine_tuning_async.cli.plot", "matplotlib")
    assert not [name for name in imported if name.startswith(idle)]
