"""How fast a file goes up, in one piece and in parts, beside bare aiohttp; and what memory that takes.

    python -m tests.benchmarks.uploads [MiB] [rounds]

A server in a process of its own reads and forgets. The ways take turns, so that whatever else the machine does
falls on all of them alike; it ends after the rounds, or after two minutes. Then each way is run once in a fresh
process, whose memory is measured at its highest beyond what a small upload has left there.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import re
import resource
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from fine_tuning_async import FineTuningClient
from fine_tuning_async.api.uploads import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from multiprocessing.connection import Connection

    Way = Callable[[str, Path], Coroutine[None, None, None]]

MIB = 2**20
BUDGET = 120.0  # seconds for all rounds
FILE = (
    '{"id": "file-1", "created_at": 1, "filename": "f", "purpose": "fine-tune", "bytes": null, "object": "file"}'
)
UPLOAD = '{"id": "upload_1", "created_at": 1, "filename": "f", "purpose": "fine-tune", "status": "pending"%s}'
ANSWERS = {
    "files": FILE,
    "uploads": UPLOAD % "",
    "parts": '{"id": "part_%d", "created_at": 1, "upload_id": "upload_1"}',
    "complete": UPLOAD % f', "file": {FILE}',
}
NUMBERS = itertools.count(1)  # no two parts have one id


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take whatever comes over a connection, and answer as the API would."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):  # the client has left
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            left = int(re.findall(r"(?i)content-length: (\d+)", head)[0])
            while left:
                left -= len(await reader.read(min(left, MIB)))
            body = ANSWERS[head.split(" ")[1].rpartition("/")[2]].replace("%d", str(next(NUMBERS)))
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    writer.close()


def serve(port: Connection) -> None:
    """Take uploads in a process, whose port is sent."""

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=MIB)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


class Plain(FineTuningClient):
    """Sends everything in one piece."""

    _limits = Limits(plain=2**63)


class Parted(FineTuningClient):
    """Sends everything in parts."""

    _limits = Limits(plain=0)


async def bare(url: str, path: Path) -> None:
    """Send the file as aiohttp's documentation says."""
    with path.open("rb") as file:
        form = aiohttp.FormData({"purpose": "fine-tune"})
        form.add_field("file", file, filename=path.name)
        async with aiohttp.ClientSession() as session, session.post(f"{url}/files", data=form) as response:
            await response.read()


async def plain(url: str, path: Path) -> None:
    """Send the file with upload_file, in one piece."""
    async with Plain("k", base_url=url) as client:
        await client.upload_file(path)


async def parts(url: str, path: Path) -> None:
    """Send the file with upload_file, in parts."""
    async with Parted("k", base_url=url) as client:
        await client.upload_file(path)


async def iterator(url: str, path: Path) -> None:
    """Send with upload_file what an async iterator gives."""

    async def pieces() -> AsyncGenerator[bytes]:
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, MIB):
                yield piece

    async with FineTuningClient("k", base_url=url) as client:
        await client.upload_file(pieces())


WAYS: list[Way] = [bare, plain, parts, iterator]


async def measure(url: str, path: Path, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Return, for each way, seconds by the wall and of this process's CPU, round by round."""
    figures: dict[str, list[tuple[float, float]]] = {way.__name__: [] for way in WAYS}
    end = time.monotonic() + BUDGET
    for _ in range(rounds):
        for way in WAYS:
            wall, cpu = time.perf_counter(), time.process_time()
            await way(url, path)
            figures[way.__name__].append((time.perf_counter() - wall, time.process_time() - cpu))
        if time.monotonic() > end:
            break
    return figures


def memory(way: Way, url: str, path: Path, small: Path, result: Connection) -> None:
    """Send MiB by which this process grew while it sent the file."""
    asyncio.run(way(url, small))
    before = _memory(highest=False)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the highest begins anew
    asyncio.run(way(url, path))
    result.send((_memory(highest=True) - before) / MIB)


def _memory(*, highest: bool) -> int:
    status = Path("/proc/self/status")
    if status.exists():
        name = "VmHWM" if highest else "VmRSS"
        return int(re.findall(rf"{name}:\s+(\d+) kB", status.read_text())[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS: the highest so far in both cases


def report(size: int, figures: dict[str, list[tuple[float, float]]], grown: dict[str, float]) -> None:
    """Print the medians, and the throughputs as parts of bare aiohttp's, round by round."""
    print(f"{size // MIB} MiB, median of {len(figures['bare'])} interleaved rounds")
    for name, found in figures.items():
        wall, cpu = (statistics.median(each) for each in zip(*found, strict=True))
        ratio = statistics.median(b[0] / o[0] for b, o in zip(figures["bare"], found, strict=True))
        rate = f"{size / MIB / wall:6.0f} MiB/s  {wall:6.2f} s  {cpu:6.2f} s CPU"
        print(f"{name:9} {rate}  {ratio:5.2f} of bare's throughput  {grown[name]:6.1f} MiB grown")


def _grown(url: str, path: Path, small: Path) -> dict[str, float]:
    context, grown = multiprocessing.get_context("spawn"), {}
    for way in WAYS:
        here, there = context.Pipe()
        process = context.Process(target=memory, args=(way, url, path, small, there))
        process.start()
        grown[way.__name__] = here.recv()
        process.join()
    return grown


def main() -> None:
    """Run the benchmark with the arguments of the command line."""
    size = int(sys.argv[1]) * MIB if len(sys.argv) > 1 else 1024 * MIB
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path, small, block = Path(folder, "large.jsonl"), Path(folder, "small.jsonl"), os.urandom(MIB)
            small.write_bytes(block)
            with path.open("wb") as file:
                for _ in range(size // MIB):
                    file.write(block)
            url = f"http://127.0.0.1:{here.recv()}"
            report(size, asyncio.run(measure(url, path, rounds)), _grown(url, path, small))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
