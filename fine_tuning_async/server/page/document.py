"""The page itself: one document that fetches nothing but what happens here."""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from importlib.resources import files

from aiohttp import web

_PARTS = files(__name__.rpartition(".")[0]) / "data"


def answer_page() -> web.Response:
    """Answer with the page."""
    body, headers = _document()
    return web.Response(body=body, headers=headers, content_type="text/html", charset="utf-8")


@cache
def _document() -> tuple[bytes, dict[str, str]]:
    style, script = _read("page.css"), _read("page.js")
    page = _read("page.html").replace("/* style */", style).replace("/* script */", script)
    # Only these two may act, by their digests; nothing is loaded, and nothing framed.
    policy = (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        f" img-src data:; style-src {_digest(style)}; script-src {_digest(script)}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return page.encode(), headers


def _read(name: str) -> str:
    return (_PARTS / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
