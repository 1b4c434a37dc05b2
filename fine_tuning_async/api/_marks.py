"""How an idempotency key travels: in a header, and in the metadata of the job that it has made."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from fine_tuning_async._document import encode
from fine_tuning_async.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIGEST", "HEADER", "KEY", "bears_key", "with_key"]

KEY = "idempotency_key"
DIGEST = "idempotency_digest"
HEADER = "Idempotency-Key"
LONGEST_KEY = 255
MOST_PAIRS = 14  # of the 16 that the schema Metadata allows


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
