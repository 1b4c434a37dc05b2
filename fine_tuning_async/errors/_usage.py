"""What is wrong on this side: an argument, a file, the state of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ._base import FineTuningError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ClientStateError",
    "DatasetError",
    "DestinationError",
    "IdempotencyKeyReusedError",
    "InvalidArgumentError",
    "SourceNotFoundError",
]


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
