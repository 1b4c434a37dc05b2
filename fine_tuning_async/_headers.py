"""Headers: what every request carries, and what a caller may add; pure."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping

from ._version import __version__
from .errors import InvalidArgumentError

__all__ = ["added_headers", "checked_headers", "default_headers", "with_project"]

PROJECT = "Openai-Project"

# What carries a key: OpenAI's header, and Azure's.
KEY_HEADERS = frozenset({"Authorization", "Api-Key"})
# What says where a body ends and how it is packed (RFC 9112, 6; RFC 9110, 8.4): only who sends it knows.
FRAMING = frozenset({"Content-Length", "Content-Encoding", "Transfer-Encoding", "Expect", "Trailer", "Upgrade"})


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers, if they can be sent, with their names written in one way.

    Raises:
        InvalidArgumentError: A name or value is no string or holds characters that would start another header.
    """
    if not isinstance(headers, Mapping):
        raise InvalidArgumentError(
            f"headers is a {type(headers).__name__}; it must be a mapping of names to values"
        )
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidArgumentError(f"the header {name!r} is not a pair of strings")
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise InvalidArgumentError(
                f"the header {name!r} has a character in its name or value that none may have"
            )
    return {name.title(): value for name, value in headers.items()}


def default_headers(
    organization: str | None, project: str | None, headers: Mapping[str, str] | None
) -> dict[str, str]:
    """Return what every request of a client carries, the caller's own headers included."""
    agent = f"fine_tuning_async/{__version__} ({platform.python_implementation()}/{platform.python_version()})"
    named = {"OpenAI-Organization": organization, PROJECT: project}
    defaults = {"Accept": "application/json", "User-Agent": agent}
    defaults |= {name: value for name, value in named.items() if value}
    return checked_headers(defaults) | added_headers(headers)


def added_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return headers that a caller adds, checked; the key is not to be among them."""
    added = checked_headers({} if headers is None else headers)
    for name in sorted(KEY_HEADERS & added.keys()):
        raise InvalidArgumentError(
            f"the header {name} is the client's own; pass the key as api_key, to FineTuningClient.azure for Azure"
        )
    for name in sorted(FRAMING & added.keys()):
        raise InvalidArgumentError(f"the header {name} is the client's own: it describes how the request is sent")
    return added


def with_project(headers: Mapping[str, str], project: str | None) -> dict[str, str]:
    """Return the headers of a view; an empty project takes away what the client itself sends."""
    if project is None:
        return dict(headers)
    others = {name: value for name, value in headers.items() if name != PROJECT}
    return others | (checked_headers({PROJECT: project}) if project else {})
