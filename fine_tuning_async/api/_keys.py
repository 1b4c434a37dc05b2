"""Idempotency keys: how they travel in a job's metadata, which are in use, whether a server keeps them."""

from __future__ import annotations

import asyncio
import logging
import warnings
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from attrs import define, field

from fine_tuning_async._document import encode
from fine_tuning_async.errors import DeadlineExceeded, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from fine_tuning_async.models import FineTuningJob

__all__ = ["DIGEST", "HEADER", "KEY", "Keys", "bears_key", "with_key"]

KEY = "idempotency_key"
DIGEST = "idempotency_digest"
HEADER = "Idempotency-Key"
LONGEST_KEY = 255

logger = logging.getLogger("fine_tuning_async")

MOST_PAIRS = 14  # of the 16 that the schema Metadata allows


@define(eq=False)
class Keys:
    """The keys in use in one client, and what it has learned about the server's memory for them.

    Attributes:
        keeps_metadata: Whether jobs come back with their metadata; None until it was seen.
        are_found: Whether the metadata filter has found a job by its key.
        doubtful: The keys whose creates may have come to something, each with the Unix time since when.
    """

    keeps_metadata: bool | None = None
    are_found: bool = False
    doubtful: dict[str, float] = field(factory=dict)
    _locks: WeakValueDictionary[tuple[int, str], asyncio.Lock] = field(factory=WeakValueDictionary)

    @asynccontextmanager
    async def held(self, key: str, until: float) -> AsyncIterator[None]:
        """Hold a key, so that a second call with it waits for the first."""
        index = id(asyncio.get_running_loop()), key
        lock = self._locks.setdefault(index, asyncio.Lock())
        try:
            async with asyncio.timeout_at(until):
                await lock.acquire()
        except TimeoutError:
            text = f"another call with the key {key!r} is still at work; nothing was sent by this one"
            raise DeadlineExceeded(text, sent=False) from None
        try:
            yield
        finally:
            lock.release()

    def learn(self, job: FineTuningJob, key: str) -> None:
        """See from a job that was created with a key whether the server keeps metadata."""
        keeps, told = (job.metadata or {}).get(KEY) == key, self.keeps_metadata is False
        self.keeps_metadata = keeps
        if not keeps and not told:
            _warn(
                f"the server dropped the metadata of job {job.id}: no key can protect against paying twice there"
            )


def _warn(text: str) -> None:
    try:
        warnings.warn(text, UserWarning, stacklevel=2)
    except UserWarning:
        # Warnings are errors here; but the job is there, and its id must reach the caller.
        logger.warning(text)


def with_key(body: Mapping[str, object], key: str) -> dict[str, object]:
    """Return the body of a create with the key and its digest in the metadata.

    Raises:
        InvalidArgumentError: The key cannot be sent, or the metadata leaves no room for it.
    """
    if (
        not isinstance(key, str)
        or not key.isascii()
        or not key.isprintable()
        or not 0 < len(key.strip()) == len(key)
    ):
        raise InvalidArgumentError(
            f"idempotency_key is {key!r}; it must be printable ASCII without space around it"
        )
    if len(key) > LONGEST_KEY:
        raise InvalidArgumentError(f"idempotency_key has {len(key)} characters; it may have {LONGEST_KEY}")
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict) or metadata.keys() & {KEY, DIGEST} or len(metadata) > MOST_PAIRS:
        raise InvalidArgumentError(
            f"metadata may have {MOST_PAIRS} pairs beside an idempotency key, and none named {KEY} or {DIGEST}"
        )
    digest = sha256(encode(body, sort_keys=True)).hexdigest()
    return {**body, "metadata": {**metadata, KEY: key, DIGEST: digest}}


def bears_key(metadata: Mapping[str, str]) -> bool:
    """Tell whether metadata holds some key with its digest whole, as `with_key` has put them there."""
    return KEY in metadata and len(metadata.get(DIGEST, "")) == sha256().digest_size * 2
