"""The options of a client, checked before anything is made of them."""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from . import _azure
from ._credentials import AZURE, always
from ._secret import Secret, checked_key, wrapped
from ._urls import base_url, is_loopback
from .errors import InvalidArgumentError
from .retry import RetryPolicy

if TYPE_CHECKING:
    from yarl import URL

    from ._azure import AzureAddress
    from ._credentials import KeyProvider, Scheme
    from ._reporting import OnAttempt

__all__ = [
    "azure_setting",
    "azure_source",
    "checked_base_url",
    "checked_observer",
    "checked_retry",
    "checked_source",
    "checked_timeout",
    "concealed",
    "setting",
]


def setting(value: str | None, *variables: str) -> str | None:
    """Return an option, or what the first of these variables that is set says where it was left out."""
    named = (os.environ[each] for each in variables if each in os.environ)
    return next(named, None) if value is None else value


def azure_setting(endpoint: str | URL | None, api_version: str | None) -> AzureAddress:
    """Return where Azure's API is, by what was passed or the environment says."""
    where = os.environ.get("AZURE_OPENAI_ENDPOINT") if endpoint is None else str(endpoint)
    if not where:
        raise InvalidArgumentError("there is no endpoint; pass it or set AZURE_OPENAI_ENDPOINT")
    return _azure.azure_address(where, setting(api_version, "AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION"))


def concealed(key: str | KeyProvider | None) -> Secret | KeyProvider:
    """Return a key so that nothing shows it; a callable that gives one stays as it is."""
    return key if callable(key) else wrapped(key)


def checked_source(key: Secret | KeyProvider, scheme: Scheme) -> Secret | KeyProvider:
    """Return what gives the key, if it can be sent."""
    return checked_key(key, scheme.advice) if isinstance(key, Secret) else key


def azure_source(key: Secret | KeyProvider | None, token_provider: KeyProvider | None) -> Secret | KeyProvider:
    """Return what authorises requests to Azure: the one that was passed, else what the environment has.

    A token there goes before a key, as in the official client.
    """
    if key is not None and token_provider is not None:
        raise InvalidArgumentError("api_key and token_provider exclude each other; pass one of them")
    if callable(key) or not (token_provider is None or callable(token_provider)):
        raise InvalidArgumentError("a key is a string, passed as api_key; an async callable is a token_provider")
    if token_provider is not None:
        return token_provider
    token = wrapped(os.environ.get("AZURE_OPENAI_AD_TOKEN"))
    if key is None and token.reveal():
        return always(checked_key(token, AZURE.advice))
    found = concealed(os.environ.get("AZURE_OPENAI_API_KEY")) if key is None else key
    return checked_source(found, AZURE)


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
    if on_attempt is not None and (not callable(on_attempt) or inspect.iscoroutinefunction(on_attempt)):
        raise InvalidArgumentError(
            f"on_attempt is {on_attempt!r}; it must be a plain function, as it is not awaited"
        )
    return on_attempt


def checked_base_url(text: str) -> str:
    """Return a base URL; plain http to another machine warns the first caller from outside of this package."""
    url = base_url(text)
    if url.startswith("http://") and not is_loopback(urlsplit(url).hostname or ""):
        text = f"{url} is plain http: the API key and the data can be read on the way; use https"
        warnings.warn(text, UserWarning, stacklevel=_levels_to_the_caller())
    return url


def _levels_to_the_caller() -> int:
    """Return how many calls up the first one from outside of this package is; `azure` adds one on the way."""
    package = __name__.partition(".")[0]
    frame, levels = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, levels = frame.f_back, levels + 1
    return levels
