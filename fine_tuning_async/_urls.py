"""URLs: what a caller may put into one, and how it is quoted; pure."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote, urlsplit

from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["base_url", "is_loopback", "origin", "query_string", "relative_path", "segment"]

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")  # alone it cannot be encoded; one set of both is slow to be compiled

_EXAMPLES = {"base_url": "https://api.openai.com/v1", "endpoint": "https://my-resource.openai.azure.com"}


def base_url(text: str, name: str = "base_url") -> str:
    """Return a base URL without its trailing slash; `name` is what the caller calls it.

    Raises:
        InvalidArgumentError: It is no absolute http or https URL, or carries credentials, a query or a fragment.
    """
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except (ValueError, TypeError, AttributeError) as error:
        # A password with a slash in it looks like a port.
        shown = "..." if "@" in str(text) else f"{text!r}: {error}"
        raise InvalidArgumentError(f"{name} is no URL: {shown}") from None
    if parts.username is not None or parts.password is not None:
        raise InvalidArgumentError(f"{name} holds credentials; pass the key as api_key")
    if parts.scheme not in {"http", "https"} or not host or _is_unsafe(text):
        raise InvalidArgumentError(f"{name} {text!r} is no http or https URL, such as {_EXAMPLES[name]}")
    if "?" in text or "#" in text:
        # Not shown: some gateways take a key in the query.
        raise InvalidArgumentError(f"{name} has a query or a fragment; only a path may follow the host")
    return text.rstrip("/")


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port, which together decide who may see credentials (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, as far as its name says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, 6.3


def segment(value: str, name: str, *, slash: bool = False) -> str:
    """Quote an identifier for use as one segment of a path.

    Raises:
        InvalidArgumentError: It is empty, holds a dot segment, white space or control characters, or a slash that
            is not allowed.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(
            f"{name} is a {type(value).__name__}; it must be a string: pass the object's `id`"
        )
    if not value:
        raise InvalidArgumentError(f"{name} is empty; it must be an id")
    if _PLAIN.fullmatch(value):  # as nearly all are
        return value
    # Gateways may unquote a slash before they look for dot segments.
    dots = any(each in {".", ".."} for each in re.split(r"[/\\]", value))
    if dots or _is_unsafe(value) or ("/" in value and not slash):
        raise InvalidArgumentError(f"{name} is {value!r}, which cannot be an id; take it from the object's `id`")
    return quote(value, safe=":@!$&'()*+,;=~")


def query_string(query: Mapping[str, str]) -> str:
    """Write a query as forms are written (HTML, application/x-www-form-urlencoded).

    Raises:
        UnicodeEncodeError: It holds a lone surrogate.
    """
    return "&".join([f"{_in_query(str(name))}={_in_query(str(value))}" for name, value in query.items()])


def _in_query(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote_plus(text)


def relative_path(path: str) -> str:
    """Check and quote a path that the caller wrote; sequences that are quoted already stay as they are.

    Raises:
        InvalidArgumentError: It is a whole URL, climbs with `..`, holds a query, a fragment or control characters.
    """
    if not isinstance(path, str) or "://" in path or path.startswith("//"):
        raise InvalidArgumentError(
            f"path is {path!r}; it must be relative to the base URL, as in /fine_tuning/jobs"
        )
    if _is_unsafe(path) or "\\" in path:
        raise InvalidArgumentError(f"path is {path!r}; white space and control characters must be quoted")
    if "?" in path or "#" in path:
        raise InvalidArgumentError(f"path is {path!r}; a path ends before ? and #; pass a query as params")
    if any(each in {".", ".."} for each in re.split(r"[/\\]", unquote(path))):
        raise InvalidArgumentError(f"path is {path!r}; dot segments would leave the base URL")
    return "/" + quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~")


def _is_unsafe(text: str) -> bool:
    return bool(_CONTROL.search(text) or _SURROGATE.search(text))
