"""Pages that are read while jobs are being created."""

from __future__ import annotations

from tests.heavy.inserts import PAGE, paged


async def test_every_job_that_existed_comes_exactly_once() -> None:
    pages, _ = await paged(before=60, inserts=30)
    assert pages >= 60 // PAGE
