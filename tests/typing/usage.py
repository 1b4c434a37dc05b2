"""How the package is used, as a type checker sees it. Nothing here runs: mypy and pyright judge it.

Each `type: ignore` marks what must be refused; where it is not refused, the comment is unused, which is an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import attrs

import fine_tuning_async
from fine_tuning_async import (
    NO_METADATA,
    TERMINAL_STATUSES,
    APIError,
    Archive,
    ArchiveDamage,
    ArchiveReport,
    CheckpointPermission,
    DatasetProblem,
    DatasetReport,
    Deletion,
    DPOHyperparameters,
    DPOMethod,
    File,
    FineTuningClient,
    FineTuningError,
    FineTuningJob,
    Grader,
    GraderRunMetadata,
    JobCheckpoint,
    JobEvent,
    JobFailed,
    JobStatus,
    KeyProvider,
    Method,
    Metrics,
    Model,
    OnAttempt,
    Page,
    Paginator,
    Progress,
    ReinforcementMethod,
    Response,
    RetryPolicy,
    StringCheckGrader,
    SupervisedMethod,
    TrainingStep,
    Upload,
    UploadPart,
    WebhookEvent,
    WebhookInbox,
    archive_account,
    check_dataset,
    from_dict,
    to_dict,
    unwrap,
)
from fine_tuning_async.server import (
    ArchiveServer,
    Fault,
    LocalServer,
    ProcessTrainer,
    Report,
    Step,
    TrainingTask,
)

if TYPE_CHECKING:
    from aiohttp import web


async def token() -> str:
    return "t"


def misspelled() -> None:
    fine_tuning_async.FineTunigClient  # type: ignore[attr-defined]  # noqa: B018 - the access is the test


def on_azure() -> None:
    class Mine(FineTuningClient):
        pass

    assert_type(FineTuningClient.azure("https://a.openai.azure.com", "k", api_version="v1"), FineTuningClient)
    assert_type(Mine.azure(token_provider=token), Mine)
    FineTuningClient.azure("https://a.openai.azure.com", "k", "v1")  # type: ignore[arg-type, call-arg]
    FineTuningClient.azure(token_provider="t")  # type: ignore[arg-type]
    FineTuningClient.azure(token_provider=lambda: "t")  # type: ignore[arg-type,return-value]


async def lists(client: FineTuningClient) -> None:
    assert_type(client.list_jobs(), Paginator[FineTuningJob])
    async for job in client.list_jobs(after="ftjob-1", limit=10, metadata={"a": "b"}, max_items=5):
        assert_type(job, FineTuningJob)
    async for job in client.list_jobs(metadata=NO_METADATA):
        assert_type(job.id, str)
    async for page in client.list_jobs().pages():
        assert_type(page, Page[FineTuningJob])
        assert_type(page.data, list[FineTuningJob])
        assert_type(page.next_cursor, str | None)
    assert_type(await client.list_jobs(), Page[FineTuningJob])
    assert_type(await client.list_jobs().collect(), list[FineTuningJob])
    assert_type(client.list_jobs().pages(), AsyncGenerator[Page[FineTuningJob]])
    assert_type(await client.list_events("ftjob-1").collect(), list[JobEvent])
    assert_type(await client.list_checkpoints("ftjob-1").collect(), list[JobCheckpoint])
    for _ in client.list_jobs():  # type: ignore[attr-defined]
        pass
    client.list_jobs("ftjob-1")  # type: ignore[call-arg]
    client.list_jobs(metadata=None)
    client.list_jobs(metadata={"a": 1})  # type: ignore[dict-item]


async def jobs(client: FineTuningClient) -> None:
    job = await client.create_job("m", "file-1", method=Method.supervised(n_epochs=3), metadata={"a": "b"})
    assert_type(job, FineTuningJob)
    assert_type(await client.retrieve_job(job.id), FineTuningJob)
    assert_type(await client.cancel_job("ftjob-1"), FineTuningJob)
    assert_type(await client.pause_job("ftjob-1"), FineTuningJob)
    assert_type(await client.resume_job("ftjob-1"), FineTuningJob)
    assert_type(await client.upload_file("train.jsonl"), File)
    assert_type(await client.upload_file(b"{}", purpose="batch", filename="a.jsonl"), File)
    assert_type(await client.upload_file(pieces(), progress=lambda sent, size: None), File)
    await client.upload_file(iter([b""]))  # type: ignore[arg-type]
    await client.upload_file(words())  # type: ignore[arg-type]
    assert_type(await client.request("GET", "/models", params={"a": "b"}), Response)
    assert_type(await client.download_file("file-1", "a.jsonl"), Path)
    assert_type(await client.training_metrics(job), list[TrainingStep])


async def long_work(client: FineTuningClient) -> None:
    assert_type(await client.wait_for_job("ftjob-1", timeout=60, poll=5, check=True), FineTuningJob)
    assert_type(client.follow_events("ftjob-1", after="ftevent-1", poll=5), AsyncGenerator[JobEvent])
    assert_type(client.watch_jobs({"ftjob-1": 1}, metadata={"a": "b"}), AsyncGenerator[FineTuningJob])
    async for job in client.watch_jobs(metadata=NO_METADATA):
        assert_type(job.status, str)
    client.watch_jobs([1])  # type: ignore[list-item]
    client.follow_events("ftjob-1", "ftevent-1")  # type: ignore[call-arg]
    await client.wait_for_job("ftjob-1", inbox="whsec_")  # type: ignore[arg-type]
    try:
        await client.wait_for_job("ftjob-1", check=True)
    except JobFailed as error:
        assert_type(error.job, FineTuningJob)
        assert_type(error.code, str | None)
    assert_type((await client.training_metrics("ftjob-1"))[0].train_loss, float | None)
    async with client.stream_file("file-1") as chunks:
        async for chunk in chunks:
            assert_type(chunk, bytes)
    await client.download_file("file-1")  # type: ignore[call-arg]
    await client.download_file("file-1", b"a.jsonl")  # type: ignore[arg-type]
    await client.create_job("m")  # type: ignore[call-arg]
    await client.create_job("m", "file-1", "file-2")  # type: ignore[call-arg]
    await client.create_job("m", "file-1", seed="1")  # type: ignore[arg-type]
    await client.retrieve_job(job)  # type: ignore[arg-type]
    await client.create_job("m", "file-1", method={"type": "dpo"}, extra_body={"trainingType": "Standard"})


async def graders(client: FineTuningClient) -> None:
    grader = StringCheckGrader(name="n", input="i", reference="r", operation="eq")
    run = await client.run_grader(grader, "sample", item={"label": "r"})
    assert_type(run.reward, float)
    assert_type(run.metadata, GraderRunMetadata | None)
    assert_type(await client.validate_grader({"type": "python"}), Grader)
    await client.run_grader(grader, {"sample": 1})  # type: ignore[arg-type]
    await client.run_grader("string_check", "sample")  # type: ignore[arg-type]


async def the_rest(client: FineTuningClient) -> None:
    assert_type(client.list_files(purpose="batch", order="asc", limit=5), Paginator[File])
    assert_type(await client.retrieve_file("file-1"), File)
    assert_type(await client.delete_file("file-1"), Deletion)
    assert_type(client.list_models(), Paginator[Model])
    assert_type((await client.retrieve_model("m")).created, int | None)
    assert_type((await client.delete_model("m")).deleted, bool)

    granted = await client.create_checkpoint_permissions("ft:m", ["proj_1"])
    assert_type(granted, list[CheckpointPermission])
    assert_type(granted[0].created, datetime)
    listed = client.list_checkpoint_permissions("ft:m", project_id="proj_1", order="descending")
    assert_type(listed, Paginator[CheckpointPermission])
    assert_type(await client.delete_checkpoint_permission("ft:m", "cp_1"), Deletion)
    client.list_files(order="ascending")  # type: ignore[arg-type]
    client.list_checkpoint_permissions("ft:m", order="asc")  # type: ignore[arg-type]
    client.list_models(limit=5)  # type: ignore[call-arg]
    await client.create_checkpoint_permissions("ft:m", [1])  # type: ignore[list-item]


async def clients() -> None:
    async with FineTuningClient("sk-made-up", retry=RetryPolicy(attempts=2)) as client:
        assert_type(client, FineTuningClient)
        assert_type(client.with_options(timeout=5), FineTuningClient)
    FineTuningClient("sk-made-up", "https://api.example")  # type: ignore[call-arg]
    FineTuningClient(api_key=rotating)


async def pieces() -> AsyncGenerator[bytes]:
    yield b""


async def words() -> AsyncGenerator[str]:
    yield ""


def uploads(upload: Upload, part: UploadPart) -> None:
    assert_type(upload.file, File | None)
    assert_type(upload.created, datetime)
    assert_type(part.upload_id, str | None)


async def rotating() -> str:
    return "sk-made-up"


def models(job: FineTuningJob, event: JobEvent) -> None:
    assert_type(job.status, str)
    assert_type(job.status == JobStatus.RUNNING, bool)
    assert_type(job.status in TERMINAL_STATUSES, bool)
    assert_type(job.is_terminal, bool)
    assert_type(job.created, datetime)
    assert_type(job.finished, datetime | None)
    assert_type(job.seed, int | None)
    assert_type(job.metadata, dict[str, str] | None)
    assert_type(job.extra, dict[str, object])
    assert_type(event.metrics, Metrics | None)
    assert_type(attrs.evolve(job, seed=1), FineTuningJob)
    job.status = "failed"  # type: ignore[misc]
    job.seed = 5  # type: ignore[misc]
    event.message = "changed"  # type: ignore[misc]
    job.is_terminal = True  # type: ignore[misc]


async def webhooks(app: web.Application, headers: Mapping[str, str]) -> None:
    assert_type(unwrap(b"{}", headers, "whsec_AAAA"), WebhookEvent)
    assert_type(unwrap("{}", headers, ["whsec_AAAA", "whsec_BBBB"]).job_id, str | None)
    unwrap({}, headers, "whsec_AAAA")  # type: ignore[arg-type]
    inbox = WebhookInbox("whsec_AAAA", on_event=handle)
    app.router.add_post("/webhooks", inbox.handler)
    assert_type(await inbox.deliver(b"{}", headers), WebhookEvent | None)
    with inbox.watching("ftjob-1") as news:
        assert_type(news, asyncio.Event)
    WebhookInbox("whsec_AAAA", on_event=print)  # type: ignore[arg-type]


async def handle(event: WebhookEvent) -> None:
    assert_type(event.created, datetime)
    assert_type(event.data, object)


def methods(grader: Grader) -> None:
    assert_type(Method.supervised(), Method)
    assert_type(Method.supervised(n_epochs=3, batch_size="auto", learning_rate_multiplier=0.5), Method)
    assert_type(Method.dpo(beta=0.1), Method)
    assert_type(Method.reinforcement(grader, compute_multiplier=2), Method)
    method = Method("dpo", dpo=DPOMethod(DPOHyperparameters(beta=0.1)))
    assert_type(method.type, str)
    assert_type(method.supervised, SupervisedMethod | None)
    assert_type(method.dpo, DPOMethod | None)
    assert_type(method.reinforcement, ReinforcementMethod | None)
    Method.supervised(3)  # type: ignore[call-arg]
    Method.supervised(n_epochs=[3])  # type: ignore[arg-type]
    Method.supervised(beta=0.1)  # type: ignore[call-arg]
    Method.reinforcement()  # type: ignore[call-arg]
    Method.reinforcement("grader")  # type: ignore[arg-type]
    StringCheckGrader("n", "i", "r", "eq")  # type: ignore[call-arg, arg-type]
    assert_type(StringCheckGrader(name="n", input="i", reference="r", operation="eq").type, str)


def documents(data: Mapping[str, object]) -> None:
    assert_type(from_dict(FineTuningJob, data), FineTuningJob)
    assert_type(from_dict(StringCheckGrader, data), StringCheckGrader)
    assert_type(to_dict(from_dict(JobEvent, data)), dict[str, object])
    from_dict(dict, data)  # type: ignore[type-var]
    from_dict(FineTuningJob, None)  # type: ignore[arg-type]


def failures(error: FineTuningError) -> None:
    assert_type(error.cursor, str | None)
    if isinstance(error, APIError):
        assert_type(error.status, int)
        assert_type(error.code, str | None)
        assert_type(error.headers, Mapping[str, str])
        assert_type(error.body, bytes)
        assert_type(error.retry_after, float | None)


async def archives(client: FineTuningClient, directory: Path) -> None:
    assert_type(await archive_account(client, directory, progress=lambda told: told.remaining), ArchiveReport)
    await archive_account(client, directory, progress=lambda: None)  # type: ignore[arg-type, misc]
    with Archive(directory) as archive:
        assert_type(list(archive.jobs()), list[FineTuningJob])
        assert_type(archive.file("file-1").path, Path | None)
        assert_type(archive.verify().damages, tuple[ArchiveDamage, ...])
    async with ArchiveServer(directory) as served:
        assert_type(served.url, str)


def data_sets(path: Path) -> None:
    report = check_dataset(path, method="dpo", validation_path=path)
    assert_type(report.problems, Sequence[DatasetProblem])
    assert_type(report.by_kind["bad_weight"].lines, tuple[int, ...])
    assert_type(report.validation, DatasetReport | None)
    check_dataset(path)  # type: ignore[call-arg]


def observers(provider: KeyProvider, observer: OnAttempt, progress: Progress) -> None:
    FineTuningClient(provider, on_attempt=observer)
    FineTuningClient(on_attempt=lambda record: record.delay)
    FineTuningClient(on_attempt=lambda: None)  # type: ignore[arg-type, misc]
    assert_type(progress(1, 2), object)


class Learning:
    async def train(self, task: TrainingTask) -> AsyncIterator[Report]:
        yield Step(1, task.epochs, {"train_loss": 0.5})


def servers(fine_tuning_server: LocalServer, fine_tuning_client: FineTuningClient) -> None:
    assert_type(fine_tuning_client.list_jobs(), Paginator[FineTuningJob])
    assert_type(fine_tuning_server.requests[0].json, object)
    assert_type(fine_tuning_server.deliveries[0].outcome, str | None)
    with fine_tuning_server.faults.once(Fault.status(503), path="/models") as rule:
        assert_type(rule.hits[Fault.status(503)], int)
    fine_tuning_server.advance_per_poll = 3
    fine_tuning_server.advance(5, minutes=1)
    fine_tuning_server.fail("ftjob-1", "code")  # type: ignore[call-arg]
    LocalServer(trainer=Learning(), like="azure", sync="full")
    LocalServer(trainer=ProcessTrainer(["train", Path("model")]))
    LocalServer(trainer=object())  # type: ignore[arg-type]
    LocalServer(like="elsewhere")  # type: ignore[arg-type]
