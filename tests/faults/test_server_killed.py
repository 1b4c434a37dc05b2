"""A server that is killed under load, in small; `python -m tests.heavy durability` does it many times over."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

import pytest

from tests.heavy import durability

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be copied there")
def test_what_was_answered_before_a_kill_is_there_whole(tmp_path: Path) -> None:
    path, answered, draw = tmp_path / "jobs.db", durability.Answered(), random.Random(1)
    durability.kill(path, answered, draw, 0.3)
    assert answered.jobs
    assert answered.files
    whole = (tmp_path / "jobs.db-wal").stat().st_size
    assert durability.cut(path, tmp_path, answered, draw, at=whole).lost == 0
    assert durability.cut(path, tmp_path, answered, draw, at=0).jobs == 0
    for _ in range(3):
        durability.cut(path, tmp_path, answered, draw)
    assert durability.let_end(path, answered) >= len(answered.jobs)
