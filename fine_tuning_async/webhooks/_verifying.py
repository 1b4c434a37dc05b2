"""The signature of a delivery, checked before anything else is looked at."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import standardwebhooks

from fine_tuning_async._codec import structure
from fine_tuning_async._document import decode
from fine_tuning_async._secret import Secret, wrapped
from fine_tuning_async.errors import InvalidArgumentError, ResponseFormatError, WebhookVerificationError
from fine_tuning_async.models import WebhookEvent

__all__ = ["Delivery", "Verifier", "concealed", "refused", "unwrap"]

_NAMES = _ID, _TIME, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_PREFIX = "whsec_"
_SIGNED = re.compile(r"v1,[A-Za-z0-9+/]{43}=")
"""The base64 of the 32 bytes of an HMAC-SHA256; other versions may stand beside it (Standard Webhooks)."""

_SECONDS = re.compile(r"[0-9]{1,15}")
"""The library reads any float, and signs its whole part: one signature would fit many timestamps."""

_REASONS = {
    "Message timestamp too old": "its timestamp is more than 300 s old: a replay, or the clock here is ahead",
    "Message timestamp too new": "its timestamp lies more than 300 s ahead: the clock here may be behind",
    "No matching signature found": "no signature fits: it was forged or changed, or has another secret",
}


class Delivery(NamedTuple):
    """A delivery whose signature was good."""

    id: str
    """The `webhook-id`, the same each time that it is sent."""

    event: WebhookEvent


def unwrap(body: bytes | str, headers: Mapping[str, str], secret: str | Sequence[str]) -> WebhookEvent:
    """Verify a delivery of a webhook, and return its event.

    The signature comes first, then the JSON. A timestamp more than 300 seconds away from this machine's clock, on
    either side, is refused: the clock must be right. A delivery that comes twice is accepted twice; a WebhookInbox
    knows repeats.

    Args:
        body: The body as it came, not decoded JSON.
        headers: The request's headers, in any case.
        secret: The endpoint's secret, `whsec_...`; while it is being changed, the old one and the new.

    Raises:
        WebhookVerificationError: The delivery is forged, stale or malformed.
        InvalidArgumentError: The secret is none, or the body or the headers are of a wrong type.
    """
    secrets = concealed(secret)
    del secret  # from here on no frame of a traceback shows it
    return Verifier(secrets).open(body, headers).event


def concealed(secret: object) -> tuple[Secret, ...]:
    """Return what was given as one or several secrets, so that from here on nothing can show them."""
    if isinstance(secret, str):
        return (wrapped(secret),)
    return tuple(map(wrapped, secret)) if isinstance(secret, Sequence) else ()


def refused(reason: str) -> WebhookVerificationError:
    """Return the error for a delivery that is wrong in some way."""
    return WebhookVerificationError(f"the webhook is refused: {reason}")


class Verifier:
    """Opens deliveries that are signed with one of some secrets.

    Raises:
        InvalidArgumentError: One of the secrets is none.
    """

    def __init__(self, secrets: Sequence[Secret]) -> None:
        if not secrets:
            raise InvalidArgumentError("secret is no string and no sequence of at least one; pass `whsec_...`")
        self._signers = [_signer(each) for each in secrets]

    def open(self, body: bytes | str, headers: Mapping[str, str]) -> Delivery:
        """Verify a delivery; then read it.

        Raises:
            WebhookVerificationError: It is forged, stale or malformed.
            InvalidArgumentError: The body or the headers are of a wrong type.
        """
        if not isinstance(body, bytes | str):
            raise InvalidArgumentError(
                f"body is a {type(body).__name__}; pass the request's body as it came, bytes or str"
            )
        signed = _signed_headers(headers)
        reason = self._objection(body, signed)
        if reason is not None:
            raise refused(reason)
        return Delivery(signed[_ID], _read(body))

    def _objection(self, body: bytes | str, headers: dict[str, str]) -> str | None:
        reason: str | None = None
        for signer in self._signers:
            reason = _objection(signer, body, headers)
            if reason is None:
                return None
        return reason


def _signer(secret: Secret) -> standardwebhooks.Webhook:
    """Return what verifies with a secret, which is not shown by an error."""
    if not secret.reveal().startswith(_PREFIX):
        raise InvalidArgumentError("secret does not begin with `whsec_`, or is no string; copy it as it was shown")
    key = _key(secret)
    if not key:
        raise InvalidArgumentError(
            "secret is no base64 after `whsec_`; it was cut, or has white space around it: copy it as it was shown"
        )
    return standardwebhooks.Webhook(key)


def _key(secret: Secret) -> bytes | None:
    try:
        # The padding may be missing.
        text = secret.reveal().removeprefix(_PREFIX).encode("ascii")
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None


def _signed_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the three headers of the signature, of which one at least fits its form."""
    if not isinstance(headers, Mapping):
        raise InvalidArgumentError(f"headers is a {type(headers).__name__}; it must be a mapping of strings")
    found: dict[str, str] = {}
    for key, value in headers.items():
        if not isinstance(key, str):
            raise InvalidArgumentError(f"the header {key!r} is no string; decode names and values, as latin-1")
        name = key.lower()
        if name == _SIGNATURE and isinstance(value, str):
            # One that stands there twice is a list of both (RFC 9110, 5.2), as one with spaces in it is.
            value = f"{found.get(name, '')} {value}"  # noqa: PLW2901 - the list goes on
        if name in _NAMES:
            found[name] = value
    for name in (_ID, _TIME, _SIGNATURE):
        if not isinstance(found.get(name, ""), str):
            raise InvalidArgumentError(f"the header {name} is a {type(found[name]).__name__}; it must be a string")
        if not found.get(name):
            raise refused(f"it has no header {name}")
    if not _SECONDS.fullmatch(found[_TIME]):
        raise refused(f"its {_TIME} is no number of seconds")
    # One that is no signature would keep the library from looking at those behind it.
    found[_SIGNATURE] = " ".join(filter(_SIGNED.fullmatch, found[_SIGNATURE].split()))
    return found


def _objection(signer: standardwebhooks.Webhook, body: bytes | str, headers: dict[str, str]) -> str | None:
    """Return what is wrong with a delivery. It is not raised: the library's frames hold the right signature."""
    if not headers[_SIGNATURE]:
        return "it has no signature of version 1"
    try:
        signer.verify(body, headers, json_parse=False)
    except standardwebhooks.WebhookVerificationError as error:
        return _REASONS.get(str(error), str(error))
    except ValueError:  # of Unicode, in the body or in a header
        return "its body or its headers are no UTF-8"
    return None


def _read(body: bytes | str) -> WebhookEvent:
    try:
        document = decode(body.encode() if isinstance(body, str) else body, what="the delivery")
        return structure(WebhookEvent, document, what="the delivery")
    except ResponseFormatError as error:
        raise WebhookVerificationError(f"the webhook is signed, but is no event: {error}") from error
