"""Every operation of the client, against a local server that holds something of everything."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from shutil import copyfile
from typing import TYPE_CHECKING, Any

import attrs

from fine_tuning_async import FineTuningClient, StringCheckGrader
from fine_tuning_async.server import LocalServer
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

MODEL = "gpt-4o-mini"
TURNS = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
EXAMPLES = b"\n".join([json.dumps({"messages": TURNS}).encode()] * 12)
JOBS = "/fine_tuning/jobs"
LONG = {"list_jobs by ones", "list_events", "upload_file", "download_file", "stream_file", "training_metrics"}


@attrs.frozen
class Things:
    """What the server holds, with the database file that holds it."""

    db: Path
    file: Any
    running: Any
    paused: Any
    done: Any
    permission: Any


@attrs.frozen
class World:
    """A server in the test's loop that holds some things, and a client of it."""

    server: LocalServer
    client: FineTuningClient
    folder: Path
    things: Things

    @property
    def target(self) -> Path:
        return self.folder / "download"

    async def jobs(self) -> list[Any]:
        return await self.client.list_jobs().collect()


async def fill(db: Path) -> Things:
    """Make a database with a file, three jobs and a permission in it."""
    server = LocalServer(db=db)
    async with mounted(server.app) as url, FineTuningClient("k", base_url=url) as client:
        file = await client.upload_file(EXAMPLES)
        done = await client.create_job(MODEL, file.id)
        server.finish(done.id)
        done = await client.retrieve_job(done.id)
        paused = await client.create_job(MODEL, file.id)
        await client.pause_job(paused.id)
        running = await client.create_job(MODEL, file.id)
        server.advance(60)
        (permission,) = await client.create_checkpoint_permissions(str(done.fine_tuned_model), ["proj"])
        return Things(db, file, running, await client.retrieve_job(paused.id), done, permission)


@asynccontextmanager
async def serving(folder: Path, things: Things) -> AsyncIterator[tuple[LocalServer, str]]:
    """Serve a copy of a database."""
    db = folder / "server.db"
    copyfile(things.db, db)
    server = LocalServer(db=db)
    async with mounted(server.app) as url:
        yield server, url


@attrs.frozen
class Operation:
    """One call, and what is right about its result."""

    name: str
    call: Callable[[World], Awaitable[Any]]
    is_right: Callable[[World, Any], bool]

    @property
    def made(self) -> int:
        """How many jobs it makes."""
        return int(self.name.startswith("create_job"))

    @property
    def changes(self) -> bool:
        """Whether the next call finds another world."""
        return self.name.split("_")[0] in {"create", "cancel", "pause", "resume", "delete", "upload"}

    @property
    def takes_any_bytes(self) -> bool:
        """Whether no answer can be told to be wrong."""
        return self.name in {"download_file", "stream_file", "training_metrics", "request"}

    @property
    def is_long(self) -> bool:
        """Whether it is a transfer, or makes several calls, each with a deadline of its own."""
        return self.name in LONG


def ids(things: Any) -> list[str]:
    return [each.id for each in things]


async def streamed(world: World) -> bytes:
    async with world.client.stream_file(world.things.file.id) as chunks:
        return b"".join([chunk async for chunk in chunks])


def was_downloaded(world: World, path: Any) -> bool:
    return bool(path == world.target and path.read_bytes() == EXAMPLES)


def three(world: World, jobs: Any) -> bool:
    return ids(jobs) == ids([world.things.running, world.things.paused, world.things.done])


EQUAL = StringCheckGrader(
    name="equal", input="{{sample.output_text}}", reference="{{item.answer}}", operation="eq"
)

