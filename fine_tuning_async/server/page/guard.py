"""Who may look at the server and steer it: no web site that is open in the same browser."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from fine_tuning_async.server.answers import Problem
from fine_tuning_async.server.context import HOST, READS, is_control, is_page

from .document import answer_page

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_OWN = frozenset({"same-origin", "none"})
"""What a browser says of a request by the page itself, or by its user (Fetch Metadata, section 2.3)."""


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a foreign web site sends to look or to steer; answer `/` in a browser with the page."""
    if not is_control(request):
        return await handler(request)
    _check(request)
    return answer_page() if is_page(request) else await handler(request)


def _check(request: web.Request) -> None:
    # A site whose name was made to lead here (DNS rebinding) has the server's own origin, and gives itself away by
    # that name. What reads is held to it always; what writes only with an Origin, which a browser sends with it: a
    # program may well know the server by another name.
    origin = request.headers.get("Origin")
    if (request.method in READS or origin is not None) and not _is_own(request.host, request.app.get(HOST)):
        raise _refused(f"it names the server {request.host[:100]!r}: use an IP address, or localhost")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise _refused("it comes from another web site")
    site = request.headers.get("Sec-Fetch-Site", "none")
    # To follow a link to the page is no harm.
    if site not in _OWN and not is_page(request):
        raise _refused("it comes from another web site")


def _is_own(host: str, listening_on: str | None) -> bool:
    """Tell whether a Host header names the server as nobody else can name it."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in {"localhost", listening_on} or name.endswith(".localhost"):
        return True
    # Containers beside it know a server that listens for them by a name without a dot, which no web site has.
    return _is_address(name) or (bool(name) and "." not in name and not _is_loopback(listening_on))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(listening_on: str | None) -> bool:
    """Tell whether it listens for this machine alone, as far as is known."""
    if listening_on is None or listening_on == "localhost":
        return True
    return _is_address(listening_on) and ip_address(listening_on).is_loopback


def _refused(why: str) -> Problem:
    return Problem(403, f"This request may not steer or look at the server: {why}.", code="foreign_origin")
