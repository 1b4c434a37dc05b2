"""The store: what it keeps, how it pages."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fine_tuning_async.server.records import Job
from fine_tuning_async.server.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def job_of(seq: int, metadata: dict[str, str] | None = None, due_at: float | None = None) -> Job:
    return Job(
        id=f"ftjob-{seq}",
        created_at=1,
        model="m",
        training_file="f",
        validation_file=None,
        suffix=None,
        seed=1,
        method="supervised",
        settings={"hyperparameters": {}},
        integrations=[],
        metadata=metadata,
        seq=seq,
        due_at=due_at,
    )


def test_a_job_comes_back_as_it_was() -> None:
    with closing(Store(None)) as store:
        job = job_of(1, {"a": "b"}, 5.0)
        store.jobs.add(job, b"{}")
        assert store.jobs.find(job.id) == job
        assert store.jobs.find("other") is None
        assert store.jobs.next_seq() == 2


def test_the_job_due_first_comes_first() -> None:
    with closing(Store(None)) as store:
        for seq, due in enumerate([30.0, 10.0, None, 20.0], 1):
            store.jobs.add(job_of(seq, due_at=due), b"")
        assert store.jobs.next_due(9.9) is None
        first = store.jobs.next_due(25.0)
        assert first is not None
        assert first.seq == 2


def test_a_block_that_fails_leaves_nothing() -> None:
    with closing(Store(None)) as store:

        def add_twice() -> None:
            with store.transaction():
                store.jobs.add(job_of(1), b"")
                store.jobs.add(job_of(1), b"")

        with pytest.raises(sqlite3.IntegrityError):
            add_twice()
        assert store.jobs.find("ftjob-1") is None


def test_a_file_is_invisible_until_it_is_whole() -> None:
    with closing(Store(None)) as store:
        seq = store.files.begin()
        store.files.write(seq, 0, b"abc")
        assert store.lists.files(None, None, 10, newest_first=True).rows == []
        store.files.discard(seq)
        assert list(store.files.pieces(seq)) == []


FILTERS = st.sampled_from([None, {}, {"a": "1"}, {"a": "1", "b": "2"}])


@settings(max_examples=60, deadline=None)
@given(
    made=st.lists(FILTERS, max_size=25),
    wanted=st.sampled_from(["all", "none", "a", "ab"]),
    limit=st.integers(1, 7),
    between=st.lists(FILTERS, max_size=3),
)
def test_pages_hold_every_job_once_whatever_is_added_meanwhile(
    made: list[dict[str, str] | None], wanted: str, limit: int, between: list[dict[str, str] | None]
) -> None:
    pairs = {"all": [], "none": [], "a": [("a", "1")], "ab": [("a", "1"), ("b", "2")]}[wanted]
    with closing(Store(None)) as store:
        lists = store.lists
        filtered = partial(lists.jobs_with_metadata, pairs)
        read = {"all": lists.jobs, "none": lists.jobs_without_metadata}.get(wanted, filtered)
        for seq, metadata in enumerate(made, 1):
            store.jobs.add(job_of(seq, metadata), b"")
        seen, before, more = [], None, True
        while more:
            page = read(before, limit)
            seen += [job_id for job_id, _ in page.rows]
            before = lists.job_position(seen[-1]) if seen else None
            more = page.has_more
            for metadata in between:
                store.jobs.add(job_of(store.jobs.next_seq(), metadata), b"")
        expected = [
            f"ftjob-{seq}"
            for seq, metadata in enumerate(made, 1)
            if {key for key, _ in pairs} <= (metadata or {}).keys() and not (wanted == "none" and metadata)
        ]
        assert seen == expected[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, view FROM jobs WHERE seq < 9 ORDER BY seq DESC LIMIT 5",
        "SELECT id, view FROM jobs WHERE has_metadata = 0 AND seq < 9 ORDER BY seq DESC LIMIT 5",
        "SELECT record FROM jobs WHERE due_at <= 9 ORDER BY due_at LIMIT 1",
        "SELECT id, view FROM events WHERE job_seq = 1 AND number < 9 ORDER BY number DESC LIMIT 5",
        "SELECT id, view FROM files WHERE id IS NOT NULL AND purpose = 'x' AND seq < 9 ORDER BY seq DESC LIMIT 5",
        "SELECT seq FROM files WHERE expires_at <= 9",
        "SELECT file_seq, start FROM parts WHERE whole_seq = 1 AND start <= 9 ORDER BY start DESC LIMIT 1",
        "SELECT total(size) FROM parts WHERE upload_seq = 1",
        "SELECT seq FROM uploads WHERE status = 'pending' AND expires_at <= 9",
        "SELECT j.view FROM job_metadata AS m CROSS JOIN jobs AS j ON j.seq = m.job_seq WHERE m.key = 'a'",
    ],
)
def test_no_list_scans_or_sorts_a_table(tmp_path: Path, query: str) -> None:
    path = str(tmp_path / "a.db")
    Store(path).close()
    with closing(sqlite3.connect(path)) as other:
        plan = " ".join(row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan
