"""A server with an account of prepared answers, all late by the same time, so that nobody waits for it.

    python -m tests.heavy._account JOBS MILLISECONDS

It prints its port, and serves until its standard input ends. `GET /requests` says how many requests there were.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHECKPOINTS", "EVENTS", "account", "count_requests"]

EVENTS, CHECKPOINTS, STEPS = 60, 3, 50
BEGAN = 1_721_764_800
LINE = re.compile(rb"GET (/v1)?(/[^ ?]*)(?:\?([^ ]*))? HTTP/1.1\r\n")
NUMBER = "00000000"
"""Stands in the templates for the number of a job."""


def dumped(document: object) -> bytes:
    """Return a document as compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


def job() -> bytes:
    """Return the template of a job that has succeeded."""
    hyperparameters = {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8}
    return dumped(
        {
            "object": "fine_tuning.job",
            "id": f"ftjob-{NUMBER}",
            "model": "gpt-4o-mini-2024-07-18",
            "created_at": BEGAN,
            "finished_at": BEGAN + 1_800,
            "fine_tuned_model": f"ft:gpt-4o-mini-2024-07-18:acme::{NUMBER}",
            "organization_id": "org-acme",
            "result_files": [f"file-{NUMBER}"],
            "status": "succeeded",
            "validation_file": None,
            "training_file": "file-training",
            "hyperparameters": hyperparameters,
            "trained_tokens": 12_345,
            "error": {},
            "seed": 7,
            "integrations": [],
            "metadata": {"run": NUMBER},
            "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        }
    )


def event(step: int) -> bytes:
    """Return the template of an event."""
    data = {"step": step, "total_steps": EVENTS, "train_loss": 2 / step, "train_mean_token_accuracy": 0.9}
    return dumped(
        {
            "object": "fine_tuning.job.event",
            "id": f"ftevent-{NUMBER}x{step:04d}",
            "created_at": BEGAN + step,
            "level": "info",
            "message": f"Step {step}/{EVENTS}: training loss={2 / step:.2f}",
            "data": data,
            "type": "metrics",
        }
    )


def checkpoint(number: int) -> bytes:
    """Return the template of a checkpoint."""
    return dumped(
        {
            "object": "fine_tuning.job.checkpoint",
            "id": f"ftckpt_{NUMBER}x{number}",
            "created_at": BEGAN + number,
            "fine_tuned_model_checkpoint": f"ft:gpt-4o-mini-2024-07-18:acme::{NUMBER}:ckpt-step-{number}",
            "fine_tuning_job_id": f"ftjob-{NUMBER}",
            "metrics": {"step": number, "train_loss": 0.5},
            "step_number": number,
        }
    )


def file(name: str, purpose: str) -> bytes:
    """Return the template of a file."""
    return dumped(
        {"object": "file", "id": name, "purpose": purpose, "filename": name, "bytes": 1, "created_at": BEGAN}
    )


def listed(items: list[bytes], *, has_more: bool = False) -> bytes:
    """Return a page."""
    return b'{"object":"list","data":[%b],"has_more":%b}' % (b",".join(items), b"true" if has_more else b"false")


JOB = job()
EVENT_PAGE = listed([event(step) for step in range(EVENTS, 0, -1)])
CHECKPOINT_PAGE = listed([checkpoint(number) for number in range(CHECKPOINTS, 0, -1)])
PERMISSION = {"object": "checkpoint.permission", "id": f"cp_{NUMBER}", "created_at": BEGAN, "project_id": "proj_a"}
RESULTS = b"step,train_loss\n" + b"".join(b"%d,0.%d%s\n" % (n, n, NUMBER.encode()) for n in range(1, STEPS))
FILE = file(f"file-{NUMBER}", "fine-tune-results")
TRAINING = file("file-training", "fine-tune")


class Account:
    """What is asked for, and how often something was."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.requests = 0

    def answer(self, path: str, query: dict[str, str]) -> bytes:
        """Return the body that answers a request."""
        if path == "/requests":
            return b"%d" % self.requests
        self.requests += 1
        if path in {"/fine_tuning/jobs", "/files"}:
            return self._page(JOB if path.endswith("jobs") else FILE, query)
        if path == "/models":
            return listed([dumped({"id": "gpt-4o-mini", "object": "model", "created": BEGAN, "owned_by": "x"})])
        return self._one(path)

    def _page(self, template: bytes, query: dict[str, str]) -> bytes:
        newest = int(query["after"][-8:]) - 1 if "after" in query else self.jobs
        oldest = max(newest - int(query["limit"]), 0)
        items = [template.replace(NUMBER.encode(), b"%08d" % n) for n in range(newest, oldest, -1)]
        if template is FILE and not oldest:
            items.append(TRAINING)
        return listed(items, has_more=oldest > 0)

    def _one(self, path: str) -> bytes:
        if path == "/files/file-training/content":
            return b'{"messages": []}\n' * 100
        found = re.search(r"\d{8}", path)
        assert found is not None, path
        end = path.rpartition("/")[2]
        name = re.sub(r"[^0-9a-z]", "", path.rpartition("step-")[2].partition("/")[0]).encode()
        template = {
            "events": EVENT_PAGE,
            "checkpoints": CHECKPOINT_PAGE,
            "content": RESULTS,
            "permissions": listed([dumped(PERMISSION).replace(b'"cp_', b'"cp_' + name + b"x")]),
        }[end]
        return template.replace(NUMBER.encode(), found[0].encode())


class Connection(asyncio.Protocol):
    """Answers the requests of one connection."""

    def __init__(self, account: Account, delay: float) -> None:
        self._account = account
        self._delay = delay
        self._arrived = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        head, found, rest = self._arrived.partition(b"\r\n\r\n")
        if not found:
            return
        self._arrived = rest
        line = LINE.match(head + b"\r\n")
        assert line is not None, head
        query = dict(pair.split("=", 1) for pair in (line[3] or b"").decode().split("&") if pair)
        body = self._account.answer(line[2].decode(), query)
        reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )
        asyncio.get_running_loop().call_later(self._delay, self._transport.write, reply)


async def main(jobs: int, milliseconds: int) -> None:
    """Serve until the standard input ends."""
    held = Account(jobs)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(held, milliseconds / 1_000), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@contextmanager
def account(jobs: int, milliseconds: int) -> Iterator[str]:
    """Serve in a process of its own; give the base URL."""
    words = [sys.executable, "-m", "tests.heavy._account", str(jobs), str(milliseconds)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"


def count_requests(url: str) -> int:
    """Return how many requests the server has had."""
    with urlopen(f"{url.removesuffix('/v1')}/requests") as answer:  # noqa: S310 - ours
        return int(answer.read())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
