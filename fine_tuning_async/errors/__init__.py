"""The one tree of errors under FineTuningError.

Every error pickles and copies. None of them ever holds the API key: what a server echoes back is redacted
before an error is built from it.
"""

from ._archive import ArchiveError
from ._base import FineTuningError
from ._exchange import (
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    PaginationError,
    ResponseFormatError,
)
from ._status import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
    error_class,
)
from ._usage import (
    ClientStateError,
    DatasetError,
    DestinationError,
    IdempotencyKeyReusedError,
    InvalidArgumentError,
    SourceNotFoundError,
)
from ._webhooks import WebhookVerificationError

__all__ = [
    "APIError",
    "ArchiveError",
    "AuthenticationError",
    "BadRequestError",
    "ClientStateError",
    "ConflictError",
    "ConnectionFailed",
    "CreateUncertainError",
    "DatasetError",
    "DeadlineExceeded",
    "DestinationError",
    "FineTuningError",
    "IdempotencyKeyReusedError",
    "InvalidArgumentError",
    "NotFoundError",
    "PaginationError",
    "PermissionDeniedError",
    "RateLimitError",
    "ResponseFormatError",
    "ServerError",
    "SourceNotFoundError",
    "UnprocessableEntityError",
    "WebhookVerificationError",
    "error_class",
]
