"""Answers taken apart, and put together in other shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson
from aiohttp import web

Document = dict[str, object]
Shape = Callable[[Document], Document]


def document_of(response: web.StreamResponse) -> Document | None:
    """Return the JSON object that an answer holds; None of any other answer."""
    if not isinstance(response, web.Response) or response.content_type != "application/json":
        return None
    document = orjson.loads(response.body) if isinstance(response.body, bytes) else None
    return document if isinstance(document, dict) else None


def reshaped(document: Document, shapes: Mapping[str, Shape]) -> Document:
    """Return an object in the shape that the table has for its kind; of a list, each item too."""
    items = document.get("data")
    if document.get("object") == "list" and isinstance(items, list):
        document = {**document, "data": [reshaped(each, shapes) for each in items]}
    shape = shapes.get(str(document.get("object")))
    return shape(document) if shape else document


def json_answer(document: Document, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with a JSON object."""
    body = orjson.dumps(document)
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
