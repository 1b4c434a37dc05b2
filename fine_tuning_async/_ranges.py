"""Downloads in parts: what an answer holds of a file, how to ask for the rest, where to be redirected; pure."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import inf
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from attrs import frozen

from ._urls import origin
from ._wire import REDIRECTS
from .errors import ResponseFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Part", "described", "from_byte", "is_strong", "onward"]

WHOLE = frozenset({HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION})
_CONTENT_RANGE = re.compile(r"bytes +(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)

_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_STRONG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"|[A-Z][^"/]*')  # an ETag that is not weak, or a date


@frozen
class Part:
    """What an answer holds of a file.

    Attributes:
        start: Its first byte's place in the file.
        stop: The place behind its last byte, or None if it does not say.
        total: The size of the file, or None if it does not say.
        validator: What tells this content from others: an ETag, or a date that is as good as one.
        encoded: Whether it comes in another form than that of the file, so that places mean nothing.
    """

    start: int
    stop: int | None
    total: int | None
    validator: str | None
    encoded: bool = False

    @property
    def size(self) -> int | None:
        """How many bytes it holds, or None if it does not say."""
        return None if self.stop is None else self.stop - self.start


def described(status: int, headers: Mapping[str, str], now: float) -> Part:
    """Return what a successful answer holds.

    Raises:
        ResponseFormatError: It is neither a whole file nor one part of one.
    """
    encoded = headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}
    validator = None if encoded else _validator(headers, now)
    if status in WHOLE:
        length = None if encoded else _length(headers)
        return Part(0, length, length, validator, encoded)
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if status != HTTPStatus.PARTIAL_CONTENT or found is None:
        raise ResponseFormatError(f"a file was asked for, and answered with status {status} and no content of it")
    start, last, size = found.groups()
    total = None if size == "*" else int(size)
    part = Part(int(start), int(last) + 1, total, validator, encoded)
    length = _length(headers)
    if not int(start) <= int(last) < (inf if total is None else total) or length not in {None, part.size}:
        raise ResponseFormatError(f"the answer says that it holds {found.group()!r}, and its length denies it")
    return part


def is_strong(validator: str | None) -> bool:
    """Tell whether what bears the same validator is the same byte for byte (RFC 9110, 8.8.1)."""
    return validator is not None and _STRONG.fullmatch(validator) is not None


def from_byte(start: int, validator: str) -> dict[str, str]:
    """Return the headers that ask for a file from a byte on, or for the whole if it has changed meanwhile."""
    return {"Range": f"bytes={start}-", "If-Range": validator}


def onward(url: str, status: int, headers: Mapping[str, str]) -> tuple[str, bool] | None:
    """Return where a download goes on, and whether credentials may go along; None if it is no redirect.

    Raises:
        ResponseFormatError: It leads out of TLS, to what is no web server, or to a URL with credentials in it.
    """
    location = headers.get("Location")
    if status not in REDIRECTS or location is None:
        return None
    try:
        target = urljoin(url, location)
        scheme, host, _ = origin(target)
    except ValueError:
        host = None
    # aiohttp would read these otherwise than urlsplit, which decides here who may see the key.
    if host is None or _UNSAFE.search(location):
        raise ResponseFormatError("the download was redirected to what is no URL of a web server") from None
    if "@" in urlsplit(target).netloc:
        # RFC 9110, 4.2.4: such a URL is to be taken for an error. Not shown: they are credentials.
        raise ResponseFormatError("the download was redirected to a URL with credentials in it: not followed")
    if scheme not in {"http", "https"} or (urlsplit(url).scheme, scheme) == ("https", "http"):
        # Without its query: it may be a signature that opens the file to whoever has it.
        raise ResponseFormatError(
            f"the download was redirected from {urlsplit(url).scheme} to {scheme}://{host}, which is not followed"
        )
    return target.partition("#")[0], origin(target) == origin(url)


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("Content-Length", "")
    # RFC 9112, 6.3: a transfer coding overrides it.
    return int(text) if re.fullmatch(r"\d{1,18}", text) and "Transfer-Encoding" not in headers else None


def _validator(headers: Mapping[str, str], now: float) -> str | None:
    """Return the ETag, or a date that is as good as a strong one (RFC 9110, 8.8.2.2 and 13.1.5)."""
    modified = headers.get("Last-Modified")
    if "ETag" in headers or modified is None:
        return headers.get("ETag")
    try:
        changed = parsedate_to_datetime(modified).timestamp()
        answered = parsedate_to_datetime(headers["Date"]).timestamp() if "Date" in headers else now
    except (ValueError, OverflowError):
        return None
    # Within the same second, the file may change again without its date.
    return modified if answered - changed >= 1 else None
