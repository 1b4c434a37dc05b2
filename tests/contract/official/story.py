"""A whole story, told by the official Python SDK: one text for its synchronous and its asynchronous client.

Each step is what a method of the SDK returned. A driver awaits it, if need be, and hands the result back.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.contract.server.http_api import chat_lines

if TYPE_CHECKING:
    from collections.abc import Generator

    from fine_tuning_async.server import LocalServer
    from tests.contract.official.receiver import Receiver

    Steps = Generator[Any, Any, None]

MODEL = "gpt-4o-mini"
GRADER: Any = {
    "type": "string_check",
    "name": "exact",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}


@dataclass(frozen=True)
class Every:
    """The items of all pages."""

    pages: Any


@dataclass(frozen=True)
class Scene:
    """Who takes part.

    Attributes:
        strict: A client of the SDK that validates answers strictly.
        lenient: One that does not: for what the real API answers otherwise than the SDK's types say.
    """

    strict: Any
    lenient: Any
    server: LocalServer
    receiver: Receiver


def tell(steps: Steps) -> None:
    """Go through a story of the synchronous client."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration:
            return
        answer = list(step.pages) if isinstance(step, Every) else step


async def tell_async(steps: Steps) -> None:
    """Go through a story of the asynchronous client."""
    answer: Any = None
    problem: openai.OpenAIError | None = None
    while True:
        try:
            step = steps.throw(problem) if problem else steps.send(answer)
        except StopIteration:
            return
        answer = problem = None
        try:
            answer = await _result(step)
        except openai.OpenAIError as error:
            problem = error


async def _result(step: Any) -> Any:
    if isinstance(step, Every):
        return [item async for item in step.pages]
    return await step if inspect.isawaitable(step) else step


def whole(scene: Scene) -> Steps:
    """Use every operation that there is."""
    training_file: list[str] = []
    yield from files(scene, training_file)
    yield from uploads(scene)
    yield from supervised(scene, training_file[0])
    yield from other_methods(scene, training_file[0])
    yield from filtered_lists(scene, training_file[0])
    yield from held_and_cancelled(scene, training_file[0])
    yield from failed(scene)
    yield from graders(scene)
    yield from refused(scene)


def files(scene: Scene, made: list[str]) -> Steps:
    """Upload files; list them over many pages; download one; delete one."""
    client = scene.strict
    for number in range(5):
        file = yield client.files.create(file=(f"{number}.jsonl", chat_lines(12)), purpose="fine-tune")
        made.append(file.id)
    lasting = {"anchor": "created_at", "seconds": 3600}
    short = yield client.files.create(file=b"{}", purpose="user_data", expires_after=lasting)
    assert short.expires_at == short.created_at + 3600
    listed = yield Every(client.files.list(limit=2, order="asc", purpose="fine-tune"))
    assert [each.id for each in listed] == made
    newest = yield client.files.list(limit=1)
    assert ([each.id for each in newest.data], newest.has_more) == ([short.id], True)
    file = yield client.files.wait_for_processing(made[0])
    assert (file.filename, file.bytes, file.status) == ("0.jsonl", len(chat_lines(12)), "processed")
    content = yield client.files.content(made[0])
    assert content.content == chat_lines(12)
    deleted = yield client.files.delete(made[-1])
    assert deleted.deleted
    with pytest.raises(openai.NotFoundError):
        yield client.files.retrieve(made[-1])


def uploads(scene: Scene) -> Steps:
    """Upload in parts, by the SDK's own helper and step by step; cancel an upload."""
    client, content = scene.strict, chat_lines(30)
    wanted = {"filename": "t.jsonl", "mime_type": "text/jsonl", "purpose": "fine-tune"}
    upload = yield client.uploads.upload_file_chunked(file=content, bytes=len(content), part_size=1000, **wanted)
    assert (upload.status, upload.file.bytes) == ("completed", len(content))
    downloaded = yield client.files.content(upload.file.id)
    assert downloaded.content == content

    upload = yield client.uploads.create(bytes=6, **wanted)
    second = yield client.uploads.parts.create(upload.id, data=b"def")
    first = yield client.uploads.parts.create(upload.id, data=b"abc")
    md5 = "e80b5017098950fc58aad83c8c14978e"
    upload = yield client.uploads.complete(upload.id, part_ids=[first.id, second.id], md5=md5)
    downloaded = yield client.files.content(upload.file.id)
    assert downloaded.content == b"abcdef"

    upload = yield client.uploads.create(bytes=1, **wanted)
    cancelled = yield client.uploads.cancel(upload.id)
    assert cancelled.status == "cancelled"
    with pytest.raises(openai.BadRequestError):
        yield client.uploads.parts.create(upload.id, data=b"a")


