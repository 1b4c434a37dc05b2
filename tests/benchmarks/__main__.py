"""The benchmark beside the peers.

    python -m tests.benchmarks [NAME ...] [--rounds N] [--json FILE] [--plot FILE.svg]

It needs the extra `bench`. It ends with 1 where a target was missed, with 2 where a contender has not done its
work.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .ratios import judged
from .report import as_json, lines
from .rounds import WrongCountError, measured, prepared_server
from .works import WORKS

if TYPE_CHECKING:
    from .ratios import Verdict
    from .rounds import Figures

ROUNDS = 7


def parsed(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="The client beside its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(WORKS)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each takes its turn (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw a bar chart")
    asked = parser.parse_args(words)
    if unknown := [each for each in asked.names if each not in WORKS]:
        parser.error(f"nothing is called {', '.join(unknown)}; there are {', '.join(WORKS)}")
    return asked


def tell(text: str) -> None:
    """Say on standard error what is going on, where somebody looks."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def run(names: list[str], rounds: int) -> tuple[list[Verdict], dict[str, Figures]]:
    """Measure what is asked for, and print each row as soon as it is known."""
    verdicts, figures = [], {}
    with prepared_server() as port:
        for name in names:
            figures[name] = measured(name, WORKS[name], rounds=rounds, port=port, tell=tell)
            verdicts.append(judged(name, WORKS[name], figures[name]))
            tell("")
            print("\n".join(lines(verdicts[-1])), flush=True)
    return verdicts, figures


def main(words: list[str]) -> int:
    """Run the benchmark; return the exit code."""
    asked = parsed(words)
    try:
        verdicts, figures = run(asked.names or list(WORKS), asked.rounds)
    except WrongCountError as error:
        print(error, file=sys.stderr)
        return 2
    if asked.json:
        asked.json.write_text(as_json(verdicts, figures), "utf-8")
    if asked.plot:
        from .plot import drawn  # noqa: PLC0415 - matplotlib, which only a chart needs

        drawn(verdicts, asked.plot)
    return 0 if all(ratio.met for each in verdicts for ratio in each.against.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
