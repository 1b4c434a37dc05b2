"""How fast good training files of all kinds are checked: `python -m tests.benchmarks.check_dataset [MB] [ROUNDS]`.

Beside it a floor, in the same rounds: each line parsed by orjson and hashed, the least by which bad JSON and
duplicates could be found. The last column is by how much a process grows, of which the hashes are most.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import orjson

from fine_tuning_async import check_dataset
from tests.benchmarks.training_files import KINDS, write

if TYPE_CHECKING:
    from collections.abc import Callable

_GROWTH = """
import re, sys
from pathlib import Path
from fine_tuning_async import check_dataset

def peak():
    return int(re.search(r'VmHWM:\\s*([0-9]+)', Path('/proc/self/status').read_text())[1])

check_dataset(sys.argv[2], method=sys.argv[3])
before = peak()
report = check_dataset(sys.argv[1], method=sys.argv[3])
print(peak() - before, report.examples, report.size, report.ok and not report.warnings)
"""


class Took(NamedTuple):
    """Seconds."""

    cpu: float
    wall: float


def took(work: Callable[[], object]) -> Took:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Took(time.process_time() - cpu, time.perf_counter() - wall)


def floor(path: Path) -> None:
    seen = set()
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)
            seen.add(hash(line))


def measure(path: Path, method: str, rounds: int) -> tuple[Took, Took]:
    """Return the medians of the check and of its floor, round by round beside each other."""
    pairs = [(took(lambda: check_dataset(path, method=method)), took(lambda: floor(path))) for _ in range(rounds)]
    checks, floors = zip(*pairs, strict=True)
    check, least = (Took(*map(median, zip(*each, strict=True))) for each in (checks, floors))
    return check, least


def growth(path: Path, method: str) -> tuple[int, int]:
    """Return by how many MiB a process of its own grows over the check, and how many examples there are."""
    small = path.with_name("small.jsonl")
    with path.open("rb") as file:
        small.write_bytes(b"".join(file.readline() for _ in range(10)))
    command = [sys.executable, "-c", _GROWTH, str(path), str(small), method]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    grown, examples, _, good = done.stdout.split()
    assert good == "True", path
    return int(grown) // 1024, int(examples)


def main(megabytes: int, rounds: int) -> None:
    print(f"medians of {rounds} rounds of {megabytes} MB")
    print(f"{'rows':22}{'bytes a row':>12}{'MB/s CPU':>10}{'wall':>7}{'floor CPU':>11}{'ratio':>7}{'MiB':>6}")
    for kind, (method, _) in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "train.jsonl")
            write(path, kind, megabytes * 10**6)
            check, least = measure(path, method, rounds)
            grown, examples = growth(path, method)
            size = path.stat().st_size
        speeds = f"{size / check.cpu / 1e6:10.0f}{size / check.wall / 1e6:7.0f}{size / least.cpu / 1e6:11.0f}"
        print(f"{kind:22}{size // examples:12}{speeds}{least.cpu / check.cpu:7.2f}{grown:6}")


if __name__ == "__main__":
    main(*(int(given) for given in [*sys.argv[1:3], "100", "5"][:2]) if len(sys.argv) > 1 else (100, 5))