def supervised(scene: Scene, file_id: str) -> Steps:
    """Train; read events and checkpoints over many pages; fetch the result; use the model; hear of the end."""
    client, jobs = scene.strict, scene.strict.fine_tuning.jobs
    chosen = {"n_epochs": 5, "batch_size": 4, "learning_rate_multiplier": 0.5}
    job = yield jobs.create(
        model=MODEL,
        training_file=file_id,
        validation_file=file_id,
        suffix="mine",
        seed=7,
        metadata={"team": "a"},
        integrations=[{"type": "wandb", "wandb": {"project": "p", "name": None, "tags": ["t"]}}],
        method={"type": "supervised", "supervised": {"hyperparameters": chosen}},
    )
    assert (job.status, job.seed, job.metadata) == ("validating_files", 7, {"team": "a"})
    for seconds, status in ((10, "queued"), (10, "running")):
        scene.server.advance(seconds)
        job = yield jobs.retrieve(job.id)
        assert job.status == status
    scene.server.advance(minutes=60)
    job = yield jobs.retrieve(job.id)
    assert (job.status, job.error, job.hyperparameters.n_epochs) == ("succeeded", None, 5)
    yield from _told(scene, "FineTuningJobSucceededWebhookEvent", job.id)

    events = yield Every(jobs.list_events(job.id, limit=3))
    assert (events[0].message, len(events)) == ("The job has successfully completed", len({e.id for e in events}))
    assert {each.type for each in events} == {"message", "metrics"}
    checkpoints = yield Every(jobs.checkpoints.list(job.id, limit=2))
    assert (len(checkpoints), checkpoints[0].fine_tuned_model_checkpoint) == (3, job.fine_tuned_model)
    assert checkpoints[0].metrics.full_valid_loss > 0
    result = yield client.files.content(job.result_files[0])
    assert result.text.startswith("step,train_loss")
    yield from _model(scene, job.fine_tuned_model)


def _model(scene: Scene, name: str) -> Steps:
    client, permissions = scene.strict, scene.strict.fine_tuning.checkpoints.permissions
    models = yield Every(client.models.list())
    assert name in [each.id for each in models]
    model = yield client.models.retrieve(name)
    assert (model.id, model.object) == (name, "model")

    projects = ["proj_a", "proj_b", "proj_c"]
    granted = yield Every(permissions.create(name, project_ids=projects))
    assert [each.project_id for each in granted] == projects
    listed = yield Every(permissions.list(name, limit=2, order="ascending"))
    assert [each.id for each in listed] == [each.id for each in granted]
    of_one = yield permissions.list(name, project_id="proj_b")
    assert [each.project_id for each in of_one.data] == ["proj_b"]
    gone = yield permissions.delete(granted[0].id, fine_tuned_model_checkpoint=name)
    assert gone.deleted

    deleted = yield client.models.delete(name)
    assert deleted.deleted
    with pytest.raises(openai.NotFoundError) as caught:
        yield client.models.retrieve(name)
    assert caught.value.code == "model_not_found"


def other_methods(scene: Scene, file_id: str) -> Steps:
    """Train by preferences, and by a grader. The API has no `hyperparameters` on such jobs; the SDK's types do."""
    client = scene.lenient
    message = [{"role": "assistant", "content": "a"}]
    question = {"messages": [{"role": "user", "content": "q"}]}
    pair = {"input": question, "preferred_output": message, "non_preferred_output": message}
    pairs = yield client.files.create(file=b"\n".join([json.dumps(pair).encode()] * 10), purpose="fine-tune")
    chosen: Any = {"beta": 0.2, "n_epochs": 1}
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": chosen}}
    job = yield client.fine_tuning.jobs.create(model=MODEL, training_file=pairs.id, method=method)
    scene.server.finish(job.id)
    job = yield client.fine_tuning.jobs.retrieve(job.id)
    assert (job.status, job.method.dpo.hyperparameters.beta) == ("succeeded", 0.2)
    yield from _told(scene, "FineTuningJobSucceededWebhookEvent", job.id)

    chosen = {"n_epochs": 1, "eval_interval": 2, "eval_samples": 1, "reasoning_effort": "low"}
    method = {"type": "reinforcement", "reinforcement": {"grader": GRADER, "hyperparameters": chosen}}
    job = yield client.fine_tuning.jobs.create(model="o4-mini", training_file=file_id, method=method)
    scene.server.finish(job.id)
    job = yield client.fine_tuning.jobs.retrieve(job.id)
    assert job.method.reinforcement.grader.operation == "eq"
    yield from _told(scene, "FineTuningJobSucceededWebhookEvent", job.id)


