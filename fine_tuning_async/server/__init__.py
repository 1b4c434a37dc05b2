"""A local server that speaks the fine-tuning API."""

from __future__ import annotations

from .errors import JobStateError, LocalServerError, NotRunningError, StartError, UnknownJobError
from .faults import Fault, FaultError, Faults, Script
from .local import LocalServer
from .requestlog import RequestRecord
from .serving import serve

__all__ = [
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
    "serve",
]
