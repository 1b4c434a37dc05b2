"""A gateway before the API, as LiteLLM's pass-through was measured (1.106): it loses things and adds others."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from aiohttp import web

from fine_tuning_async.server.answers import Problem

from .base import FIELDS, Personality, is_invalid, key_of
from .reshaping import Document, document_of, json_answer, reshaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .reshaping import Shape

_PREFIX = "/gateway"
_JOBS = "/fine_tuning/jobs"
_PAGE = 20


class _OwnProblem(Problem):
    """A refusal of the gateway's own, not of the API behind it."""


class Gateway(Personality):
    """A gateway under a prefix. The API behind it is OpenAI's."""

    name: str = "gateway"
    home: str = f"{_PREFIX}/v1"
    bases: tuple[str, ...] = (f"{_PREFIX}/v1",)

    def admit(self, request: web.Request) -> None:
        """Refuse a key that is missing, or that the gateway would have to look up in a database."""
        key = key_of(request)
        if not key:
            raise _OwnProblem(401, "Authentication Error, No api key passed in.", param="None", kind="auth_error")
        if is_invalid(key):
            raise _OwnProblem(400, "No connected db.", kind="no_db_connection")

    def wanted(self, request: web.Request, body: dict[str, object]) -> dict[str, object]:
        """Lose the metadata: the job is made without."""
        return {name: value for name, value in body.items() if name != "metadata"}

    def kept(self, body: Mapping[str, object]) -> dict[str, object]:
        """Keep every field that the API does not have."""
        return {name: value for name, value in body.items() if name not in FIELDS}

    def idempotency_key(self, request: web.Request) -> str:
        """Return none: the client's own headers go no further."""
        return ""

    def show(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Say in each object where it comes from, and of most lists not, or not rightly, whether they go on."""
        document = document_of(response)
        if document is None:
            return response
        shown = reshaped(document, _SHAPES)
        if request.method == "GET" and request.path == f"{self.home}{_JOBS}":
            shown["has_more"] = _is_full(shown, request)
        return json_answer(shown, response.status)

    def explain(self, problem: Problem) -> web.Response:
        """Answer in one of three ways: the API's error as Python writes it, text that is no JSON, or a detail."""
        if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return web.Response(
                body=b"Internal Server Error", status=problem.status, content_type="application/json"
            )
        if problem.error["code"] in {"unknown_url", "method_not_supported"}:
            detail = "Not Found" if problem.error["code"] == "unknown_url" else "Method Not Allowed"
            return json_answer({"detail": detail}, problem.status)
        message = problem.error["message"]
        if not isinstance(problem, _OwnProblem):
            message = f"Error code: {problem.status} - { ({'error': problem.error})!r}"
        error = {**problem.error, "message": message, "code": str(problem.status)}
        return json_answer({"error": error}, problem.status, problem.headers)

    def headers(self, request_id: str, organization: str) -> dict[str, str]:
        """Give the request an id of the gateway's beside that of the API."""
        call_id = request_id.removeprefix("req_")
        return {**super().headers(request_id, organization), "x-litellm-call-id": call_id}


def _marked(document: Document) -> Document:
    return {**document, "custom_llm_provider": "openai"}


def _model(model: Document) -> Document:
    return {**model, "mode": "chat", "max_input_tokens": 128_000, "max_output_tokens": 16_384}


def _list(page: Document) -> Document:
    """Leave out whether events and checkpoints go on."""
    kinds = {each.get("object") for each in _items(page)}
    if kinds & {"fine_tuning.job.event", "fine_tuning.job.checkpoint"}:
        return {name: value for name, value in page.items() if name != "has_more"}
    return page


def _is_full(page: Document, request: web.Request) -> bool:
    """Tell whether a page is full, which the gateway takes for a sign that another follows."""
    return len(_items(page)) == int(request.query.get("limit", _PAGE))


def _items(page: Document) -> list[Document]:
    items = page["data"]
    assert isinstance(items, list)
    return items


_SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "fine_tuning.job": _marked,
        "fine_tuning.job.event": _marked,
        "fine_tuning.job.checkpoint": _marked,
        "file": _marked,
        "checkpoint.permission": _marked,
        "model": _model,
        "list": _list,
    }
)