def filtered_lists(scene: Scene, file_id: str) -> Steps:
    """List jobs over many pages, by metadata too."""
    jobs = scene.strict.fine_tuning.jobs
    made: list[str] = []
    for number in range(7):
        metadata = {"run": "even" if number % 2 == 0 else "odd", "by": "us"}
        job = yield jobs.create(model=MODEL, training_file=file_id, metadata=metadata)
        made.insert(0, job.id)
    listed = yield Every(jobs.list(limit=2, metadata={"run": "even", "by": "us"}))
    assert [each.id for each in listed] == made[::2]
    everything = yield Every(scene.lenient.fine_tuning.jobs.list(limit=3))
    assert [each.id for each in everything][:7] == made
    after = yield jobs.list(limit=2, after=made[1])
    assert ([each.id for each in after.data], after.has_more) == (made[2:4], True)


def held_and_cancelled(scene: Scene, file_id: str) -> Steps:
    """Pause, resume, cancel. The SDK's types lack the two statuses that a pause brings."""
    jobs, lenient = scene.strict.fine_tuning.jobs, scene.lenient.fine_tuning.jobs
    job = yield jobs.create(model=MODEL, training_file=file_id)
    job = yield lenient.pause(job.id)
    assert job.status == "pausing"
    scene.server.advance(5)
    job = yield lenient.retrieve(job.id)
    assert job.status == "paused"
    job = yield jobs.resume(job.id)
    assert job.status == "validating_files"
    job = yield jobs.cancel(job.id)
    assert job.status == "cancelled"
    yield from _told(scene, "FineTuningJobCancelledWebhookEvent", job.id)
    with pytest.raises(openai.BadRequestError):
        yield jobs.cancel(job.id)


def failed(scene: Scene) -> Steps:
    """See a job fail for its file."""
    jobs = scene.strict.fine_tuning.jobs
    file = yield scene.strict.files.create(file=chat_lines(9), purpose="fine-tune")
    job = yield jobs.create(model=MODEL, training_file=file.id)
    scene.server.advance(10)
    job = yield jobs.retrieve(job.id)
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_n_examples", "training_file")
    yield from _told(scene, "FineTuningJobFailedWebhookEvent", job.id)


def graders(scene: Scene) -> Steps:
    """Run and validate graders."""
    found = scene.strict.fine_tuning.alpha.graders
    valid = yield found.validate(grader=GRADER)
    assert valid.grader.reference == GRADER["reference"]
    for sample, reward in (("4", 1), ("5", 0)):
        run = yield found.run(grader=GRADER, model_sample=sample, item={"answer": "4"})
        assert (run.reward, run.metadata.type) == (reward, "string_check")
    with pytest.raises(openai.BadRequestError) as caught:
        yield found.validate(grader={**GRADER, "operation": "none"})
    assert caught.value.param == "grader.operation"


def refused(scene: Scene) -> Steps:
    """Meet the errors, in the SDK's classes."""
    jobs = scene.strict.fine_tuning.jobs
    with pytest.raises(openai.NotFoundError) as missing:
        yield jobs.retrieve("ftjob-none")
    assert (missing.value.code, missing.value.param) == ("fine_tune_not_found", "fine_tune_id")
    with pytest.raises(openai.BadRequestError) as bad:
        yield jobs.create(model="no-such-model", training_file="file-none")
    assert (bad.value.code, bad.value.type) == ("model_not_available", "invalid_request_error")
    with pytest.raises(openai.AuthenticationError) as stranger:
        yield scene.strict.with_options(api_key="sk-invalid").fine_tuning.jobs.list(limit=1)
    assert stranger.value.code == "invalid_api_key"
    assert stranger.value.request_id is not None


def _told(scene: Scene, kind: str, job_id: str) -> Steps:
    """Receive a delivery, and let the SDK verify it."""
    body, headers = scene.receiver.next()
    event = scene.strict.webhooks.unwrap(body, headers)
    assert (type(event).__name__, event.data.id) == (kind, job_id)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        scene.strict.webhooks.unwrap(body + b" ", headers)
    yield None
