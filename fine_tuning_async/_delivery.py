"""What an error of aiohttp says about the request: whether it can have arrived."""

from __future__ import annotations

import errno
import re

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from .errors import ConnectionFailed, FineTuningError

__all__ = ["DELIVERY", "FOREIGN", "explained"]

FOREIGN = (FineTuningError, aiohttp.ClientError, TimeoutError, OSError, ValueError, RuntimeError)
"""All that an exchange may raise; the library's own errors come from bodies that it reads or sends."""

_QUERY = re.compile(r"(://[^\s?'\"]*)\?[^\s'\"]*")

HANGING_UP = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})

# What each of aiohttp's errors says about a request: False, it certainly did not reach the server; True, it
# certainly did; None, nobody knows. The first row that fits holds, so that children stand before their parents.
DELIVERY: tuple[tuple[type[BaseException], bool | None, str], ...] = (
    (aiohttp.ConnectionTimeoutError, False, "no connection was made in time"),
    (aiohttp.ClientConnectorDNSError, False, "the host name was not resolved"),
    (aiohttp.ClientConnectorCertificateError, False, "the server's certificate was not accepted"),
    (aiohttp.ClientConnectorSSLError, False, "no TLS connection was made"),
    (aiohttp.ClientProxyConnectionError, False, "the proxy was not reached"),
    (aiohttp.ClientConnectorError, False, "the server was not reached"),
    (aiohttp.ClientHttpProxyError, False, "the proxy refused to connect"),
    (aiohttp.InvalidURL, False, "aiohttp refused the URL"),
    (aiohttp.ServerTimeoutError, None, "the server fell silent"),
    (aiohttp.ServerDisconnectedError, None, "the server closed the connection without an answer"),
    (aiohttp.ClientPayloadError, True, "the answer broke off"),
    (aiohttp.ClientResponseError, True, "the answer was no HTTP"),
    (aiohttp.ClientOSError, None, "the connection broke"),
    (aiohttp.ClientError, None, "aiohttp failed"),
)


def explained(
    error: Exception, what: object, tracker: aiohttp.UploadTracker, *, closed: bool
) -> tuple[FineTuningError, BaseException | None]:
    """Return what an error of an exchange means for the caller, and the cause to be shown with it.

    `closed` tells that it was our own session that was closed meanwhile.
    """
    if isinstance(error, FineTuningError):
        return error, error.__cause__
    if isinstance(error, aiohttp.ClientError):
        return _translated(error, what, tracker, closed=closed), _scrubbed(error)
    if isinstance(error, TimeoutError):
        return _timed_out(what, tracker), _scrubbed(error)
    return ConnectionFailed(f"{what}: {error}", sent=_perhaps(tracker)), _scrubbed(error)


def _timed_out(what: object, tracker: aiohttp.UploadTracker) -> ConnectionFailed:
    """Return what it means that our own time ran out."""
    sent = _perhaps(tracker)
    text = "no connection was made in time" if sent is False else "no answer came in time"
    return ConnectionFailed(f"{what}: {text}", sent=sent)


def _translated(
    error: aiohttp.ClientError, what: object, tracker: aiohttp.UploadTracker, *, closed: bool
) -> ConnectionFailed:
    """Return what an error says; `closed` tells that it was our own session that was closed meanwhile."""
    sent, text = next((sent, text) for kind, sent, text in DELIVERY if isinstance(error, kind))
    if sent is None:
        sent = _perhaps(tracker)
    if sent is False:
        text += "; check base_url, the network, and whether the server is up"
    hung_up = isinstance(error, aiohttp.ServerDisconnectedError) or getattr(error, "errno", None) in HANGING_UP
    return ConnectionFailed(f"{what}: {text} ({_words(error)})", sent=sent, ended=hung_up and not closed)


def _words(error: BaseException) -> str:
    # The text of a ClientResponseError names its URL alone; its repr, which is never used, holds the headers. The
    # query goes: a URL that a download was redirected to is signed there.
    text = " ".join(_QUERY.sub(r"\1", str(error)).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}..."  # noqa: PLR2004 - long enough for any sensible text


def _perhaps(tracker: aiohttp.UploadTracker) -> bool | None:
    """Return False if nothing of the request can have left the machine, else None."""
    done = tracker.upload_complete
    left = tracker.bytes_written > 0 or not done.done() or done.exception() is None
    return None if left else False


def _scrubbed(error: BaseException) -> BaseException:
    """Take out of an error, and out of all errors that led to it, what has seen the key."""
    found, seen = [error], set[int]()
    while found:
        each = found.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        each.__traceback__ = None
        if isinstance(each, aiohttp.ClientResponseError):
            _strip(each)
        found += [led for led in (each.__cause__, each.__context__) if led is not None]
    return error


def _strip(error: aiohttp.ClientResponseError) -> None:
    url = error.request_info.url.with_query(None)
    bare = aiohttp.RequestInfo(url, error.request_info.method, CIMultiDictProxy(CIMultiDict()), url)
    error.request_info, error.history, error.headers = bare, (), None
    error.args = (bare, ())
