"""Runs every contender in turn, each time in a fresh process, round by round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .works import Calls, LocalServer, Program, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Figures", "WrongCountError", "measured", "prepared_server"]

HERE = Path(__file__).parents[2]
PACKAGE = __package__ or "tests.benchmarks"

Figures: TypeAlias = dict[str, list[dict[str, float]]]
"""By contender, what each round has measured."""

TIMED = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
{source}
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
print()
print(json.dumps({{"cpu": cpu, "wall": wall, "items": 1}}))
"""


class WrongCountError(Exception):
    """A contender has not done the work: its time says nothing."""


@contextmanager
def prepared_server() -> Iterator[int]:
    """Run the server of prepared answers in a process of its own; gives its port."""
    command = [sys.executable, "-m", f"{PACKAGE}.prepared"]
    with subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:  # noqa: S603 - our own words
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()


def measured(name: str, work: Work, *, rounds: int, port: int, tell: Callable[[str], None]) -> Figures:
    """Run all contenders of a work, interleaved.

    Raises:
        WrongCountError: One of them returned another number of items than it should.
    """
    figures: Figures = {contender: [] for contender in work.contenders}
    if isinstance(work, Program):
        for contender in figures:
            _once(name, work, contender, port)  # leaves bytecode, as an installation does
    for number in range(min(rounds, work.rounds or rounds)):
        for contender, found in figures.items():
            tell(f"{name}: round {number + 1}, {contender}")
            found.append(_once(name, work, contender, port))
    return figures


def _once(name: str, work: Work, contender: str, port: int) -> dict[str, float]:
    command = _command(name, work, contender, port)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(  # noqa: S603 - our own words
        command, cwd=HERE, env=environment, stdout=subprocess.PIPE, check=True
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if figures["items"] != _expected(work):
        raise WrongCountError(
            f"{name}: {contender} returned {figures['items']} items where {_expected(work)} were to come"
        )
    return figures


def _command(name: str, work: Work, contender: str, port: int) -> list[str]:
    if isinstance(work, Program):
        return [sys.executable, "-c", TIMED.format(source=work.sources[contender])]
    if isinstance(work, LocalServer):
        return [sys.executable, "-m", f"{PACKAGE}.local_server", name]
    return [sys.executable, "-m", f"{PACKAGE}.worker", name, contender, str(port)]


def _expected(work: Work) -> int:
    if isinstance(work, Calls):
        return work.count
    return work.share if isinstance(work, LocalServer) else 1
