"""The nouns of the API as attrs classes, without any I/O."""

from ._base import JSON, JSONObject, WireObject, copied, wire_names
from .checkpoints import JobCheckpoint
from .deletion import Deletion
from .events import JobEvent
from .files import File
from .graders import (
    Grader,
    LabelModelGrader,
    MultiGrader,
    PythonGrader,
    ScoreModelGrader,
    SingleGrader,
    StringCheckGrader,
    TextSimilarityGrader,
    UnknownGrader,
)
from .integrations import Integration, WandbSettings
from .jobs import TERMINAL_STATUSES, FineTuningJob, JobError, JobStatus
from .methods import (
    DPOHyperparameters,
    DPOMethod,
    Method,
    ReinforcementHyperparameters,
    ReinforcementMethod,
    SupervisedHyperparameters,
    SupervisedMethod,
)
from .metrics import Metrics, TrainingStep
from .model_registry import Model
from .permissions import CheckpointPermission
from .webhooks import WebhookEvent

__all__ = [
    "JSON",
    "TERMINAL_STATUSES",
    "CheckpointPermission",
    "DPOHyperparameters",
    "DPOMethod",
    "Deletion",
    "File",
    "FineTuningJob",
    "Grader",
    "Integration",
    "JSONObject",
    "JobCheckpoint",
    "JobError",
    "JobEvent",
    "JobStatus",
    "LabelModelGrader",
    "Method",
    "Metrics",
    "Model",
    "MultiGrader",
    "PythonGrader",
    "ReinforcementHyperparameters",
    "ReinforcementMethod",
    "ScoreModelGrader",
    "SingleGrader",
    "StringCheckGrader",
    "SupervisedHyperparameters",
    "SupervisedMethod",
    "TextSimilarityGrader",
    "TrainingStep",
    "UnknownGrader",
    "WandbSettings",
    "WebhookEvent",
    "WireObject",
    "copied",
    "wire_names",
]
