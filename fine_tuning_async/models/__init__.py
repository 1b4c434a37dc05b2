"""The nouns of the API as attrs classes, without any I/O.

A class is imported when it is first asked for: attrs makes it anew in each process, and few programs use them all.
"""

from typing import TYPE_CHECKING

from fine_tuning_async._lazy import names_of

if TYPE_CHECKING:
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

_HOMES = {
    "_base": "JSON JSONObject WireObject copied sent wire_names",
    "_failure": "JobFailed",
    "checkpoints": "JobCheckpoint",
    "deletion": "Deletion",
    "events": "JobEvent",
    "files": "File",
    "grader_runs": "GraderErrors GraderRun GraderRunMetadata GraderValidation",
    "graders": (
        "Grader LabelModelGrader MultiGrader PythonGrader SamplingParams ScoreModelGrader SingleGrader "
        "StringCheckGrader TextSimilarityGrader UnknownGrader"
    ),
    "integrations": "Integration WandbSettings",
    "jobs": "STATUSES_AFTER TERMINAL_STATUSES FineTuningJob JobError JobStatus",
    "methods": (
        "DPOHyperparameters DPOMethod Method ReinforcementHyperparameters ReinforcementMethod "
        "SupervisedHyperparameters SupervisedMethod"
    ),
    "metrics": "Metrics TrainingStep",
    "model_registry": "Model",
    "permissions": "CheckpointPermission",
    "uploads": "Upload UploadPart",
    "webhooks": "WebhookEvent",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

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


if not TYPE_CHECKING:  # to whom a name that is none would be one
    __getattr__ = names_of(__name__, _HOME_OF)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
