"""Calls that have no method of their own."""

from __future__ import annotations

from collections.abc import Mapping

from fine_tuning_async._headers import added_headers
from fine_tuning_async._urls import relative_path
from fine_tuning_async._wire import Replay, Request, Response
from fine_tuning_async.errors import InvalidArgumentError

from ._base import BaseAPI

__all__ = ["RequestAPI"]

# Methods that a server answers alike however often it gets them (RFC 9110, 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
METHODS = IDEMPOTENT | {"POST", "PATCH"}


class RequestAPI(BaseAPI):
    """Any request."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Call what this client has no method for, with its authorisation, deadline, retries and errors.

        GET, HEAD, OPTIONS, PUT and DELETE are sent again after any failure that may pass; POST and PATCH only
        where the server certainly did not act.

        Args:
            method: The HTTP method.
            path: Behind the base URL, as in `/fine_tuning/jobs`.
            params: The query.
            json: The body.
            headers: Sent with this request.

        Raises:
            InvalidArgumentError: The request cannot be sent.
            APIError: The server answered with an error status.
            ConnectionFailed: No answer came.
            DeadlineExceeded: Time ran out.
            ResponseFormatError: The answer is larger than 64 MiB.
            ClientStateError: The client is closed, or its session belongs to another loop.
        """
        if not isinstance(method, str) or method.upper() not in METHODS:
            raise InvalidArgumentError(f"method is {method!r}; it must be one of {', '.join(sorted(METHODS))}")
        _check_params(params)
        return await self._pipeline.call(
            Request(
                method=method.upper(),
                path=relative_path(path),
                query=params or {},
                json=json,
                headers=added_headers(headers),
                replay=Replay.SAFE if method.upper() in IDEMPOTENT else Replay.ONCE,
            ),
            parse=lambda response: response,
        )


def _check_params(params: object) -> None:
    if params is None:
        return
    if not isinstance(params, Mapping):
        raise InvalidArgumentError(f"params is {params!r}; it must be a mapping of names to values")
    for name, value in params.items():
        if not isinstance(name, str) or not isinstance(value, str | int) or isinstance(value, bool):
            raise InvalidArgumentError(f"params[{name!r}] is {value!r}; names and values must be strings")
