"""A server that is killed under load, its log cut at random bytes: what was answered is there, and whole."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import orjson

from fine_tuning_async import FineTuningClient, FineTuningError, RetryPolicy
from fine_tuning_async.server import LocalServer

from ._processes import server_process
from ._stage import EXAMPLES, MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._report import Report

__all__ = ["Answered", "cut", "kill", "let_end", "run"]

FILES = 15
KILLS_OF_EACH = 4
CUTS_AFTER_EACH = 15
LIVES = (0.1, 2.0)  # seconds under load until the kill
AT_ONCE = 8
PAUSE = 0.03  # seconds between two requests of one worker: some two hundred creates a second
UPLOADS = 0.05  # the part of requests that are uploads; some contents have several chunks
LARGEST = 400_000
STEPS = 2  # of each job: the server's clock runs, so that jobs are in every state at the kill


@attrs.define
class Answered:
    """What the server has answered: jobs, and the digest of each file's content; and for how long it was asked."""

    jobs: set[str] = attrs.field(factory=set)
    files: dict[str, str] = attrs.field(factory=dict)
    seconds: float = 0.0


@attrs.define
class Left:
    """What a log that was cut has left."""

    jobs: int
    lost: int


def kill(path: Path, answered: Answered, draw: random.Random, life: float) -> None:
    """Start the server on a file, put it under load, kill it."""
    with server_process("--db", str(path), "--speed", "60") as (process, url):
        asyncio.run(_load(url, answered, draw, life, process.kill))
        process.wait()


async def _load(url: str, answered: Answered, draw: random.Random, life: float, end: object) -> None:
    assert callable(end)
    async with FineTuningClient("k", base_url=url, retry=RetryPolicy(attempts=1)) as client:
        source = await client.upload_file(EXAMPLES)
        answered.files[source.id] = _digest(EXAMPLES)
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(_work(client, source.id, answered, draw)) for _ in range(AT_ONCE)]
            await asyncio.sleep(life)
            end()
            answered.seconds += time.perf_counter() - start
            await asyncio.wait(workers)


async def _work(client: FineTuningClient, source: str, answered: Answered, draw: random.Random) -> None:
    """Create and upload until the server is gone."""
    settings: dict[str, object] = {"n_epochs": 1, "batch_size": len(EXAMPLES.splitlines()) // STEPS}
    try:
        while True:
            if draw.random() < UPLOADS:
                content = draw.randbytes(draw.randrange(LARGEST))
                answered.files[(await client.upload_file(content, purpose="user_data")).id] = _digest(content)
            else:
                job = await client.create_job(
                    MODEL, source, hyperparameters=settings, metadata={"run": "heavy"}, suffix="heavy"
                )
                answered.jobs.add(job.id)
            await asyncio.sleep(PAUSE)
    except FineTuningError:
        return


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def cut(path: Path, folder: Path, answered: Answered, draw: random.Random, *, at: int | None = None) -> Left:
    """Cut a copy of the log, open it, and look at what is left.

    Raises:
        AssertionError: It is not a beginning of what was committed, or something in it is not whole.
    """
    copy = folder / "cut.db"
    for end in ("", "-wal", "-wal-copy"):
        if Path(f"{path}{end}").exists():
            shutil.copyfile(f"{path}{end}", f"{copy}{end}")
    os.truncate(f"{copy}-wal", draw.randrange(Path(f"{copy}-wal").stat().st_size + 1) if at is None else at)
    with LocalServer(db=copy):
        """It opens."""
    jobs = check(copy, answered)
    return Left(jobs=len(jobs), lost=len(answered.jobs - set(jobs)))


def check(path: Path, answered: Answered) -> Sequence[str]:
    """Return the jobs in a file, in the order of their creation.

    Raises:
        AssertionError: One is missing before the last, or something is not whole.
    """
    with closing(sqlite3.connect(path)) as connection:
        jobs = connection.execute("SELECT seq, id, record FROM jobs ORDER BY seq").fetchall()
        assert [seq for seq, _, _ in jobs] == list(range(1, len(jobs) + 1)), "a job is missing before the last"
        files = dict(connection.execute("SELECT id, seq FROM files WHERE id IS NOT NULL"))
        events = dict(connection.execute("SELECT job_seq, count(*) FROM events GROUP BY job_seq"))
        tagged = {seq for (seq,) in connection.execute("SELECT job_seq FROM job_metadata WHERE key = 'run'")}
        for seq, name, text in jobs:
            record = orjson.loads(text)
            assert record["id"] == name, f"{name} is another job"
            assert seq in tagged, f"{name} has lost its metadata"
            assert events[seq] == record["events"], f"{name} has {events[seq]} of {record['events']} events"
            assert record["training_file"] in files, f"{name} has no file"
        for name in answered.files.keys() & files.keys():
            assert _content(connection, files[name]) == answered.files[name], f"{name} has another content"
    return [name for _, name, _ in jobs]


def _content(connection: sqlite3.Connection, seq: int) -> str:
    digest = hashlib.sha256()
    for (data,) in connection.execute("SELECT data FROM chunks WHERE file_seq = ? ORDER BY number", (seq,)):
        digest.update(data)
    return digest.hexdigest()


def let_end(path: Path, answered: Answered) -> int:
    """Open the file for good, let every job run to its end; return how many there are.

    Raises:
        AssertionError: Something that was answered is missing, or a job did not go on where it was.
    """
    with LocalServer(db=path) as server:
        server.advance(minutes=10)
    jobs = check(path, answered)
    assert answered.jobs <= {*jobs}, f"{len(answered.jobs - {*jobs})} jobs that were answered are missing"
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT id FROM files")}
        for name, view in connection.execute("SELECT id, view FROM jobs"):
            assert orjson.loads(view)["status"] == "succeeded", f"{name} has not succeeded"
        for (seq,) in connection.execute("SELECT seq FROM jobs").fetchall():
            views = connection.execute("SELECT view FROM events WHERE job_seq = ? ORDER BY number", (seq,))
            told = [orjson.loads(view) for (view,) in views]
            steps = [event["data"]["step"] for event in told if event["type"] == "metrics"]
            assert steps == list(range(1, STEPS + 1)), f"job {seq} has the steps {steps}"
            assert len({event["message"] for event in told}) == len(told), f"job {seq} has an event twice"
    assert answered.files.keys() <= names, f"{len(answered.files.keys() - names)} files are missing"
    return len(jobs)


def run(report: Report) -> None:
    """Kill, cut, kill again; then look at what is there."""
    draw, left, told, jobs = random.Random(1), list[Left](), list[Answered](), 0
    for _ in range(FILES):
        answered = Answered()
        with tempfile.TemporaryDirectory() as name:
            path, folder = Path(name, "jobs.db"), Path(name)
            for _ in range(KILLS_OF_EACH):
                kill(path, answered, draw, draw.uniform(*LIVES))
                left += [cut(path, folder, answered, draw) for _ in range(CUTS_AFTER_EACH)]
            jobs += let_end(path, answered)
        told.append(answered)
    made = sum(len(each.jobs) for each in told)
    report.tell("kills", FILES * KILLS_OF_EACH)
    report.tell("jobs that were answered", made)
    report.tell("files that were answered", sum(len(each.files) for each in told))
    report.tell("creates answered in a second", made / sum(each.seconds for each in told))
    report.promise("every one is there, and every job ran to its end", kept=True)
    report.tell("jobs whose answer the kill has forestalled", jobs - made)
    report.tell("logs cut at a random byte", len(left))
    report.tell("jobs that a cut has cost, at most", max(each.lost for each in left))
    report.promise("each opened, with the first of what was answered", kept=True)
