"""What is read at a glance is bounded."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise

import orjson
import pytest

from fine_tuning_async.server.store import Store
from tests.unit.server.test_server_store import job_of


@pytest.mark.parametrize("events", [0, 1, 999, 1000, 1001, 2500, 9999])
def test_events_are_thinned_evenly_and_the_newest_is_there(events: int) -> None:
    with closing(Store(None)) as store:
        job = job_of(1)
        store.jobs.add(job, b"{}")
        for number in range(1, events + 1):
            job.events = number
            store.jobs.add_event(job, f"e{number}", str(number).encode())
        found = [int(orjson.loads(view)) for view in store.glances.thinned_events(job)]
        assert len(found) <= 1000 + 10
        assert found[-1:] == [events][: events > 0]
        gaps = {after - before for before, after in pairwise(found)}
        assert max(gaps, default=0) <= -(-events // 1000)
