"""Schemathesis against the local server: ten thousand requests, sequences among them."""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING

from tests.specification import ABSENT, SPEC

if TYPE_CHECKING:
    from ._report import Report

__all__ = ["run"]

CASES = 10_000
RATE = 0.3
SHOWN = 5


def run(report: Report) -> None:
    """Send the requests, and tell for each operation how many succeeded."""
    if importlib.util.find_spec("schemathesis") is None or not SPEC.exists():
        report.tell("skipped", ABSENT if not SPEC.exists() else "Schemathesis is not installed: the extra bench")
        return
    from tests import fuzzing  # noqa: PLC0415 - it may be missing, and takes long to import

    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # what is no HTTP is sent on purpose
    outcome = fuzzing.run(vast=True, examples=40, good=300, sequences=300)
    for phase, number in outcome.phases.items():
        report.tell(f"requests of the phase {phase}", number)
    report.tell("transitions between operations", outcome.transitions)
    for name, rate in sorted(outcome.rates().items(), key=lambda each: each[1]):
        report.tell(f"{name}, of which succeed", f"{outcome.cases[name]:,} {rate:.0%}")
    for finding in outcome.findings[:SHOWN]:
        print(finding)
    report.promise(f"{CASES:,} requests", kept=outcome.cases.total() >= CASES)
    report.promise("every operation, in every phase that sends requests", kept=outcome.is_complete())
    report.promise(f"of each operation {RATE:.0%} succeed", kept=min(outcome.rates().values()) >= RATE)
    report.promise("no 5xx, no answer out of the schema, no bad request accepted", kept=not outcome.findings)
