"""What is wrong with a delivery of a webhook."""

from __future__ import annotations

from ._base import FineTuningError

__all__ = ["WebhookVerificationError"]


class WebhookVerificationError(FineTuningError):
    """A delivery cannot be trusted or understood: it is forged, stale, malformed or too large.

    Answer it with a 400, and do nothing else. The message holds no secret, and of a body only what is signed.
    If the signature is good but the body is no event, the cause is the ResponseFormatError that says where.
    """
