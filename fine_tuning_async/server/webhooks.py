"""Webhooks: who is told of the end of a job, in which words, under which signature."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .ids import Minter
    from .records import Job
    from .store import Store

PREFIX = "whsec_"

EVENTS = ("fine_tuning.job.succeeded", "fine_tuning.job.failed", "fine_tuning.job.cancelled")
"""All that the server tells."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events are sent to.

    Args:
        url: The receiver.
        secret: What deliveries are signed with.
        events: The types of the events that it is told of.
    """

    url: str
    secret: str = field(repr=False)
    events: tuple[str, ...] = EVENTS


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One event on its way to one receiver.

    Attributes:
        id: The `webhook-id`, the same in each attempt.
        url: The receiver.
        type: The event's type.
        job_id: The job that it speaks of.
        state: `pending`, `delivered` or `given up`.
        attempts: How many attempts have ended.
        outcome: How the last one ended: a status such as `200`, or the name of what kept it from one.
    """

    id: str
    url: str
    type: str
    job_id: str
    state: str
    attempts: int
    outcome: str | None


def checked(url: str, secret: str, events: Iterable[str] | None) -> Webhook:
    """Return a webhook that can be used.

    Raises:
        ValueError: The URL, the secret or one of the events is none.
    """
    if not isinstance(url, str) or not _is_http(url):
        raise ValueError(f"a webhook goes to an absolute http or https URL, not {url!r}")
    if not _key(secret):
        raise ValueError("the secret of a webhook is `whsec_` and base64 after it")
    wanted = EVENTS if events is None else tuple(dict.fromkeys(events))
    unknown = [each for each in wanted if each not in EVENTS]
    if unknown or not wanted:
        raise ValueError(f"events holds {unknown or 'nothing'}; choose of {', '.join(EVENTS)}")
    return Webhook(url, secret, wanted)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that hold no address, a port that is no number
        return False
    return named and parts.scheme in {"http", "https"} and url.isascii() and url.isprintable() and " " not in url


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        return b""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX).encode(), validate=True)
    except ValueError:
        return b""


def announce(store: Store, mint: Minter, job: Job, at: float) -> None:
    """Put the event of a job's end into the outbox, in the transaction that ends it."""
    kind = f"fine_tuning.job.{job.status}"
    event = {
        "id": mint.hexadecimal("evt_", job.seq),
        "object": "event",
        "type": kind,
        "created_at": int(at),
        "data": {"id": job.id},
    }
    store.webhooks.enqueue(job.id, kind, orjson.dumps(event))


def signed(delivery_id: str, body: bytes, secret: str, now: float) -> Mapping[str, str]:
    """Return the headers of an attempt, as Standard Webhooks has them."""
    moment = str(int(now))
    digest = hmac.digest(_key(secret), f"{delivery_id}.{moment}.".encode() + body, "sha256")
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
