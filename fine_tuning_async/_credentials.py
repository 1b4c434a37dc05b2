"""What authorises a request: a key or a token, and the header that a kind of server wants it in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

from ._secret import Authorization, Secret, checked_key, wrapped
from ._values import value
from .errors import ConnectionFailed, InvalidArgumentError

__all__ = ["AZURE", "OPENAI", "KeyProvider", "Scheme", "always", "authorise"]

KeyProvider = Callable[[], Awaitable[str]]

BEARER = ("Authorization", "Bearer ")  # RFC 6750, 2.1


@value
class Scheme:
    """How a kind of server is shown who asks. What a callable gives is a bearer token everywhere.

    Attributes:
        header: The header of a key that is given as it is, and what stands before the key there.
        provider: What callers know the callable as.
        remedy: What to do about a callable that is not async.
        advice: What to do where there is no key.
    """

    header: tuple[str, str]
    provider: str
    remedy: str
    advice: str


OPENAI = Scheme(BEARER, "api_key", "make it `async def`", "pass api_key or set OPENAI_API_KEY")
AZURE = Scheme(
    ("api-key", ""),
    "token_provider",
    "make it `async def`; azure-identity has one in azure.identity.aio",
    "pass api_key or token_provider, or set AZURE_OPENAI_API_KEY",
)


async def authorise(source: KeyProvider, scheme: Scheme, until: float) -> Authorization:
    """Ask a callable for its token; return the header for one attempt.

    Raises:
        ConnectionFailed: The token did not come in time.
        InvalidArgumentError: The callable is not async, or what it gave is no token.
    """
    try:
        async with asyncio.timeout_at(until) as timeout:
            coming: object = source()
            if not isawaitable(coming):
                del coming  # the key itself, it seems, which no frame is to show
                raise InvalidArgumentError(f"the {scheme.provider} callable is not async; {scheme.remedy}")
            return Authorization(*BEARER, checked_key(wrapped(await coming), scheme.advice))
    except TimeoutError:
        if not timeout.expired():
            raise
        raise ConnectionFailed(f"the {scheme.provider} callable gave no key in time", sent=False) from None


def always(secret: Secret) -> KeyProvider:
    """Return a callable that gives the same token each time."""

    async def give() -> str:
        return secret.reveal()

    return give
