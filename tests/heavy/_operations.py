"""A call of every operation of the client, each as one coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING

from fine_tuning_async import DeadlineExceeded, Method, StringCheckGrader

from ._stage import EXAMPLES, MODEL

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ._stage import Stage

__all__ = ["OPERATIONS", "Operation"]

GRADER = StringCheckGrader(name="four", input="{{sample.output_text}}", reference="4", operation="eq")

Operation = Callable[["Stage"], Coroutine[object, None, object]]


async def create_job(stage: Stage) -> object:
    return await stage.client.create_job(MODEL, stage.file_id, method=Method.supervised(n_epochs=1))


async def create_job_with_a_key(stage: Stage) -> object:
    return await stage.client.create_job(MODEL, stage.file_id, idempotency_key="a key")


async def retrieve_job(stage: Stage) -> object:
    return await stage.client.retrieve_job(stage.done.id)


async def cancel_job(stage: Stage) -> object:
    return await stage.client.cancel_job(stage.fresh.id)


async def pause_job(stage: Stage) -> object:
    return await stage.client.pause_job(stage.fresh.id)


async def resume_job(stage: Stage) -> object:
    await stage.client.pause_job(stage.fresh.id)
    stage.server.advance(60)
    return await stage.client.resume_job(stage.fresh.id)


async def list_jobs(stage: Stage) -> object:
    return [job async for job in stage.client.list_jobs(limit=1)]


async def pages_of_jobs(stage: Stage) -> object:
    return [page async for page in stage.client.list_jobs(limit=1).pages()]


async def first_page_of_jobs(stage: Stage) -> object:
    return await stage.client.list_jobs(limit=1)


async def collect_jobs(stage: Stage) -> object:
    return await stage.client.list_jobs(limit=1).collect()


async def leave_a_list_early(stage: Stage) -> object:
    jobs = aiter(stage.client.list_jobs(limit=1))
    first = await anext(jobs)
    await jobs.aclose()
    return first


async def list_events(stage: Stage) -> object:
    return [event async for event in stage.client.list_events(stage.done.id)]


async def work_on_each_event(stage: Stage) -> object:
    async for _ in stage.client.list_events(stage.done.id, limit=1, max_items=4):
        await asyncio.sleep(0)  # while this is done, the next page is on its way
    return None


async def work_on_each_page(stage: Stage) -> object:
    async for _ in stage.client.list_events(stage.done.id, limit=1, max_items=4).pages():
        await asyncio.sleep(0)
    return None


async def list_checkpoints(stage: Stage) -> object:
    return [each async for each in stage.client.list_checkpoints(stage.done.id)]


async def permissions(stage: Stage) -> object:
    checkpoint = stage.done.fine_tuned_model or ""
    granted = await stage.client.create_checkpoint_permissions(checkpoint, ["proj_a", "proj_b"])
    listed = [each async for each in stage.client.list_checkpoint_permissions(checkpoint, limit=1)]
    await stage.client.delete_checkpoint_permission(checkpoint, granted[0].id)
    return listed


async def upload_a_path(stage: Stage) -> object:
    return await stage.client.upload_file(stage.path)


async def upload_an_open_file(stage: Stage) -> object:
    with stage.path.open("rb") as file:
        return await stage.client.upload_file(file)


async def upload_an_iterator(stage: Stage) -> object:
    async def chunks() -> AsyncGenerator[bytes]:
        yield EXAMPLES
        await asyncio.sleep(0)
        yield EXAMPLES

    return await stage.client.upload_file(chunks(), filename="train.jsonl")


async def list_files(stage: Stage) -> object:
    return [file async for file in stage.client.list_files(limit=1)]


async def retrieve_and_delete_a_file(stage: Stage) -> object:
    await stage.client.retrieve_file(stage.file_id)
    return await stage.client.delete_file(stage.file_id)


async def download_file(stage: Stage) -> object:
    return await stage.client.download_file(stage.file_id, stage.folder / "train.jsonl")


async def stream_file(stage: Stage) -> object:
    async with stage.client.stream_file(stage.file_id) as chunks:
        return [chunk async for chunk in chunks]


async def training_metrics(stage: Stage) -> object:
    return await stage.client.training_metrics(stage.done)


async def models(stage: Stage) -> object:
    listed = [model async for model in stage.client.list_models()]
    await stage.client.retrieve_model(stage.done.fine_tuned_model or "")
    await stage.client.delete_model(stage.done.fine_tuned_model or "")
    return listed


async def run_grader(stage: Stage) -> object:
    return await stage.client.run_grader(GRADER, "4")


async def validate_grader(stage: Stage) -> object:
    return await stage.client.validate_grader(GRADER)


async def wait_for_job(stage: Stage) -> object:
    stage.server.finish(stage.fresh.id)
    return await stage.client.wait_for_job(stage.fresh.id, poll=1)


async def wait_until_the_timeout(stage: Stage) -> object:
    try:
        return await stage.client.wait_for_job(stage.fresh.id, timeout=5, poll=1)
    except DeadlineExceeded:
        return None


async def follow_events(stage: Stage) -> object:
    return [event async for event in stage.client.follow_events(stage.done.id, poll=1)]


async def watch_jobs(stage: Stage) -> object:
    watching = stage.client.watch_jobs([stage.done.id, stage.fresh.id], poll=1)
    async with aclosing(watching):
        seen = [await anext(watching), await anext(watching)]
        stage.server.finish(stage.fresh.id)
        return [*seen, *[job async for job in watching]]


async def request(stage: Stage) -> object:
    return await stage.client.request("GET", "/fine_tuning/jobs", params={"limit": "1"})


async def close(stage: Stage) -> object:
    await stage.client.retrieve_job(stage.done.id)
    await stage.client.close()
    return None


OPERATIONS: tuple[Operation, ...] = (
    create_job,
    create_job_with_a_key,
    retrieve_job,
    cancel_job,
    pause_job,
    resume_job,
    list_jobs,
    pages_of_jobs,
    first_page_of_jobs,
    collect_jobs,
    leave_a_list_early,
    list_events,
    work_on_each_event,
    work_on_each_page,
    list_checkpoints,
    permissions,
    upload_a_path,
    upload_an_open_file,
    upload_an_iterator,
    list_files,
    retrieve_and_delete_a_file,
    download_file,
    stream_file,
    training_metrics,
    models,
    run_grader,
    validate_grader,
    wait_for_job,
    wait_until_the_timeout,
    follow_events,
    watch_jobs,
    request,
    close,
)
