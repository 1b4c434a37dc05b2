"""A local server that speaks the fine-tuning API."""

from __future__ import annotations

from .errors import JobStateError, LocalServerError, NotRunningError, StartError, UnknownJobError
from .local import LocalServer
from .requestlog import RequestRecord
from .serving import serve

__all__ = [
    "JobStateError",
    "LocalServer",
    "LocalServerError",
    "NotRunningError",
    "RequestRecord",
    "StartError",
    "UnknownJobError",
    "serve",
]
