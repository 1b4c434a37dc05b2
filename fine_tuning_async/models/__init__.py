"""The nouns of the API as attrs classes, without any I/O."""

from ._base import JSON, JSONObject, WireObject, copied, sent, wire_names
from ._failure import JobFailed
from .checkpoints import JobCheckpoint
from .deletion import Deletion
from .events import JobEvent
from .files import File
from .grader_runs import GraderErrors, GraderRun, GraderRunMetadata, GraderValidation
from .graders import (
    Grader,
    LabelModelGrader,
    MultiGrader,
    PythonGrader,
    SamplingParams,
    ScoreModelGrader,
    SingleGrader,
    StringCheckGrader,
    TextSimilarityGrader,
    UnknownGrader,
)
from .integrations import Integration, WandbSettings
from .jobs import STATUSES_AFTER, TERMINAL_STATUSES, FineTuningJob, JobError, JobStatus
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
from .uploads import Upload, UploadPart
from .webhooks import WebhookEvent

__all__ = [
    "JSON",
    "STATUSES_AFTER",
    "TERMINAL_STATUSES",
    "CheckpointPermission",
    "DPOHyperparameters",
    "DPOMethod",
    "Deletion",
    "File",
    "FineTuningJob",
    "Grader",
    "GraderErrors",
    "GraderRun",
    "GraderRunMetadata",
    "GraderValidation",
    "Integration",
    "JSONObject",
    "JobCheckpoint",
    "JobError",
    "JobEvent",
    "JobFailed",
    "JobStatus",
    "LabelModelGrader",
    "Method",
    "Metrics",
    "Model",
    "MultiGrader",
    "PythonGrader",
    "ReinforcementHyperparameters",
    "ReinforcementMethod",
    "SamplingParams",
    "ScoreModelGrader",
    "SingleGrader",
    "StringCheckGrader",
    "SupervisedHyperparameters",
    "SupervisedMethod",
    "TextSimilarityGrader",
    "TrainingStep",
    "UnknownGrader",
    "Upload",
    "UploadPart",
    "WandbSettings",
    "WebhookEvent",
    "WireObject",
    "copied",
    "sent",
    "wire_names",
]
