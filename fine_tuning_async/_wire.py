"""The wire side of a call: requests before they are sent, answers after they arrived; pure."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from attrs import define, evolve, field, frozen
from multidict import CIMultiDict

from ._document import decode
from .errors import APIError, InvalidArgumentError, ResponseFormatError, error_class

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

__all__ = [
    "Authorization",
    "Body",
    "Replay",
    "Request",
    "Response",
    "Secret",
    "base_url",
    "decipher",
    "redirect",
    "segment",
]

REQUEST_ID_HEADERS = ("x-request-id", "apim-request-id")  # OpenAI; Azure
REDIRECTS = frozenset({301, 302, 303, 307, 308})
EXCERPT = 300
# A shorter key, such as those that local servers are given, guards nothing, and may be part of any word.
SHORTEST_SECRET = 6
_UNSAFE = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")  # a lone surrogate cannot be encoded


class Replay(Enum):
    """What may happen to a request whose first sending came to nothing certain."""

    SAFE = "may be sent again after any failure"
    ONCE = "may be sent again only if the server certainly did not act on it"


class Secret:
    """A value that no repr, pickle or traceback shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")

    def reveal(self) -> str:
        """Return the value."""
        return self._value

    def redact(self, text: bytes) -> bytes:
        """Return the text without the value, should a server have echoed it."""
        if len(self._value) < SHORTEST_SECRET:
            return text
        return text.replace(self._value.encode(), b"[redacted]")

    def redact_text(self, text: str) -> str:
        """Return the text without the value; a header may hold bytes that are no UTF-8 (PEP 383)."""
        return self.redact(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


@frozen
class Authorization:
    """The header that carries the key."""

    name: str
    scheme: str
    secret: Secret

    def reveal(self) -> str:
        """Return the header's value."""
        return self.scheme + self.secret.reveal()


@frozen
class Body:
    """A request body that is streamed: made anew by `chunks` for each attempt."""

    content_type: str
    size: int
    chunks: Callable[[], AsyncGenerator[bytes]]


@frozen(kw_only=True)
class Request:
    """One intent of the caller; sent once or, if need be, several times."""

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict)
    json: object = None
    body: Body | None = None
    headers: Mapping[str, str] = field(factory=dict)
    replay: Replay = Replay.SAFE

    @property
    def target(self) -> str:
        """The path with its query, to be put behind the base URL."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@define
class Response:
    """An answer: status, headers and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it gave one."""
        for name in REQUEST_ID_HEADERS:
            if (value := self.headers.get(name)) is not None:
                return value
        return None

    def json(self) -> object:
        """Decode the body.

        Raises:
            ResponseFormatError: The body is no JSON.
        """
        return decode(self.body, request_id=self.request_id)


# ---------------------------------------------------------------------------------------------- URLs


def base_url(text: str) -> str:
    """Return a base URL without its trailing slash.

    Raises:
        InvalidArgumentError: It is no absolute http or https URL, or carries credentials, a query or a fragment.
    """
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except (ValueError, TypeError, AttributeError) as error:
        # A password with a slash in it looks like a port.
        shown = "..." if "@" in str(text) else f"{text!r}: {error}"
        raise InvalidArgumentError(f"base_url is no URL: {shown}") from None
    if parts.username is not None or parts.password is not None:
        raise InvalidArgumentError("base_url holds credentials; pass the key as api_key")
    if parts.scheme not in {"http", "https"} or not host or _UNSAFE.search(text):
        raise InvalidArgumentError(f"base_url {text!r} is no absolute URL, such as https://api.openai.com/v1")
    if "?" in text or "#" in text:
        # Not shown: some gateways take a key in the query.
        raise InvalidArgumentError("base_url has a query or a fragment; only a path may follow the host")
    return text.rstrip("/")


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port, which together decide who may see credentials (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def segment(value: str, name: str, *, slash: bool = False) -> str:
    """Quote an identifier for use as one segment of a path.

    Raises:
        InvalidArgumentError: It is empty, a dot segment, or holds a slash, white space or control characters.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} is {value!r}; it must be a string: pass the id of the object")
    if not value:
        raise InvalidArgumentError(f"{name} is empty; it must be an id")
    if value in {".", ".."} or _UNSAFE.search(value) or ("/" in value and not slash):
        raise InvalidArgumentError(f"{name} is {value!r}, which cannot be an id; take it from the object's `id`")
    return quote(value, safe=":@!$&'()*+,;=~")


