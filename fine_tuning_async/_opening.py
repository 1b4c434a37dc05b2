"""How a download is opened: with the key where the API is, without it at the storage to which the API points."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import evolve

from ._ranges import onward
from ._wire import MAX_REDIRECTS, Response, decipher
from .errors import APIError, FineTuningError, ResponseFormatError

if TYPE_CHECKING:
    from ._arriving import Arriving
    from ._pipeline import Pipeline
    from ._secret import Secret
    from ._wire import Request
    from .transport import Parcel

__all__ = ["opened"]


async def opened(pipeline: Pipeline, request: Request, until: float) -> tuple[Arriving, Secret]:
    """Send a request, once to each place that it is redirected to; return the answer of a success, and the key.

    Raises:
        APIError: It was answered with an error status.
        ConnectionFailed: No answer came.
        ResponseFormatError: It was redirected to where it must not go, or too often.
    """
    parcel, secret = await pipeline.prepare(request, until)
    failure: FineTuningError
    try:
        arriving = await _follow(pipeline, request, parcel)
        if HTTPStatus.OK <= arriving.status < HTTPStatus.MULTIPLE_CHOICES:
            return arriving, secret
        failure = await _refusal(pipeline, request, arriving, secret)
    except FineTuningError as error:
        failure = error
    secret.redact_error(failure)
    # Raised out here, without the frames that have seen the storage's URL: its query opens the file to anybody.
    raise failure.with_traceback(None)


async def _refusal(pipeline: Pipeline, request: Request, arriving: Arriving, secret: Secret) -> APIError:
    try:
        body = await arriving.excerpt(pipeline.timeout)
    finally:
        arriving.close()
    answer = Response(arriving.status, arriving.headers, body)
    error = decipher(answer, request, secret=secret, now=time.time())
    assert isinstance(error, APIError)
    return error


async def _follow(pipeline: Pipeline, request: Request, parcel: Parcel) -> Arriving:
    for _ in range(MAX_REDIRECTS + 1):
        arriving = await pipeline.transport.open(parcel)
        try:
            target = onward(parcel.url, arriving.status, arriving.headers)
        except BaseException:
            arriving.close()
            raise
        if target is None:
            return arriving
        arriving.close()
        parcel = evolve(parcel, url=target[0])
        if not target[1]:
            # Nothing of the caller's goes along: neither the key nor the organisation, nor headers of its own.
            parcel = evolve(parcel, headers=request.headers, authorization=None)
    raise ResponseFormatError(f"{request} was redirected more than {MAX_REDIRECTS} times")
