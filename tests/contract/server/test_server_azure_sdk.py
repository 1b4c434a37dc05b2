"""The official client's Azure side against the local server: an independent reader of the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import chat_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

openai = pytest.importorskip("openai", reason="the official client is not installed; it is in the extra bench")

pytestmark = pytest.mark.official


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer(like="azure") as running:
        yield running


def dated(server: LocalServer, **options: Any) -> Any:
    return openai.AzureOpenAI(azure_endpoint=server.url, api_version="2024-10-21", max_retries=0, **options)


def of_v1(server: LocalServer, **options: Any) -> Any:
    return openai.OpenAI(base_url=f"{server.url}/openai/v1/", max_retries=0, **options)


@pytest.mark.parametrize("make", [dated, of_v1])
def test_a_job_goes_its_way(server: LocalServer, make: Any) -> None:
    with make(server, api_key="any-key") as client:
        file = client.files.create(file=("train.jsonl", chat_lines(12)), purpose="fine-tune")
        assert (file.status, client.files.retrieve(file.id).status) == ("pending", "processed")
        job = client.fine_tuning.jobs.create(model="gpt-4.1", training_file=file.id, suffix="mine")
        assert job.status == "pending"
        server.finish(job.id)
        done = client.fine_tuning.jobs.retrieve(job.id)
        assert done.status == "succeeded"
        assert done.fine_tuned_model.endswith("-mine")
        assert [each.id for each in client.fine_tuning.jobs.list()] == [job.id]
        events = list(client.fine_tuning.jobs.list_events(job.id))
        assert (events[0].message, len(events) > 20) == ("Job succeeded.", True)
        checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id))
        assert checkpoints[0].fine_tuned_model_checkpoint == done.fine_tuned_model
        assert client.files.content(done.result_files[0]).text.startswith("step,train_loss")
        assert done.fine_tuned_model in [each.id for each in client.models.list()]


def test_a_token_of_its_provider_is_accepted(server: LocalServer) -> None:
    with dated(server, azure_ad_token_provider=lambda: "a-token") as client:
        assert list(client.fine_tuning.jobs.list()) == []
    assert server.requests[-1].headers["authorization"] == "***"
    assert "api-key" not in server.requests[-1].headers


@pytest.mark.parametrize("make", [dated, of_v1])
def test_its_errors_are_understood(server: LocalServer, make: Any) -> None:
    with make(server, api_key="any-key") as client, pytest.raises(openai.NotFoundError) as caught:
        client.fine_tuning.jobs.retrieve("ftjob-none")
    assert caught.value.code == "notFound"
    with (
        make(server, api_key="sk-invalid") as client,
        pytest.raises(openai.AuthenticationError, match="Access denied"),
    ):
        client.fine_tuning.jobs.list()
