"""A local server that speaks the fine-tuning API."""

from __future__ import annotations

from .archived.serving import ArchiveServer, serve_archive
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
from .training import (
    Checkpoint,
    DataFile,
    Finished,
    Note,
    ProcessTrainer,
    Report,
    Simulation,
    Step,
    Trainer,
    TrainingFailed,
    TrainingTask,
)
from .webhooks import DeliveryRecord

__all__ = [
    "ArchiveServer",
    "Checkpoint",
    "DataFile",
    "DeliveryRecord",
    "Fault",
    "FaultError",
    "Faults",
    "Finished",
    "JobStateError",
    "LocalServer",
    "LocalServerError",
    "NotRunningError",
    "Note",
    "ProcessTrainer",
    "Report",
    "RequestRecord",
    "Script",
    "Simulation",
    "StartError",
    "Step",
    "Trainer",
    "TrainingFailed",
    "TrainingTask",
    "UnknownJobError",
    "UnknownWebhookError",
    "serve",
    "serve_archive",
]
