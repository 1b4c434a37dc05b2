"""The life of four fine-tuning jobs, told with the client alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import frozen

from fine_tuning_async.models import Method

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fine_tuning_async.client import FineTuningClient
    from fine_tuning_async.models import File, FineTuningJob, JobEvent

    from .view import View

MODEL = "gpt-4.1-nano-2025-04-14"
POLL_SECONDS = 0.15  # the demo's server runs fast; for a real one, every ten seconds is plenty


@frozen
class Recipe:
    """How to make a job: what it trains on, and by which method."""

    suffix: str
    training: str
    method: Method
    validation: str | None = None


CAREFUL = "careful"
RECIPES = (
    Recipe("quick", "training.jsonl", Method.supervised(n_epochs=2, batch_size=4)),
    Recipe(
        CAREFUL,
        "training.jsonl",
        Method.supervised(n_epochs=3, batch_size=2, learning_rate_multiplier=0.5),
        validation="validation.jsonl",
    ),
    Recipe("polite", "preferences.jsonl", Method.dpo(n_epochs=3, batch_size=2, beta=0.2)),
    Recipe("broken", "broken.jsonl", Method.supervised(n_epochs=2)),
)


async def tell(client: FineTuningClient, folder: Path, view: View) -> None:
    """Train on the files of a folder, and show all that happens."""
    files = await upload_all(client, folder, view)
    jobs = [await create(client, recipe, files) for recipe in RECIPES]
    histories = await follow_all(client, jobs, view)

    finished = [job async for job in client.list_jobs()]
    view.table(finished)
    for job in finished:
        if job.error:
            view.failure(job)
        if job.user_provided_suffix == CAREFUL:
            view.curve(job, histories[job.id])


async def upload_all(client: FineTuningClient, folder: Path, view: View) -> dict[str, File]:
    """Upload each file that a recipe names, once."""
    names = {name for recipe in RECIPES for name in (recipe.training, recipe.validation) if name}
    files = {}
    for name in sorted(names):
        files[name] = await client.upload_file(folder / name)
        view.uploaded(files[name])
    return files


async def create(client: FineTuningClient, recipe: Recipe, files: Mapping[str, File]) -> FineTuningJob:
    """Create the job of a recipe."""
    return await client.create_job(
        MODEL,
        files[recipe.training].id,
        validation_file=files[recipe.validation].id if recipe.validation else None,
        method=recipe.method,
        suffix=recipe.suffix,
    )


async def follow_all(client: FineTuningClient, jobs: list[FineTuningJob], view: View) -> dict[str, list[JobEvent]]:
    """Follow all jobs at once; return their events by job."""
    with view.following(jobs):
        async with asyncio.TaskGroup() as group:
            tasks = {job.id: group.create_task(follow(client, job, view)) for job in jobs}
    return {job_id: task.result() for job_id, task in tasks.items()}


async def follow(client: FineTuningClient, job: FineTuningJob, view: View) -> list[JobEvent]:
    """Show what happens to a job until it ends; return its events, oldest first."""
    events: list[JobEvent] = []
    while True:
        # The job before its events: when it has ended, no event can come after those that are read now.
        job = await client.retrieve_job(job.id)
        news = await events_after(client, job, events[-1] if events else None)
        events += news
        view.update(job, news)
        if job.is_terminal:
            return events
        await asyncio.sleep(POLL_SECONDS)


async def events_after(client: FineTuningClient, job: FineTuningJob, last: JobEvent | None) -> list[JobEvent]:
    """Return the events after the last one that was seen, oldest first."""
    news: list[JobEvent] = []
    async for event in client.list_events(job.id):  # newest first
        if last is not None and event.id == last.id:
            break
        news.append(event)
    return news[::-1]
