"""How fast a file comes down, beside bare aiohttp writing the same bytes to the same disk.

    python -m tests.benchmarks.transfer [MiB] [rounds]

A server in a process of its own sends zeros. The ways take turns, so that whatever else the machine does falls on
all of them alike. It ends after the rounds, or after two minutes.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from fine_tuning_async import FineTuningClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from multiprocessing.connection import Connection

MIB = 2**20
BLOCK = bytes(MIB)
BUDGET = 120.0  # seconds for all rounds


def serve(size: int, port: Connection) -> None:
    """Answer every request with so many zeros."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):  # the client has left
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b'HTTP/1.1 200 OK\r\nETag: "zeros"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' % size
            )
            for _ in range(size // MIB):
                writer.write(BLOCK)
                await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


async def measure(port: int, size: int, rounds: int, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Return, for each way, seconds by the wall and of this process's CPU, round by round."""
    url, target = f"http://127.0.0.1:{port}", folder / "file"

    async def bare_to_file() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/files/f/content") as response:
            with target.open("wb") as file:
                async for chunk in response.content.iter_any():
                    file.write(chunk)

    async def bare_stream() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/files/f/content") as response:
            assert sum([len(chunk) async for chunk in response.content.iter_any()]) == size

    async def download_file() -> None:
        async with FineTuningClient("k", base_url=url) as client:
            await client.download_file("f", target)

    async def stream_file() -> None:
        async with FineTuningClient("k", base_url=url) as client, client.stream_file("f") as chunks:
            assert sum([len(chunk) async for chunk in chunks]) == size

    ways: list[Callable[[], Awaitable[None]]] = [bare_to_file, download_file, bare_stream, stream_file]
    figures: dict[str, list[tuple[float, float]]] = {way.__name__: [] for way in ways}
    end = time.monotonic() + BUDGET
    for _ in range(rounds):
        for way in ways:
            target.unlink(missing_ok=True)
            wall, cpu = time.perf_counter(), time.process_time()
            await way()
            figures[way.__name__].append((time.perf_counter() - wall, time.process_time() - cpu))
        if time.monotonic() > end:
            break
    return figures


def report(size: int, figures: dict[str, list[tuple[float, float]]]) -> None:
    """Print the medians, and the ratios of ours to bare aiohttp's."""
    middle = {
        name: [statistics.median(each) for each in zip(*found, strict=True)] for name, found in figures.items()
    }
    rounds = len(figures["stream_file"])
    print(f"{size // MIB} MiB, median of {rounds} interleaved rounds")
    for name, (wall, cpu) in middle.items():
        print(f"{name:14} {size / MIB / wall:7.0f} MiB/s  {wall:6.2f} s  {cpu:6.2f} s CPU")
    for ours, bare in (("download_file", "bare_to_file"), ("stream_file", "bare_stream")):
        wall, cpu = (a / b for a, b in zip(middle[ours], middle[bare], strict=True))
        print(f"{ours} takes {wall:.2f} of the time of {bare}, {cpu:.2f} of its CPU")


def main() -> None:
    """Run the benchmark with the arguments of the command line."""
    size = int(sys.argv[1]) * MIB if len(sys.argv) > 1 else 1024 * MIB
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(size, there), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            report(size, asyncio.run(measure(here.recv(), size, rounds, Path(folder))))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
