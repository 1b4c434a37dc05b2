"""The exceptions for misuse of a local server."""

from __future__ import annotations


class LocalServerError(RuntimeError):
    """A control method was used in a way that cannot work."""


class NotRunningError(LocalServerError):
    """The server must be started, or its app mounted, before this is asked of it."""


class StartError(LocalServerError):
    """The server could not start: the port is taken or the database cannot be used."""


class UnknownJobError(LocalServerError, LookupError):
    """The server holds no job of this id."""


class UnknownWebhookError(LocalServerError, LookupError):
    """The server has no webhook of this URL."""


class JobStateError(LocalServerError):
    """The job's status does not allow this step."""
