"""A local server that speaks the fine-tuning API."""

from __future__ import annotations

from .errors import (
    JobStateError,
    LocalServerError,
    NotRunningError,
    StartError,
    UnknownJobError,
    UnknownWebhookError,
)
from .faults import Fault, FaultError, Faults, Script
from .local import LocalServer
from .requestlog import RequestRecord
from .serving import serve
from .webhooks import DeliveryRecord

__all__ = [
    "DeliveryRecord",
    "Fault",
    "FaultError",
    "Faults",
    "JobStateError",
    "LocalServer",
    "LocalServerError",
    "NotRunningError",
    "RequestRecord",
    "Script",
    "StartError",
    "UnknownJobError",
    "UnknownWebhookError",
    "serve",
]
