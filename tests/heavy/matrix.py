"""Every operation of the client meets every fault of the server, once, then on every request."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.faults.matrix import LASTING, ONCE, meet
from tests.faults.operations import OPERATIONS, fill
from tests.virtual_time import run as run_virtually

if TYPE_CHECKING:
    from tests.heavy._report import Report


def run(report: Report) -> None:
    """Let them meet, and tell how often."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        things = run_virtually(fill(folder / "filled.db"))
        for operation in OPERATIONS:
            run_virtually(meet(operation, things, folder, ONCE, times=1))
            run_virtually(meet(operation, things, folder, LASTING, times=None))
    report.tell(f"{len(OPERATIONS)} operations: meetings", len(OPERATIONS) * (len(ONCE) + len(LASTING)))
    report.promise("an error of our tree or a right result, and the jobs that should exist", kept=True)