OPERATIONS: list[Operation] = [
    Operation(
        "create_job",
        lambda w: w.client.create_job(MODEL, w.things.file.id, metadata={"a": "b"}),
        lambda w, job: job.metadata == {"a": "b"},
    ),
    Operation(
        "create_job with a key",
        lambda w: w.client.create_job(MODEL, w.things.file.id, idempotency_key="key-1"),
        lambda w, job: job.metadata["idempotency_key"] == "key-1",
    ),
    Operation(
        "run_grader",
        lambda w: w.client.run_grader(EQUAL, "4", item={"answer": "4"}),
        lambda w, run: run.reward == 1.0,
    ),
    Operation("validate_grader", lambda w: w.client.validate_grader(EQUAL), lambda w, grader: grader == EQUAL),
    Operation("list_jobs", lambda w: w.client.list_jobs().collect(), three),
    Operation("list_jobs by ones", lambda w: w.client.list_jobs(limit=1).collect(), three),
    Operation(
        "retrieve_job", lambda w: w.client.retrieve_job(w.things.done.id), lambda w, job: job.status == "succeeded"
    ),
    Operation(
        "cancel_job", lambda w: w.client.cancel_job(w.things.running.id), lambda w, job: job.status == "cancelled"
    ),
    Operation(
        "pause_job",
        lambda w: w.client.pause_job(w.things.running.id),
        lambda w, job: job.status in {"pausing", "paused"},
    ),
    Operation(
        "resume_job",
        lambda w: w.client.resume_job(w.things.paused.id),
        lambda w, job: job.status in {"validating_files", "queued", "running"},
    ),
    Operation(
        "list_events",
        lambda w: w.client.list_events(w.things.done.id, limit=100).collect(),
        lambda w, events: len(set(ids(events))) == len(events) > 100,
    ),
    Operation(
        "list_checkpoints",
        lambda w: w.client.list_checkpoints(w.things.done.id).collect(),
        lambda w, found: len(found) == 3,
    ),
    Operation(
        "create_checkpoint_permissions",
        lambda w: w.client.create_checkpoint_permissions(w.things.done.fine_tuned_model, ["other"]),
        lambda w, made: [each.project_id for each in made] == ["other"],
    ),
    Operation(
        "list_checkpoint_permissions",
        lambda w: w.client.list_checkpoint_permissions(w.things.done.fine_tuned_model).collect(),
        lambda w, found: ids(found) == [w.things.permission.id],
    ),
    Operation(
        "delete_checkpoint_permission",
        lambda w: w.client.delete_checkpoint_permission(w.things.done.fine_tuned_model, w.things.permission.id),
        lambda w, gone: gone.deleted,
    ),
    Operation(
        "upload_file", lambda w: w.client.upload_file(EXAMPLES), lambda w, file: file.bytes == len(EXAMPLES)
    ),
    Operation(
        "list_files", lambda w: w.client.list_files().collect(), lambda w, found: w.things.file.id in ids(found)
    ),
    Operation(
        "retrieve_file",
        lambda w: w.client.retrieve_file(w.things.file.id),
        lambda w, file: file.id == w.things.file.id,
    ),
    Operation("delete_file", lambda w: w.client.delete_file(w.things.file.id), lambda w, gone: gone.deleted),
    Operation(
        "download_file",
        lambda w: w.client.download_file(w.things.file.id, w.target),
        was_downloaded,
    ),
    Operation("stream_file", streamed, lambda w, content: content == EXAMPLES),
    Operation(
        "training_metrics", lambda w: w.client.training_metrics(w.things.done), lambda w, steps: len(steps) > 10
    ),
    Operation(
        "list_models",
        lambda w: w.client.list_models().collect(),
        lambda w, found: w.things.done.fine_tuned_model in ids(found),
    ),
    Operation(
        "retrieve_model",
        lambda w: w.client.retrieve_model(w.things.done.fine_tuned_model),
        lambda w, model: model.id == w.things.done.fine_tuned_model,
    ),
    Operation(
        "delete_model",
        lambda w: w.client.delete_model(w.things.done.fine_tuned_model),
        lambda w, gone: gone.deleted,
    ),
    Operation(
        "request",
        lambda w: w.client.request("GET", f"{JOBS}/{w.things.done.id}"),
        lambda w, answer: answer.status == 200,
    ),
]
