"""What a server of this API is to its clients, beyond the state that it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.server.answers import Problem, answer_problem
from fine_tuning_async.server.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

_VISIBLE = 7
"""Characters of a refused key that are repeated, as the API does."""

FIELDS = frozenset(
    {
        *("model", "training_file", "validation_file", "method", "hyperparameters"),
        *("suffix", "seed", "integrations", "metadata"),
    }
)
"""What the specification has in a request for a job."""


class Personality:
    """OpenAI itself. Another kind of server differs where it says so, and nowhere else.

    Attributes:
        name: What `like` calls it.
        home: The path that a client's base URL ends with.
        bases: The paths under which the API stands.
        ways: What differs in the life of a job.
    """

    name: str = "openai"
    home: str = "/v1"
    bases: tuple[str, ...] = ("/v1", "/openai/v1")  # OpenAI's, then the one that Azure puts after its endpoint
    ways: Ways = Ways()

    def admit(self, request: web.Request) -> None:
        """Refuse a request without a key, or with one that says itself that it is invalid.

        Raises:
            Problem: It is refused.
        """
        key = key_of(request)
        if not key:
            message = (
                "You didn't provide an API key. Send it in an Authorization header with Bearer auth"
                " (i.e. Authorization: Bearer YOUR_KEY)."
            )
            raise Problem(401, message, code="invalid_api_key")
        if is_invalid(key):
            raise Problem(401, f"Incorrect API key provided: {key[:_VISIBLE]}***.", code="invalid_api_key")

    def hear(self, request: web.Request) -> web.Request:
        """Return a request as the handlers are to see it."""
        return request

    def wanted(self, request: web.Request, body: dict[str, object]) -> dict[str, object]:
        """Return the body of a request for a job as the handler is to see it."""
        return body

    def kept(self, body: Mapping[str, object]) -> dict[str, object]:
        """Return the fields of a request for a job that the job shows, although nothing is done with them."""
        return {}

    def idempotency_key(self, request: web.Request) -> str:
        """Return the key under which a job is made once; empty for none."""
        return request.headers.get("Idempotency-Key", "")

    def show(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Return the answer of a handler as the client is to see it."""
        return response

    def explain(self, problem: Problem) -> web.Response:
        """Return the answer to a request that is refused, or that failed."""
        return answer_problem(problem)

    def headers(self, request_id: str, organization: str) -> dict[str, str]:
        """Return what each answer carries."""
        return {"x-request-id": request_id, "openai-organization": organization, "openai-version": "2020-10-01"}


def key_of(request: web.Request) -> str:
    """Return the key of a request: a bearer token, or else Azure's header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("api-key", "").strip()


def is_invalid(key: str) -> bool:
    """Tell whether a key says itself that it is invalid."""
    return key.startswith("sk-invalid")
