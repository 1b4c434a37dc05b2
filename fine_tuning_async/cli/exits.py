"""Exit codes: what the command's end tells a script."""

from __future__ import annotations

from enum import IntEnum

from fine_tuning_async.errors import (
    APIError,
    AuthenticationError,
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)

from .failure import CommandFailure


class Exit(IntEnum):
    """How the command ends."""

    OK = 0
    FAILURE = 1
    """A job failed or was cancelled, a data set is bad, the server refused: the answer is no."""
    USAGE = 2
    AUTHENTICATION = 3
    NOT_FOUND = 4
    NETWORK = 5
    """Nobody answered in time, or whoever did asks to come back later."""
    INTERRUPTED = 130
    """128 + SIGINT, as a shell reports a process that Ctrl-C ended."""
    BROKEN_PIPE = 141
    """128 + SIGPIPE, likewise."""


# From the special to the general: the first class that fits decides.
_EXITS: tuple[tuple[type[Exception], Exit], ...] = (
    (InvalidArgumentError, Exit.USAGE),
    (AuthenticationError, Exit.AUTHENTICATION),
    (PermissionDeniedError, Exit.AUTHENTICATION),
    (NotFoundError, Exit.NOT_FOUND),
    (RateLimitError, Exit.NETWORK),
    (ServerError, Exit.NETWORK),
    (APIError, Exit.FAILURE),
    (ConnectionFailed, Exit.NETWORK),
    (DeadlineExceeded, Exit.NETWORK),
    (CreateUncertainError, Exit.NETWORK),
)


def exit_of(error: BaseException) -> Exit:
    """Return the exit code for an error."""
    if isinstance(error, CommandFailure):
        return Exit(error.exit)
    return next((code for kind, code in _EXITS if isinstance(error, kind)), Exit.FAILURE)
