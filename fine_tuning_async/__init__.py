"""An asyncio client for the OpenAI-shaped fine-tuning API, with a local server that speaks it.

Names are resolved on first use (PEP 562), so that importing the package imports neither aiohttp nor cattrs.
"""

from typing import TYPE_CHECKING

from ._lazy import lazily, names_of
from ._version import __version__

if TYPE_CHECKING:
    from ._codec import from_dict, to_dict
    from ._credentials import KeyProvider
    from ._reporting import OnAttempt
    from ._wire import Response
    from .api._source import Progress, UploadSource
    from .api.downloads import DownloadProgress
    from .api.jobs import NO_METADATA
    from .archive import (
        Archive,
        ArchiveDamage,
        ArchivedFile,
        ArchiveGap,
        ArchiveProgress,
        ArchiveReport,
        ArchiveSummary,
        ArchiveVerification,
        OnArchiveProgress,
        archive_account,
    )
    from .client import FineTuningClient
    from .datasets import DatasetProblem, DatasetReport, ProblemKind, check_dataset
    from .errors import (
        APIError,
        ArchiveError,
        AuthenticationError,
        BadRequestError,
        ClientStateError,
        ConflictError,
        ConnectionFailed,
        CreateUncertainError,
        DatasetError,
        DeadlineExceeded,
        DestinationError,
        FineTuningError,
        IdempotencyKeyReusedError,
        InvalidArgumentError,
        NotFoundError,
        PaginationError,
        PermissionDeniedError,
        RateLimitError,
        ResponseFormatError,
        ServerError,
        SourceNotFoundError,
        UnprocessableEntityError,
        WebhookVerificationError,
    )
    from .models import (
        TERMINAL_STATUSES,
        CheckpointPermission,
        Deletion,
        DPOHyperparameters,
        DPOMethod,
        File,
        FineTuningJob,
        Grader,
        GraderErrors,
        GraderRun,
        GraderRunMetadata,
        Integration,
        JobCheckpoint,
        JobError,
        JobEvent,
        JobFailed,
        JobStatus,
        LabelModelGrader,
        Method,
        Metrics,
        Model,
        MultiGrader,
        PythonGrader,
        ReinforcementHyperparameters,
        ReinforcementMethod,
        SamplingParams,
        ScoreModelGrader,
        StringCheckGrader,
        SupervisedHyperparameters,
        SupervisedMethod,
        TextSimilarityGrader,
        TrainingStep,
        UnknownGrader,
        Upload,
        UploadPart,
        WandbSettings,
        WebhookEvent,
    )
    from .pagination import Page, Paginator
    from .retry import AttemptRecord, RetryPolicy
    from .webhooks import WebhookInbox, unwrap

lazily(__name__, "_azure", "_codec", "_downloads", "_reading", "models", "pagination")

_HOMES = {
    "_codec": "from_dict to_dict",
    "_credentials": "KeyProvider",
    "_reporting": "OnAttempt",
    "_wire": "Response",
    "api._source": "Progress UploadSource",
    "api.downloads": "DownloadProgress",
    "api.jobs": "NO_METADATA",
    "archive": (
        "Archive ArchiveDamage ArchiveGap ArchiveProgress ArchiveReport ArchiveSummary ArchiveVerification "
        "ArchivedFile OnArchiveProgress archive_account"
    ),
    "client": "FineTuningClient",
    "datasets": "DatasetProblem DatasetReport ProblemKind check_dataset",
    "errors": (
        "APIError ArchiveError AuthenticationError BadRequestError ClientStateError ConflictError "
        "ConnectionFailed CreateUncertainError DatasetError DeadlineExceeded DestinationError FineTuningError "
        "IdempotencyKeyReusedError InvalidArgumentError NotFoundError PaginationError PermissionDeniedError "
        "RateLimitError ResponseFormatError ServerError SourceNotFoundError UnprocessableEntityError "
        "WebhookVerificationError"
    ),
    "models": (
        "TERMINAL_STATUSES CheckpointPermission DPOHyperparameters DPOMethod Deletion File FineTuningJob "
        "Grader GraderErrors GraderRun GraderRunMetadata Integration JobCheckpoint JobError JobEvent "
        "JobFailed JobStatus LabelModelGrader Method Metrics Model MultiGrader PythonGrader "
        "ReinforcementHyperparameters ReinforcementMethod SamplingParams ScoreModelGrader StringCheckGrader "
        "SupervisedHyperparameters SupervisedMethod TextSimilarityGrader TrainingStep UnknownGrader Upload "
        "UploadPart WandbSettings WebhookEvent"
    ),
    "pagination": "Page Paginator",
    "retry": "AttemptRecord RetryPolicy",
    "webhooks": "WebhookInbox unwrap",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "NO_METADATA",
    "TERMINAL_STATUSES",
    "APIError",
    "Archive",
    "ArchiveDamage",
    "ArchiveError",
    "ArchiveGap",
    "ArchiveProgress",
    "ArchiveReport",
    "ArchiveSummary",
    "ArchiveVerification",
    "ArchivedFile",
    "AttemptRecord",
    "AuthenticationError",
    "BadRequestError",
    "CheckpointPermission",
    "ClientStateError",
    "ConflictError",
    "ConnectionFailed",
    "CreateUncertainError",
    "DPOHyperparameters",
    "DPOMethod",
    "DatasetError",
    "DatasetProblem",
    "DatasetReport",
    "DeadlineExceeded",
    "Deletion",
    "DestinationError",
    "DownloadProgress",
    "File",
    "FineTuningClient",
    "FineTuningError",
    "FineTuningJob",
    "Grader",
    "GraderErrors",
    "GraderRun",
    "GraderRunMetadata",
    "IdempotencyKeyReusedError",
    "Integration",
    "InvalidArgumentError",
    "JobCheckpoint",
    "JobError",
    "JobEvent",
    "JobFailed",
    "JobStatus",
    "KeyProvider",
    "LabelModelGrader",
    "Method",
    "Metrics",
    "Model",
    "MultiGrader",
    "NotFoundError",
    "OnArchiveProgress",
    "OnAttempt",
    "Page",
    "PaginationError",
    "Paginator",
    "PermissionDeniedError",
    "ProblemKind",
    "Progress",
    "PythonGrader",
    "RateLimitError",
    "ReinforcementHyperparameters",
    "ReinforcementMethod",
    "Response",
    "ResponseFormatError",
    "RetryPolicy",
    "SamplingParams",
    "ScoreModelGrader",
    "ServerError",
    "SourceNotFoundError",
    "StringCheckGrader",
    "SupervisedHyperparameters",
    "SupervisedMethod",
    "TextSimilarityGrader",
    "TrainingStep",
    "UnknownGrader",
    "UnprocessableEntityError",
    "Upload",
    "UploadPart",
    "UploadSource",
    "WandbSettings",
    "WebhookEvent",
    "WebhookInbox",
    "WebhookVerificationError",
    "__version__",
    "archive_account",
    "check_dataset",
    "from_dict",
    "to_dict",
    "unwrap",
]


if not TYPE_CHECKING:  # to whom a name that is none would be one
    __getattr__ = names_of(__name__, _HOME_OF)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
