"""What became of an exchange with the server that brought no usable answer."""

from __future__ import annotations

from ._base import FineTuningError

__all__ = [
    "ConnectionFailed",
    "CreateUncertainError",
    "DeadlineExceeded",
    "PaginationError",
    "ResponseFormatError",
]


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
