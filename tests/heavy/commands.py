"""`jobs create` killed at random moments, and run again with its key: one job each, one training file in all."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ._processes import server_process
from ._stage import EXAMPLES

if TYPE_CHECKING:
    from ._report import Report

__all__ = ["run"]

JOBS = 20
KILLS_EACH = 3
LATEST, EARLIEST = 1.0, 0.4
"""When a kill comes, in parts of the time that a whole run takes; much of it is Python's start."""


def command(url: str, folder: str, *words: str, life: float | None = None) -> list[Any] | None:
    """Run a command; return what it printed, or None if it was killed."""
    environment = {**os.environ, "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": url}
    line = [sys.executable, "-m", "fine_tuning_async", *words, "--json"]
    with subprocess.Popen(  # noqa: S603 - our own words
        line, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            out, err = process.communicate(timeout=life)
        except subprocess.TimeoutExpired:
            process.kill()
            return None
    assert process.returncode == 0, err
    return [json.loads(each) for each in out.splitlines()]


def duration(url: str, folder: str) -> float:
    """Create the first job; return the seconds of a second run, which finds it."""
    words = ("jobs", "create", "--file", "train.jsonl", "--suffix", "job-0", "--idempotency-key", "job 0")
    command(url, folder, *words)
    start = time.perf_counter()
    command(url, folder, *words)
    return time.perf_counter() - start


def kill_until_done(url: str, folder: str, seed: int) -> int:
    """Create each job, killed some times on the way; return how many times it was."""
    draw, kills = random.Random(seed), 0
    whole = duration(url, folder)
    for number in range(JOBS):
        words = ("jobs", "create", "--file", "train.jsonl", "--suffix", f"job-{number}")
        lives = [whole * draw.uniform(EARLIEST, LATEST) for _ in range(KILLS_EACH)]
        for life in (*lives, None):
            if command(url, folder, *words, "--idempotency-key", f"job {number}", life=life) is None:
                kills += 1
    return kills


def run(report: Report) -> None:
    """Kill it, and tell."""
    with server_process("--speed", "0") as (_, url), TemporaryDirectory() as folder:
        Path(folder, "train.jsonl").write_bytes(EXAMPLES)
        report.tell("commands that were killed before their end", kill_until_done(url, folder, seed=1))
        jobs, files = command(url, folder, "jobs", "list"), command(url, folder, "files", "list")
    assert jobs is not None
    assert files is not None
    suffixes = sorted(each["user_provided_suffix"] for each in jobs)
    report.promise("each job is there once", kept=suffixes == sorted(f"job-{number}" for number in range(JOBS)))
    # One that was killed while its upload was on the way may have left a file that the next did not see yet.
    report.tell("training files", len(files))
    report.promise("no more files than the first job's kills", kept=len(files) <= 1 + KILLS_EACH)
