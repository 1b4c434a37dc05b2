"""What a webhook of the local server may be, without any server running."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from fine_tuning_async.server import LocalServer, NotRunningError, UnknownWebhookError
from fine_tuning_async.server.service import Service
from fine_tuning_async.server.steering import job_of
from fine_tuning_async.server.wishes import Wish


@pytest.mark.parametrize(
    "url",
    [
        *("", "receiver", "/hook", "ftp://host/", "file:///etc/passwd", "http://", "http://:80/", "http://h:x/"),
        *("http://h:99999/", "http://a b/", "http://h/\n", "http://[::1/", "http://höst/", None, 5),
    ],
)
def test_a_url_that_is_none_is_refused(url: Any) -> None:
    with pytest.raises(ValueError, match="absolute http or https URL"):
        LocalServer().add_webhook(url)


@pytest.mark.parametrize("secret", ["", "plain", "whsec_", "whsec_a b", "whsec_A", "whsec_é"])
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="the secret of a webhook is") as caught:
        LocalServer().add_webhook("http://h/", secret=secret)
    assert not secret or secret in "whsec_" or secret not in str(caught.value)


@pytest.mark.parametrize(
    "events", [[], ["fine_tuning.job.started"], ["batch.completed", "fine_tuning.job.failed"]]
)
def test_an_event_that_is_never_sent_is_refused(events: list[str]) -> None:
    with pytest.raises(ValueError, match="events holds"):
        LocalServer().add_webhook("http://h/", events=events)


def test_a_secret_of_its_own_belongs_to_the_seed_and_the_url() -> None:
    first, again, other = (LocalServer(seed=seed).add_webhook("http://h/") for seed in (1, 1, 2))
    assert first == again != other
    assert LocalServer(seed=1).add_webhook("http://other/") != first


def test_deliveries_are_read_from_a_running_server() -> None:
    with pytest.raises(NotRunningError):
        _ = LocalServer().deliveries


def test_a_webhook_can_be_taken_back_before_the_server_runs() -> None:
    server = LocalServer()
    server.add_webhook("http://h/")
    server.remove_webhook("http://h/")
    with pytest.raises(UnknownWebhookError, match="no webhook 'http://h/'"):
        server.remove_webhook("http://h/")
    assert issubclass(UnknownWebhookError, LookupError)


def test_what_is_to_be_told_is_stored_with_the_end_of_the_job_or_not_at_all() -> None:
    service = Service(None, seed=0, speed=None)
    service.add_webhook("http://h/", None, None)
    service.open(lambda: 0.0)
    with service.session() as now:
        wish = Wish("m", "file-1", None, None, 1, "supervised", {"hyperparameters": {}}, [], None)
        job = service.progress.begin(wish, now)
    with suppress(ZeroDivisionError), service.session() as now:
        service.progress.cancel(job_of(service, job.id), now)
        assert service.store.webhooks.records()
        raise ZeroDivisionError
    with service.session() as now:
        assert job_of(service, job.id).status == "validating_files"
        assert not service.store.webhooks.records()
        service.progress.cancel(job_of(service, job.id), now)
    with service.session():
        assert [record.job_id for record in service.store.webhooks.records()] == [job.id]
    service.close()
