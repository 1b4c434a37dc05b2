"""Heavy runs: `python -m tests.heavy [name ...]` makes those named, or all; exits 1 if a promise was broken.

Each module here without an underscore is a run: a function `run` that takes a `Report`. They need nothing but the
loopback interface, and end by themselves.
"""

from __future__ import annotations

import pkgutil
import sys
import time
from importlib import import_module
from pathlib import Path

from tests.heavy._report import Report

RUNS = sorted(each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)]) if each.name[0] != "_")


def main(names: list[str]) -> int:
    """Make the runs, and return the exit status."""
    if unknown := set(names) - set(RUNS):
        print(f"there is no run named {', '.join(sorted(unknown))}; there are {', '.join(RUNS)}")
        return 2
    report = Report()
    for name in names or RUNS:
        module = import_module(f"tests.heavy.{name}")
        print(f"{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        start = time.perf_counter()
        try:
            module.run(report)
        except AssertionError as error:
            report.promise(str(error), kept=False)
        report.tell("seconds", time.perf_counter() - start)
    return 1 if report.broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
