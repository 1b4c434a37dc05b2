"""The options of a client, checked before anything is made of them."""

from __future__ import annotations

import os
import sys
import warnings
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ._secret import Secret, checked_key, wrapped
from ._urls import base_url, is_loopback
from .errors import InvalidArgumentError
from .retry import RetryPolicy

if TYPE_CHECKING:
    from ._pipeline import KeyProvider, OnAttempt

__all__ = [
    "checked_base_url",
    "checked_observer",
    "checked_retry",
    "checked_source",
    "checked_timeout",
    "concealed",
    "setting",
]


def setting(value: str | None, variable: str) -> str | None:
    """Return an option, or what the environment says where it was left out."""
    return os.environ.get(variable) if value is None else value


def concealed(key: str | KeyProvider | None) -> Secret | KeyProvider:
    """Return a key so that nothing shows it; a callable that gives one stays as it is."""
    return key if callable(key) else wrapped(key)


def checked_source(key: Secret | KeyProvider) -> Secret | KeyProvider:
    """Return what gives the key, if it can be sent."""
    return checked_key(key) if isinstance(key, Secret) else key


def checked_timeout(timeout: float) -> float:
    """Return a number of seconds above 0."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= sys.float_info.max:
        raise InvalidArgumentError(f"timeout is {timeout!r}; it must be a number of seconds above 0")
    return float(timeout)


def checked_retry(retry: RetryPolicy) -> RetryPolicy:
    """Return a policy, if it is one."""
    if not isinstance(retry, RetryPolicy):
        raise InvalidArgumentError(f"retry is {retry!r}; it must be a RetryPolicy, as in RetryPolicy(attempts=3)")
    return retry


def checked_observer(on_attempt: OnAttempt | None) -> OnAttempt | None:
    """Return a plain function, or None."""
    if on_attempt is not None and (not callable(on_attempt) or iscoroutinefunction(on_attempt)):
        raise InvalidArgumentError(
            f"on_attempt is {on_attempt!r}; it must be a plain function, as it is not awaited"
        )
    return on_attempt


def checked_base_url(text: str) -> str:
    """Return a base URL; plain http to another machine warns the caller of the caller."""
    url = base_url(text)
    if url.startswith("http://") and not is_loopback(urlsplit(url).hostname or ""):
        text = f"{url} is plain http: the API key and the data can be read on the way; use https"
        warnings.warn(text, UserWarning, stacklevel=3)
    return url
