"""How fast a good training file is checked: `python -m tests.benchmarks.check_dataset [MB]`."""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from fine_tuning_async import check_dataset

WORDS = (
    "the",
    "capital",
    "city",
    "answer",
    "model",
    "training",
    "question",
    "please",
    "explain",
    "python",
    "list",
)


def write(path: Path, size: int) -> None:
    chance = random.Random(1)
    written = 0
    with path.open("wb") as file:
        while written < size:
            written += file.write(row(chance))


def row(chance: random.Random) -> bytes:
    sizes = {"system": 10, "user": 20, "assistant": chance.randint(20, 60)}
    messages = [{"role": role, "content": " ".join(chance.choices(WORDS, k=size))} for role, size in sizes.items()]
    return json.dumps({"messages": messages}).encode() + b"\n"


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.jsonl")
        write(path, megabytes * 10**6)
        before = peak()
        wall, cpu = time.perf_counter(), time.process_time()
        report = check_dataset(path, method="supervised")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert report.ok
    size = report.size / 1e6
    print(f"{size:.0f} MB, {report.examples} examples of {report.size // report.examples} bytes")  # noqa: T201 - its output
    print(f"{size / cpu:.0f} MB/s of CPU, {size / wall:.0f} MB/s by the wall clock")  # noqa: T201 - as above
    print(f"peak memory {peak()} MiB, {before} MiB before")  # noqa: T201 - as above


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 250)
