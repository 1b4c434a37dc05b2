"""A process that is killed in the middle of its creates, and started again with the same keys."""

from __future__ import annotations

from tests.heavy.killed import kill_until_done


def test_each_job_is_there_once_however_often_the_pipeline_was_killed() -> None:
    assert kill_until_done(jobs=80, kills=3, seed=3) >= 1
