"""The one tree of errors under FineTuningError.

Every error pickles and copies. None of them ever holds the API key: what a server echoes back is redacted
before an error is built from it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "APIError",
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
]


class FineTuningError(Exception):
    """Anything this library raises.

    Attributes:
        cursor: Set when a paginator failed: pass it as `after` to go on where the iteration stopped. None
            means that it failed before the first item.
    """

    cursor: str | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by state, because the constructors of subclasses take keyword arguments."""
        return _restore, (type(self), self.args), self.__dict__


def _restore(cls: type[FineTuningError], args: tuple[object, ...]) -> FineTuningError:
    error = cls.__new__(cls)
    error.args = args
    return error


class InvalidArgumentError(FineTuningError, ValueError):
    """A value given by the caller cannot be sent; nothing has been sent."""


class SourceNotFoundError(InvalidArgumentError, FileNotFoundError):
    """The file to be uploaded or checked does not exist."""

    def __new__(cls, *args: object) -> Self:
        """Make the error as an OSError is made: ValueError's way, which comes first, refuses to."""
        return FileNotFoundError.__new__(cls, *args)


class DestinationError(FineTuningError, OSError):
    """A download cannot be written to the disk: it is full, or the file cannot be given its name.

    Nothing bears the final name that did not bear it before. `errno`, `strerror` and `filename` are an OSError's.
    """

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as an OSError does, whose number and file name come from its arguments alone."""
        named = () if self.filename is None else (self.filename,)
        return type(self), (*self.args, *named), self.__dict__


class IdempotencyKeyReusedError(InvalidArgumentError):
    """The key has made a job with other parameters; nothing was created by this call."""


class ClientStateError(FineTuningError, RuntimeError):
    """The client cannot be used here: it is closed, or its borrowed session belongs to another event loop."""


class ConnectionFailed(FineTuningError, ConnectionError):  # noqa: N818 - the name is part of the public face
    """No answer came back.

    Attributes:
        sent: False if the request certainly did not reach the server, True if it certainly did, None if
            nobody can know.
        ended: Whether it was the server that ended the exchange, by closing or resetting the connection.
    """

    def __init__(self, message: str, *, sent: bool | None, ended: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.ended = ended


class DeadlineExceeded(FineTuningError, TimeoutError):  # noqa: N818 - the name is part of the public face
    """The deadline of a call passed before an answer that settles it.

    Attributes:
        sent: As in ConnectionFailed, of the last attempt. A create is sent again only if all attempts before
            certainly came to nothing, so that for a create it speaks of the whole call.
    """

    def __init__(self, message: str, *, sent: bool | None) -> None:
        super().__init__(message)
        self.sent = sent


class CreateUncertainError(FineTuningError):
    """A create ended without anybody knowing whether the server acted: a paid job may exist.

    The cause is the failure that left it open. The message says how to look for the job.
    """


class ResponseFormatError(FineTuningError):
    """An answer was not what the API promises: no JSON, a wrong type, an inexact number, too large.

    Attributes:
        path: Where in the JSON document, as in `$.data[3].seed`; `$` is its root.
        request_id: The server's id of the request, if it gave one.
    """

    def __init__(self, message: str, *, path: str = "$", request_id: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.request_id = request_id


class PaginationError(FineTuningError):
    """A list cannot be followed to its end without skipping or repeating: the server's cursors are broken."""


class DatasetError(FineTuningError):
    """A training file would let its job fail.

    Attributes:
        path: The file.
        codes: How many problems of each kind it has, its validation file's included.
    """

    def __init__(self, message: str, *, path: str, codes: Mapping[str, int]) -> None:
        super().__init__(message)
        self.path = path
        self.codes = codes


class APIError(FineTuningError):
    """The server answered with an error status.

    Attributes:
        status: The HTTP status.
        code: The server's machine-readable code, such as `invalid_n_examples`.
        param: The field that the server objects to.
        type: The server's class of error, such as `invalid_request_error`.
        message: The server's own words, or an excerpt of a body that is no error envelope.
        request_id: The server's id of the request, if it gave one.
        headers: The answer's headers.
        body: The answer's body in bytes, up to 64 KiB.
        retry_after: Seconds that the server asks to wait, if it does.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        message: str,
        code: str | None = None,
        param: str | None = None,
        type: str | None = None,  # noqa: A002 - the API's own name
        request_id: str | None = None,
        headers: Mapping[str, str],
        body: bytes = b"",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.param = param
        self.type = type
        self.message = message
        self.request_id = request_id
        self.headers = headers
        self.body = body
        self.retry_after = retry_after


class BadRequestError(APIError):
    """400: the request is wrong as it stands."""


class AuthenticationError(APIError):
    """401: the key is missing, wrong or revoked."""


class PermissionDeniedError(APIError):
    """403: the key may not do this."""


class NotFoundError(APIError):
    """404: there is no such thing, or this key may not see it."""


class ConflictError(APIError):
    """409: the state on the server forbids it."""


class UnprocessableEntityError(APIError):
    """422: well-formed, and refused by the server's own checks."""


class RateLimitError(APIError):
    """429: too many requests, or no quota left (see `code`)."""


class ServerError(APIError):
    """5xx: the server, or a gateway before it, failed."""


_BY_STATUS: dict[int, type[APIError]] = {
    HTTPStatus.BAD_REQUEST: BadRequestError,
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.UNPROCESSABLE_ENTITY: UnprocessableEntityError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitError,
}


def error_class(status: int) -> type[APIError]:
    """Return the class of error for an HTTP status that is not 2xx."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    return _BY_STATUS.get(status, APIError)
