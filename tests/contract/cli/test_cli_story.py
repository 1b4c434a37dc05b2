"""The demo's story against a server in the test's own loop, on virtual time."""

from __future__ import annotations

import re
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from fine_tuning_async import FineTuningClient
from fine_tuning_async.cli.demo import material
from fine_tuning_async.cli.demo.bars import Bars
from fine_tuning_async.cli.demo.lines import Lines
from fine_tuning_async.cli.demo.story import RECIPES, events_after, tell
from fine_tuning_async.server import LocalServer
from tests.contract.cli.terminals import COLOUR, ESCAPE
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from fine_tuning_async.models import File, FineTuningJob, JobEvent

FILES = ["broken.jsonl", "preferences.jsonl", "training.jsonl", "validation.jsonl"]


class Notes:
    """A view that remembers what it was told."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.open = False
        self.seen: dict[str, list[JobEvent]] = {}
        self.statuses: dict[str, list[str]] = {}
        self.jobs: list[FineTuningJob] = []
        self.failures: list[FineTuningJob] = []
        self.curves: list[tuple[FineTuningJob, Sequence[JobEvent]]] = []

    def opening(self, url: str) -> None:
        raise AssertionError(f"the story does not open {url}")

    def uploaded(self, file: File) -> None:
        self.files.append(file.filename)

    @contextmanager
    def following(self, jobs: Sequence[FineTuningJob]) -> Iterator[None]:
        self.open = True
        assert len(jobs) == len(RECIPES)
        yield
        self.open = False

    def update(self, job: FineTuningJob, news: Sequence[JobEvent]) -> None:
        assert self.open
        self.seen.setdefault(job.id, []).extend(news)
        statuses = self.statuses.setdefault(job.id, [])
        if statuses[-1:] != [job.status]:
            statuses.append(job.status)

    def table(self, jobs: Sequence[FineTuningJob]) -> None:
        self.jobs.extend(jobs)

    def failure(self, job: FineTuningJob) -> None:
        self.failures.append(job)

    def curve(self, job: FineTuningJob, events: Sequence[JobEvent]) -> None:
        self.curves.append((job, events))


@pytest.fixture
async def client() -> AsyncIterator[FineTuningClient]:
    async with mounted(LocalServer(speed=60).app) as url, FineTuningClient("sk-test", base_url=url) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    material.write_to(tmp_path)
    return tmp_path


async def test_three_jobs_succeed_and_the_broken_one_fails(client: FineTuningClient, folder: Path) -> None:
    notes = Notes()
    await tell(client, folder, notes)
    assert sorted(notes.files) == FILES
    ends = {job.user_provided_suffix: job.status for job in notes.jobs}
    assert ends == {"quick": "succeeded", "careful": "succeeded", "polite": "succeeded", "broken": "failed"}
    assert all(statuses[-1] in {"succeeded", "failed"} for statuses in notes.statuses.values())
    (failed,) = notes.failures
    assert failed.error is not None
    assert failed.error.code == "invalid_training_file"
    assert "Example 7" in (failed.error.message or "")


async def test_every_event_is_shown_once_and_in_order(client: FineTuningClient, folder: Path) -> None:
    notes = Notes()
    await tell(client, folder, notes)
    for job in notes.jobs:
        newest_first = await client.list_events(job.id).collect()
        assert [event.id for event in notes.seen[job.id]] == [event.id for event in reversed(newest_first)]


async def test_the_curve_has_both_losses_of_every_step(client: FineTuningClient, folder: Path) -> None:
    notes = Notes()
    await tell(client, folder, notes)
    ((job, events),) = notes.curves
    assert job.validation_file
    steps = [event.metrics for event in events if event.metrics]
    assert len(steps) == 60
    assert all(step.train_loss and step.valid_loss for step in steps)


async def test_without_news_there_are_no_events(client: FineTuningClient, folder: Path) -> None:
    notes = Notes()
    await tell(client, folder, notes)
    job = notes.jobs[0]
    assert await events_after(client, job, notes.seen[job.id][-1]) == []


async def test_plain_lines_are_ascii(
    client: FineTuningClient, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await tell(client, folder, Lines())
    assert capsys.readouterr().out.isascii()


@pytest.mark.parametrize("columns", [60, 80, 120, 160])
async def test_a_terminal_shows_every_name_in_full(client: FineTuningClient, folder: Path, columns: int) -> None:
    written = StringIO()
    await tell(client, folder, Bars(Console(file=written, width=columns, force_terminal=False)))
    text = written.getvalue()
    assert max(map(len, text.splitlines())) <= columns
    jobs = [job async for job in client.list_jobs()]
    if columns >= 80:
        assert all(job.id in text and (job.fine_tuned_model or "") in text for job in jobs)
        assert all(job.status in text for job in jobs)


async def test_a_terminal_is_left_with_whole_bars_a_table_and_a_curve(
    client: FineTuningClient, folder: Path
) -> None:
    written = StringIO()
    await tell(client, folder, Bars(Console(file=written, width=80, force_terminal=True)))
    text = ESCAPE.sub("", written.getvalue())
    assert COLOUR.search(written.getvalue())
    assert re.search(r"careful +supervised .*step 60/60 +loss \d\.\d\d succeeded", text)
    assert re.search(r"ftjob-\w+ +failed", text)
    assert re.search(r"[\u2801-\u28ff]{3}.*step 60", text, re.DOTALL)
