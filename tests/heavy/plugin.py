"""What the pytest plugin costs those who use it, and those who do not; the same suite in many processes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._report import Report

__all__ = ["measured", "run"]

TESTS = 300
PROCESSES = 4
ROUNDS = 9
MOST = 5.0
"""Milliseconds for a fresh server."""
RATIO = 0.1
"""Of what importing aiohttp takes."""

SUITE = """
import pytest

FILE = b'{{"messages": [{{"role": "user", "content": "2"}}, {{"role": "assistant", "content": "4"}}]}}\\n' * 12

@pytest.mark.parametrize("number", range({tests}))
async def test_a_job(fine_tuning_server, fine_tuning_client, number):
    assert await fine_tuning_client.list_jobs().collect() == []
    file = await fine_tuning_client.upload_file(FILE)
    job = await fine_tuning_client.create_job("gpt-4o-mini", file.id)
    fine_tuning_server.finish(job.id)
    assert (await fine_tuning_client.retrieve_job(job.id)).status == "succeeded"
"""
CONFTEST = """
import json, pathlib, time, pytest

spent = []

@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    begun = time.perf_counter()
    result = yield
    if fixturedef.argname == "fine_tuning_server":
        spent.append((time.perf_counter() - begun) * 1000)
    return result

def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput") and spent:
        pathlib.Path("spent.json").write_text(json.dumps(spent))
"""
IMPORTS = """
import time, pytest
begun = time.perf_counter()
import fine_tuning_async.testing
ours = time.perf_counter() - begun
begun = time.perf_counter()
import aiohttp
print(ours / (time.perf_counter() - begun))
"""


def measured(tests: int) -> list[float]:
    """Run a suite of so many tests; return the milliseconds that each waited for its server."""
    with TemporaryDirectory() as folder:
        _suite(folder, tests)
        found: list[float] = json.loads(Path(folder, "spent.json").read_text("utf-8"))
    return found


def _suite(folder: str, tests: int, *options: str) -> None:
    Path(folder, "test_jobs.py").write_text(SUITE.format(tests=tests), "utf-8")
    Path(folder, "conftest.py").write_text(CONFTEST, "utf-8")
    Path(folder, "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert f"{tests} passed" in done.stdout, done.stdout + done.stderr


def _ratio() -> float:
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)  # noqa: S603 - as above
    return float(done.stdout)


def run(report: Report) -> None:
    """Measure, and tell the medians."""
    first, *others = measured(TESTS)
    reset = statistics.median(others)
    report.tell("ms for the first server of a process", first)
    report.tell(f"ms for a fresh server, median of {TESTS - 1}", reset)
    report.tell("ms for a fresh server, 95th percentile", statistics.quantiles(others, n=20)[-1])
    report.promise(f"a fresh server within {MOST:.0f} ms", kept=reset < MOST)
    ratio = statistics.median(_ratio() for _ in range(ROUNDS))
    report.tell("import of the plugin / of aiohttp, beside pytest", f"{ratio:.3f}")
    report.promise(f"at most {RATIO}", kept=ratio <= RATIO)
    with TemporaryDirectory() as folder:
        _suite(folder, TESTS, f"--numprocesses={PROCESSES}")
    report.promise(f"the same suite in {PROCESSES} processes", kept=True)
