"""Receives the webhooks of a server."""

from ._inbox import WebhookInbox
from ._verifying import unwrap

__all__ = ["WebhookInbox", "unwrap"]
