"""The wire side of a call: requests before they are sent, answers after they arrived; pure."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from attrs import define, evolve, field
from multidict import CIMultiDict

from ._document import decode
from ._urls import origin, query_string
from ._values import value
from .errors import APIError, InvalidArgumentError, ResponseFormatError, error_class

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from ._secret import Secret

__all__ = [
    "MAX_REDIRECTS",
    "Body",
    "Replay",
    "Request",
    "Response",
    "decipher",
    "redirect",
    "retry_after",
]

REQUEST_ID_HEADERS = ("x-request-id", "apim-request-id")  # OpenAI; Azure
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
EXCERPT = 300
LONGEST_SHOWN = 2_000  # characters of the server's own words
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})
OK, MULTIPLE_CHOICES = int(HTTPStatus.OK), int(HTTPStatus.MULTIPLE_CHOICES)  # an enum is slow to be asked


class Replay(Enum):
    """What may happen to a request whose first sending came to nothing certain."""

    SAFE = "may be sent again after any failure"
    ONCE = "may be sent again only if the server certainly did not act on it"
    GONE = "may be sent again after any failure; that there is no such thing is then what was asked for"


@value
class Body:
    """A request body that is streamed: made anew by `chunks` for each attempt."""

    content_type: str
    size: int
    chunks: Callable[[], AsyncGenerator[bytes]]


@value(kw_only=True)
class Request:
    """One intent of the caller; sent once or, if need be, several times."""

    method: str
    path: str
    query: Mapping[str, str] = NOTHING_MORE
    json: object = None
    body: Body | None = None
    headers: Mapping[str, str] = NOTHING_MORE
    replay: Replay = Replay.SAFE

    @property
    def target(self) -> str:
        """The path with its query, to be put behind the base URL.

        Raises:
            InvalidArgumentError: The query cannot be encoded.
        """
        try:
            return f"{self.path}?{query_string(self.query)}" if self.query else self.path
        except UnicodeEncodeError as error:
            raise InvalidArgumentError(
                f"the query {self.query!r} holds a character that no URL can: {error}"
            ) from None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@define
class Response:
    """An answer: status, headers and the whole body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with headers of its own, because those of aiohttp are a view, which does not pickle."""
        return type(self), (self.status, CIMultiDict(self.headers), self.body)

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it gave one."""
        for name in REQUEST_ID_HEADERS:
            if (given := self.headers.get(name)) is not None:
                return given
        return None

    def json(self) -> object:
        """Decode the body.

        Raises:
            ResponseFormatError: The body is no JSON.
        """
        return decode(self.body, request_id=self.request_id)


def redirect(url: str, method: str, response: Response) -> str | None:
    """Return the URL to go on with, or None if the answer is no redirect that credentials may follow.

    Within one origin a read follows any redirect, and other methods those that keep the method (RFC 9110, 15.4).
    """
    if response.status not in REDIRECTS or (location := response.headers.get("Location")) is None:
        return None
    if method not in {"GET", "HEAD"} and response.status not in {307, 308}:
        return None
    try:
        target = urljoin(url, location)
        return target if origin(target) == origin(url) else None
    except ValueError:  # no URL at all
        return None


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


def decipher(response: Response, request: object, *, secret: Secret, now: float) -> Response | APIError:
    """Return the answer if it is a success, else the error that it stands for."""
    if OK <= response.status < MULTIPLE_CHOICES:
        return response
    body = secret.redact(response.body)
    # Once more behind the JSON, whose escapes can hide the key in the body.
    fields = {name: secret.redact_text(text) for name, text in _error_fields(body).items()}
    message = fields.get("message") or _excerpt(body)
    redacted = {name: secret.redact_text(value) for name, value in response.headers.items()}
    response = evolve(response, headers=CIMultiDict(redacted))
    request_id = response.request_id
    named = f" (request {request_id})" if request_id else ""
    wait = retry_after(response.headers, now)
    asked = f"it asks to wait {wait:.6g} s" if wait else ""
    said = _joined(_shortened(message), asked, _advice(response))
    return error_class(response.status)(
        f"{request} was answered with {response.status}{named}: {said}",
        status=response.status,
        message=message,
        code=fields.get("code"),
        param=fields.get("param"),
        type=fields.get("type"),
        request_id=request_id,
        headers=response.headers,
        body=body,
        retry_after=wait,
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
        return {"message": document}
    if not isinstance(document, dict):
        return {}
    named = {name: document.get(name) for name in ("message", "code", "param", "type")}
    if named["param"] == "None":  # seen from gateways written in Python
        named["param"] = None
    said = {name: value for name, value in named.items() if value != "" and not isinstance(value, bool)}
    return {name: str(value) for name, value in said.items() if isinstance(value, str | int)}


def _shortened(text: str, length: int = LONGEST_SHOWN) -> str:
    return text if len(text) <= length else f"{text[:length]}..."


def _excerpt(body: bytes) -> str:
    text = " ".join(body[: EXCERPT * 4].decode("utf-8", "replace").split())
    return _shortened(text, EXCERPT) if text else "the body is empty"


_ADVICE = {
    401: "check the key",
    403: "this key may not do that: check its project and permissions",
    404: (
        "check the id, that the key belongs to the same project, and that base_url is right (most end in /v1), or "
        "the endpoint and its api_version"
    ),
    409: "look at the state that the object is in before you try again",
    413: "send less at once",
    422: "correct what the message names",
    429: "wait, send less at once, or ask for a higher limit",
}


def _advice(response: Response) -> str:
    if response.status in REDIRECTS:
        where = response.headers.get("Location", "nowhere")
        return f"redirected to {where}, which is not followed with credentials: set base_url to where the API is"
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "the server failed, not the request: try again later"
    return _ADVICE.get(response.status, "")


def _joined(said: str, *more: str) -> str:
    """Add clauses of ours to the server's words, which may be a sentence or not."""
    added = "; ".join(filter(None, more))
    if not added:
        return said
    return f"{said} {added[0].upper()}{added[1:]}" if said.endswith((".", "!", "?")) else f"{said}; {added}"
