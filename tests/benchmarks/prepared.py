"""A server whose answers are prepared bytes, so that it is never what a benchmark waits for.

    python -m tests.benchmarks.prepared

It prints its port, and serves until its standard input ends. A base URL says what is behind it:
`http://127.0.0.1:PORT/JOBS/DELAY/v1`, the number of jobs and the milliseconds that each answer takes.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import string
import sys
from functools import cache

__all__ = ["LAST", "job", "page"]

LINE = re.compile(rb"(GET|POST) /(\d+)/(\d+)/v1/fine_tuning/jobs(?:/[^ ?]+)?(?:\?([^ ]*))? HTTP/1.1\r\n")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LAST = "ftjob-page{:08d}ofTheListOfJobs"
"""The id of a page's last job, by the number of jobs up to it."""
LETTERS = string.ascii_letters + string.digits


def job(chance: random.Random) -> dict[str, object]:
    """Return a finished job as OpenAI sends it, about 900 bytes as JSON."""

    def some(prefix: str) -> str:
        return prefix + "".join(chance.choices(LETTERS, k=24))

    hyperparameters = {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8}
    created = 1_721_764_800 + chance.randrange(10**6)
    return {
        "object": "fine_tuning.job",
        "id": some("ftjob-"),
        "model": "gpt-4o-mini-2024-07-18",
        "created_at": created,
        "finished_at": created + 1_800,
        "fine_tuned_model": "ft:gpt-4o-mini-2024-07-18:acme:support:" + some("")[:8],
        "organization_id": some("org-"),
        "result_files": [some("file-")],
        "status": "succeeded",
        "validation_file": some("file-"),
        "training_file": some("file-"),
        "hyperparameters": hyperparameters,
        "trained_tokens": chance.randrange(10**6),
        "error": {},
        "user_provided_suffix": "support",
        "seed": chance.randrange(2**31),
        "estimated_finish": None,
        "integrations": [],
        "metadata": {"team": "support", "run": str(chance.randrange(10**4))},
        "usage_metrics": None,
        "shared_with_openai": False,
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
    }


def dumped(document: object) -> bytes:
    """Return a document as compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


@cache
def one() -> bytes:
    """Return a job."""
    return dumped(job(random.Random(1)))


@cache
def _halves(size: int) -> tuple[bytes, bytes]:
    """Return what stands before and behind the number in the id of a page's last job."""
    chance = random.Random(size)
    jobs = [job(chance) for _ in range(size)]
    jobs[-1]["id"] = LAST.replace("{:08d}", "@")
    before, _, behind = dumped({"object": "list", "data": jobs})[:-1].partition(b"@")
    return before, behind


def page(size: int, end: int, *, has_more: bool) -> bytes:
    """Return the page of so many jobs that ends with the `end`th of the list."""
    before, behind = _halves(size)
    return b'%b%08d%b,"has_more":%b}' % (before, end, behind, b"true" if has_more else b"false")


def answer(method: bytes, jobs: int, query: bytes | None, *, single: bool) -> bytes:
    """Return the body that answers a request."""
    if single or method == b"POST":
        return one()
    asked = dict(pair.split(b"=", 1) for pair in (query or b"").split(b"&") if pair)
    size = int(asked.get(b"limit", b"20"))
    start = int(asked[b"after"][10:18]) if b"after" in asked else 0
    end = min(start + size, jobs)
    return page(end - start, end, has_more=end < jobs)


class Connection(asyncio.Protocol):
    """Answers the requests of one connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.arrived = b""

    def data_received(self, data: bytes) -> None:
        self.arrived += data
        head, found, rest = self.arrived.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        size = int(length[1]) if length else 0
        if found and len(rest) >= size:
            self.arrived = rest[size:]
            self.answer(head + found)

    def answer(self, head: bytes) -> None:
        """Send the answer to a request, after the time that it takes."""
        line = LINE.match(head)
        assert line is not None, head
        method, jobs, delay, query = line.groups()
        body = answer(method, int(jobs), query, single=b"/jobs/" in line[0])
        reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )
        if delay == b"0":
            self.transport.write(reply)
        else:
            asyncio.get_running_loop().call_later(int(delay) / 1_000, self.transport.write, reply)


async def main() -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
