"""The `jobs create` command: checks, uploads, creates and follows in one go."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fine_tuning_async.cli.connection import Connection
from fine_tuning_async.cli.exits import Exit
from fine_tuning_async.cli.failure import CommandFailure
from fine_tuning_async.cli.nouns import JOBS
from fine_tuning_async.cli.output import complain, harmless, tell
from fine_tuning_async.cli.printing import Printing, write_json
from fine_tuning_async.cli.transfer import moving
from fine_tuning_async.datasets import check_dataset
from fine_tuning_async.models import FineTuningJob

from .again import job_of, new_key, uploaded
from .options import Training, Wish
from .plan import Plan, Source, plan_of
from .waiting import follow_to_end

if TYPE_CHECKING:
    from fine_tuning_async.client import FineTuningClient


async def create(
    *,
    wish: Wish,
    training: Training = Training(),
    idempotency_key: str | None = None,
    check: Annotated[bool, Parameter(negative="--no-check", show_default=False)] = True,
    dry_run: bool = False,
    follow: bool = False,
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> int:
    """Check and upload files, create a job of them, and follow it: all in one go.

    Before anything is sent, a line on stderr names the idempotency key. Whatever happens then, the same command
    with that key is safe: it finds the job if it was made, and the files if they were uploaded, and goes on from
    there.

    Args:
        idempotency_key: One value for one job; one of its own making if left out.
        check: Whether files on this machine are checked first for what would let the job fail.
        dry_run: Say what would be sent, and send nothing.
        follow: Go on as `jobs follow` does.
    """
    plan = await asyncio.to_thread(plan_of, wish, training)
    if check and plan.training.contents:
        await asyncio.to_thread(_check, plan)
    key = new_key() if idempotency_key is None else idempotency_key
    _rehearse(plan, key, printing, aloud=dry_run)
    if dry_run:
        return Exit.OK
    if idempotency_key is None and not connection.forgets:
        complain(f"idempotency key {key}; to run this again safely, add: --idempotency-key {key}")
    async with connection.client() as client:
        with _interruptible(key, connection):
            job = None if idempotency_key is None else await job_of(client, key, plan)
            if job is None:
                job = await _create(client, plan, key, again=idempotency_key is not None)
            else:
                complain(harmless(f"the key has made this job before; it is {job.status}"))
        if printing.json or not follow:
            printing.one(job, JOBS)
        if not follow:
            if connection.forgets:
                complain("the job is gone with its local server; --db keeps it, --follow shows its training")
            return Exit.OK
        return await follow_to_end(client, job.id, as_json=printing.json, connection=connection)


@contextmanager
def _interruptible(key: str, connection: Connection) -> Iterator[None]:
    try:
        yield
    except asyncio.CancelledError:
        if not connection.forgets:
            complain(
                f"interrupted; the job may exist. To find out, or to go on, add: --idempotency-key {quote(key)}"
            )
        raise


async def _create(client: "FineTuningClient", plan: Plan, key: str, *, again: bool) -> FineTuningJob:
    ids = {source: await _id_of(client, source, again=again) for source in plan.sources}
    return await client.create_job(**plan.arguments(ids), idempotency_key=key)


async def _id_of(client: "FineTuningClient", source: Source, *, again: bool) -> str:
    contents = source.contents
    if contents is None:
        return source.text
    file = await uploaded(client, contents) if again else None
    if file is None:
        with moving("uploading", contents.path.name) as progress:
            file = await client.upload_file(contents.path, progress=progress)
    return file.id


def _check(plan: Plan) -> None:
    assert plan.training.contents
    beside = plan.validation and plan.validation.contents
    report = check_dataset(
        plan.training.contents.path, method=plan.method, validation_path=beside.path if beside else None
    )
    bad = next((each for each in (report, report.validation) if each is not None and each.problems), None)
    if bad is not None:
        first, problem = bad.summary().splitlines()[:2]
        raise CommandFailure(
            f"{first}; {problem.strip()}; see: fine-tuning files check {bad.path} --method {plan.method}"
        )
    for each in filter(None, [report, report.validation]):
        for code, kind in each.by_kind.items():
            complain(harmless(f"warning: {each.path}: {code}, {kind.count} times"))


def _rehearse(plan: Plan, key: str, printing: Printing, *, aloud: bool) -> None:
    """Make all that would be sent, which refuses what cannot be; print it if that was asked for."""
    body = plan.body(key, {source: source.stand_in for source in plan.sources})
    if not aloud:
        return
    files = [each.contents for each in plan.sources if each.contents]
    if printing.json:
        write_json(
            [
                {"method": "POST", "path": "/files", "filename": each.path.name, "bytes": each.size}
                for each in files
            ]
        )
        write_json([{"method": "POST", "path": "/fine_tuning/jobs", "json": body}])
        return
    for each in files:
        tell(harmless(f"POST /files: {each.path.name}, {each.size:,} bytes, for fine-tune"))
    tell(f"POST /fine_tuning/jobs: {json.dumps(body, indent=2, ensure_ascii=False)}")
