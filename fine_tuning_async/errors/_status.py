"""What the server itself says, by the status of its answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ._base import FineTuningError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServerError",
    "UnprocessableEntityError",
    "error_class",
]


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
