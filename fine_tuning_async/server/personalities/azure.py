"""Azure OpenAI, as its answers were recorded and its specification of 2024-10-21 says."""

from __future__ import annotations

import re
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from aiohttp import web

from fine_tuning_async.server.answers import Problem
from fine_tuning_async.server.ids import Minter
from fine_tuning_async.server.ways import Ways
from fine_tuning_async.server.wording import Wording

from .azure_shapes import SHAPES
from .base import Personality, is_invalid, key_of
from .reshaping import Document, document_of, json_answer, reshaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fine_tuning_async.server.plan import Metrics
    from fine_tuning_async.server.records import Job

_V1 = "/openai/v1"
_NOT_FOUND = "Resource not found"
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_NAMED = frozenset({"v1", "preview", "latest"})

_CODES: Mapping[int, str] = MappingProxyType(
    {400: "invalidPayload", 403: "forbidden", 404: "notFound", 409: "conflict", 500: "internalFailure"}
)
"""The specification's words; for a status that has none, Azure's front door says the number."""

_PREFIXES: Mapping[str, str] = MappingProxyType({"ftckpt_": "ftchkpt-"})


class _Minter(Minter):
    """Ids of 32 hexadecimal digits, models named after the job that made them."""

    def make(self, prefix: str, *place: object, length: int = 24) -> str:
        return self.hexadecimal(_PREFIXES.get(prefix, prefix), *place)

    def _model(self, job: Job, place: object) -> str:
        base, suffix = job.model.partition(".ft-")[0], f"-{job.suffix}" if job.suffix else ""
        return f"{base}.ft-{job.id.removeprefix('ftjob-')}{suffix}"


class _Wording(Wording):
    cancelled: str = "Job canceled."

    def created(self, job: Job) -> tuple[str, ...]:
        return ("Job enqueued. Waiting for jobs ahead to complete.",)

    def validated(self) -> str:
        return "Preprocessing completed."

    def started(self) -> str:
        return "Job started."

    def step(self, figures: Metrics) -> str:
        _, colon, told = super().step(figures).partition(": ")
        return f"Step {figures['step']}{colon}{told}"

    def succeeded(self, job: Job) -> tuple[str, ...]:
        return (
            f"Training tokens billed: {job.trained_tokens}",
            f"Completed results file: {', '.join(job.result_files)}",
            "Job succeeded.",
        )


class _AtTheDoor(Problem):
    """A refusal by the front door, which says a code of its own."""


class Azure(Personality):
    """Azure OpenAI behind its endpoint, with both of its shapes of URL."""

    name: str = "azure"
    home: str = ""
    bases: tuple[str, ...] = (_V1, "/openai")
    ways: Ways = Ways(_Minter, _Wording(), missing="-1", results_while_running=True)

    def admit(self, request: web.Request) -> None:
        """Refuse a version that its path does not have, and a key that is missing or invalid."""
        version, named = request.query.get("api-version"), request.path.startswith(f"{_V1}/")
        if named and version is not None and version not in _NAMED:
            raise _AtTheDoor(400, "API version not supported", code="BadRequest")
        if not named and (version is None or not _DATED.fullmatch(version)):
            # Without a version that it knows, the front door finds nothing.
            raise _AtTheDoor(404, _NOT_FOUND, code="404")
        key = key_of(request)
        if not key or is_invalid(key):
            message = (
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid"
                " key for an active subscription and use a correct regional API endpoint for your resource."
            )
            raise _AtTheDoor(401, message, code="401")

    def hear(self, request: web.Request) -> web.Request:
        """Take away what the dated versions do not know: pages of files."""
        if request.method != "GET" or request.path != "/openai/files":
            return request
        return request.clone(rel_url=request.rel_url.without_query_params("after", "limit", "order"))

    def wanted(self, request: web.Request, body: dict[str, object]) -> dict[str, object]:
        """Read -1 as what it stands for in Azure's own answers; lose what the dated versions do not know."""
        lost = frozenset[str]() if request.path.startswith(f"{_V1}/") else _NOT_DATED
        return {
            name: _automatic(value) if name in _SETTINGS else value
            for name, value in body.items()
            if name not in lost
        }

    def kept(self, body: Mapping[str, object]) -> dict[str, object]:
        """Keep the kind of training."""
        return {"trainingType": body["trainingType"]} if "trainingType" in body else {}

    def idempotency_key(self, request: web.Request) -> str:
        """Return none: nothing says that Azure knows the header."""
        return ""

    def show(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Answer a create with 201 and its place, a delete with 204, everything in Azure's shapes."""
        document = document_of(response)
        if document is None:
            return response
        if request.method == "DELETE":
            return web.Response(status=HTTPStatus.NO_CONTENT)
        shown = reshaped(document, SHAPES)
        if request.path == "/openai/files":
            shown.pop("has_more", None)
        if request.method == "POST" and request.path.endswith(("/files", "/fine_tuning/jobs")):
            return _created(request, shown)
        return json_answer(shown, response.status)

    def explain(self, problem: Problem) -> web.Response:
        """Answer in the envelope of Microsoft's REST guidelines."""
        code, message = problem.error["code"], problem.error["message"]
        if code == "unknown_url":
            code, message = "404", _NOT_FOUND
        elif not isinstance(problem, _AtTheDoor):
            code = _CODES.get(problem.status, str(problem.status))
        return json_answer({"error": {"code": code, "message": message}}, problem.status, problem.headers)

    def headers(self, request_id: str, organization: str) -> dict[str, str]:
        """Name the request, as Azure's front door does, and as the service behind it does."""
        return {"apim-request-id": request_id, "x-request-id": request_id, "x-ms-region": "Local"}


_SETTINGS = frozenset({"method", "hyperparameters"})
_NOT_DATED = frozenset({"metadata"})
"""Fields of a request for a job that the dated versions do not have."""


def _automatic(value: object) -> object:
    if isinstance(value, dict):
        return {name: _automatic(each) for name, each in value.items()}
    return "auto" if value == -1 and not isinstance(value, bool) else value


def _created(request: web.Request, shown: Document) -> web.Response:
    if shown.get("object") == "file":
        shown["status"] = "pending"
    place = f"{request.scheme}://{request.host}{request.path}/{shown['id']}"
    return json_answer(shown, HTTPStatus.CREATED, {"Location": place})