def relative_path(path: str) -> str:
    """Check and quote a path that the caller wrote; sequences that are quoted already stay as they are.

    Raises:
        InvalidArgumentError: It is a whole URL, climbs with `..`, holds a query, a fragment or control characters.
    """
    if not isinstance(path, str) or "://" in path or path.startswith("//"):
        raise InvalidArgumentError(
            f"path is {path!r}; it must be relative to the base URL, as in /fine_tuning/jobs"
        )
    if _UNSAFE.search(path) or "\\" in path:
        raise InvalidArgumentError(f"path is {path!r}; white space and control characters must be quoted")
    if "?" in path or "#" in path:
        raise InvalidArgumentError(f"path is {path!r}; pass what follows the question mark as params")
    if any(each in {".", ".."} for each in re.split(r"[/\\]", unquote(path))):
        raise InvalidArgumentError(f"path is {path!r}; dot segments would leave the base URL")
    return "/" + quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~")


def redirect(url: str, method: str, response: Response) -> str | None:
    """Return the URL to go on with, or None if the answer is no redirect that credentials may follow.

    Within one origin a read follows any redirect, and other methods those that keep the method (RFC 9110, 15.4).
    """
    location = response.headers.get("Location")
    if response.status not in REDIRECTS or location is None:
        return None
    if method not in {"GET", "HEAD"} and response.status not in {307, 308}:
        return None
    try:
        target = urljoin(url, location)
        return target if origin(target) == origin(url) else None
    except ValueError:  # no URL at all
        return None


# ---------------------------------------------------------------------------------------------- headers


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers, if they can be sent, with their names written in one way.

    Raises:
        InvalidArgumentError: A name or value is no string or holds characters that would start another header.
    """
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidArgumentError(f"the header {name!r} is not a pair of strings")
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\r\n\x00]", value):
            raise InvalidArgumentError(
                f"the header {name!r} has a character in its name or value that none may have"
            )
    return {name.title(): value for name, value in headers.items()}


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a server asks to wait: `retry-after-ms`, or `Retry-After` as seconds or date."""
    if (milliseconds := _positive(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    if text is None or (seconds := _positive(text)) is not None:
        return None if text is None else seconds
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _positive(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


# ---------------------------------------------------------------------------------------------- answers


def decipher(response: Response, request: object, *, secret: Secret, now: float) -> Response | APIError:
    """Return the answer if it is a success, else the error that it stands for."""
    if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        return response
    body = secret.redact(response.body)
    # Once more behind the JSON, whose escapes can hide the key in the body.
    fields = {name: secret.redact_text(text) for name, text in _error_fields(body).items()}
    message = fields.get("message") or _excerpt(body)
    redacted = {name: secret.redact_text(value) for name, value in response.headers.items()}
    response = evolve(response, headers=CIMultiDict(redacted))
    request_id = response.request_id
    named = f" (request {request_id})" if request_id else ""
    return error_class(response.status)(
        f"{request} was answered with {response.status}{named}: {message}{_advice(response)}",
        status=response.status,
        message=message,
        code=fields.get("code"),
        param=fields.get("param"),
        type=fields.get("type"),
        request_id=request_id,
        headers=response.headers,
        body=body,
        retry_after=retry_after(response.headers, now),
    )


def _error_fields(body: bytes) -> dict[str, str]:
    """Read the error envelope, in any of the forms that servers and gateways send."""
    try:
        document = decode(body)
    except ResponseFormatError:
        return {}
    if isinstance(document, dict):
        document = document.get("error") or document.get("detail") or document
    if isinstance(document, str):
        return {"message": document[:EXCERPT]}
    if not isinstance(document, dict):
        return {}
    named = {name: document.get(name) for name in ("message", "code", "param", "type")}
    if named["param"] == "None":  # seen from gateways written in Python
        named["param"] = None
    return {name: str(value) for name, value in named.items() if isinstance(value, str | int) and value != ""}


def _excerpt(body: bytes) -> str:
    text = " ".join(body[: EXCERPT * 4].decode("utf-8", "replace").split())
    if not text:
        return "the body is empty"
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}..."


_ADVICE = {
    401: "check the key",
    403: "this key may not do that: check its project and permissions",
    404: "check the id, and that the key belongs to the same project",
}


def _advice(response: Response) -> str:
    if response.status in REDIRECTS:
        where = response.headers.get("Location", "nowhere")
        return f"; redirected to {where}, which is not followed with credentials: set base_url to where the API is"
    advice = _ADVICE.get(response.status)
    return f"; {advice}" if advice else ""


def multipart(fields: Iterable[tuple[str, str]], filename: str, boundary: str) -> tuple[str, bytes, bytes]:
    """Return content type, and what goes before and after a file in a multipart form (RFC 7578)."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    ]
    # The WHATWG form submission rules say how a file name with quotes or line breaks is written.
    name = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return (
        f"multipart/form-data; boundary={boundary}",
        # A file name that is no UTF-8 comes as surrogates (PEP 383); the server gets question marks for them.
        "".join(parts).encode("utf-8", "replace"),
        f"\r\n--{boundary}--\r\n".encode(),
    )
