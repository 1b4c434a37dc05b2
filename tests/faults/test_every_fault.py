"""Every fault meets every operation: an error of our tree or a right result, and the jobs that should exist.

All of the meetings take most of a minute: `python -m tests.heavy matrix`. Here each operation meets a part of the
faults, and each fault a part of the operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import FineTuningClient
from fine_tuning_async.server.faults.fault import KINDS
from tests import virtual_time
from tests.faults.matrix import LASTING, ONCE, meet
from tests.faults.operations import OPERATIONS, Operation, Things, fill

if TYPE_CHECKING:
    from pathlib import Path

# Each operation meets one in so many of the faults.
SHARE = 5

# These wait, follow and watch, or send nothing: their tests are elsewhere.
ELSEWHERE = {"wait_for_job", "follow_events", "watch_jobs", "with_options", "close"}

each_operation = pytest.mark.parametrize(
    ("number", "operation"), list(enumerate(OPERATIONS)), ids=[each.name for each in OPERATIONS]
)


@pytest.fixture(scope="session")
def things(tmp_path_factory: pytest.TempPathFactory) -> Things:
    return virtual_time.run(fill(tmp_path_factory.mktemp("filled") / "server.db"))


@each_operation
async def test_a_fault_once(number: int, operation: Operation, things: Things, tmp_path: Path) -> None:
    await meet(operation, things, tmp_path, ONCE[number % SHARE :: SHARE], times=1)


@each_operation
async def test_a_fault_on_every_request(number: int, operation: Operation, things: Things, tmp_path: Path) -> None:
    await meet(operation, things, tmp_path, LASTING[number % SHARE :: SHARE], times=None)


def test_every_fault_is_among_them() -> None:
    assert {fault.kind for faults in ONCE for fault in faults} == KINDS


def test_every_operation_is_among_them() -> None:
    met = {operation.name.split()[0] for operation in OPERATIONS}
    named = {name for name in dir(FineTuningClient) if not name.startswith("_") and name != "azure"}
    assert named - met <= ELSEWHERE
