"""Runs what is named, or everything: `python -m tests.heavy [name ...]`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

RUNS = ("cancellation", "deadlines", "killed", "overhead", "inserts", "malformed", "churn", "calls")


def main(names: list[str]) -> int:
    """Run by name; return 0 if every promise was kept, 1 if one was broken, 2 for a name that is unknown."""
    unknown = set(names) - set(RUNS)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(RUNS)}", file=sys.stderr)
        return 2
    broken = False
    for name in names or RUNS:
        print(f"-- {name}: {import_module(f'tests.heavy.{name}').__doc__}", flush=True)
        try:
            import_module(f"tests.heavy.{name}").main()
        except AssertionError as error:
            broken = True
            print(f"BROKEN: {error}", flush=True)
    return int(broken)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(main(sys.argv[1:]))
