"""The kinds of server that the client is held against: how one is reached, and where it rightly differs.

A test that takes `persona` runs once for each. What it expects is OpenAI's, passed through the table here.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from attrs import evolve, field, frozen

from fine_tuning_async import AuthenticationError, BadRequestError, FineTuningClient
from fine_tuning_async.server import LocalServer
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiohttp.typedefs import Middleware

    from fine_tuning_async import APIError, File

KEY = "sk-of-the-client"


@frozen(kw_only=True)
class Persona:
    """A kind of server, with what is expected of it.

    Attributes:
        base: The path under which the API stands there.
        version: The version that an Azure client asks for.
        statuses: Its words for a job's status; OpenAI's where it has none.
        keeps_metadata: Whether a job has the metadata that it was created with.
        refusal: How a wrong key is refused, and what the error says.
        unknown_url: What an error about a path that does not exist says as its code.
        codes: What errors say as their code, by status; OpenAI's own code where nothing is said.
        names_parameters: Whether errors say which parameter is at fault.
        pages_files: Whether lists of files come in pages.
        dates_models: Whether models say when they were made, and whose they are.
        first_and_last_event: What the events of a job that succeeded begin and end with.
    """

    name: str
    like: Literal["openai", "azure", "gateway"] = "openai"
    base: str = "/v1"
    version: str | None = None
    statuses: Mapping[str, str] = field(factory=dict)
    keeps_metadata: bool = True
    refusal: tuple[type[APIError], str] = (AuthenticationError, "Check the key")
    unknown_url: str | None = "unknown_url"
    codes: Mapping[int, str] = field(factory=dict)
    names_parameters: bool = True
    pages_files: bool = True
    dates_models: bool = True
    answers_deletes: bool = True
    first_and_last_event: tuple[str, str] = (
        "Created fine-tuning job: ",
        "The job has successfully completed",
    )

    def client(self, origin: str) -> FineTuningClient:
        """Return a client for the server at this origin."""
        if self.like == "azure":
            return FineTuningClient.azure(origin, KEY, api_version=self.version)
        return FineTuningClient(KEY, base_url=f"{origin}{self.base}")

    def query(self, **own: str) -> dict[str, str]:
        """Return the query that a request arrives with."""
        return own if self.version is None else {"api-version": self.version, **own}

    def status(self, status: str) -> str:
        """Return the server's word for a status."""
        return self.statuses.get(status, status)

    def kept(self, metadata: dict[str, str]) -> dict[str, str] | None:
        """Return what becomes of a job's metadata."""
        return metadata if self.keeps_metadata else None

    def code(self, status: int, code: str | None) -> str | None:
        """Return the code of an error."""
        return self.codes.get(status, code)

    def param(self, param: str) -> str | None:
        """Return the parameter that an error names."""
        return param if self.names_parameters else None

    def settled(self, file: File) -> File:
        """Return an uploaded file as it is looked at later."""
        return evolve(file, status="processed")


_AZURE_CODES = {400: "invalidPayload", 401: "401", 404: "notFound"}
_AZURE_STATUSES = {"validating_files": "pending", "cancelled": "canceled"}
_AZURE_EVENTS = ("Job enqueued. Waiting for jobs ahead to complete.", "Job succeeded.")

OPENAI = Persona(name="openai")
"""For tests that are not about what a server says, or take their time."""

PERSONAS = (
    OPENAI,
    Persona(
        name="azure",
        like="azure",
        base="/openai/v1",
        statuses=_AZURE_STATUSES,
        codes=_AZURE_CODES,
        # The front door says the number.
        unknown_url="404",
        # Microsoft's guidelines have an error's code and message alone.
        names_parameters=False,
        # Its models tell of capabilities and of a lifecycle instead.
        dates_models=False,
        # 204, which says no more.
        answers_deletes=False,
        first_and_last_event=_AZURE_EVENTS,
    ),
    Persona(
        name="azure-dated",
        like="azure",
        base="/openai",
        version="2024-10-21",
        statuses=_AZURE_STATUSES,
        codes=_AZURE_CODES,
        unknown_url="404",
        names_parameters=False,
        # The specification of these versions has no metadata, and no `after` or `limit` for files.
        keeps_metadata=False,
        pages_files=False,
        dates_models=False,
        answers_deletes=False,
        first_and_last_event=_AZURE_EVENTS,
    ),
    Persona(
        name="gateway",
        like="gateway",
        base="/gateway/v1",
        # It takes metadata out of what it passes on: then a search for some finds nothing.
        keeps_metadata=False,
        # It looks for a key that it does not know in a database that it does not have.
        refusal=(BadRequestError, "No connected db"),
        # Its own errors have a `detail` and nothing else.
        unknown_url=None,
        # It repeats the status, and writes the API's own error into the message.
        codes={400: "400", 404: "404"},
    ),
)


PAGING_FILES = tuple(each for each in PERSONAS if each.pages_files)


@asynccontextmanager
async def local(persona: Persona, *middlewares: Middleware) -> AsyncIterator[tuple[FineTuningClient, LocalServer]]:
    """A client with a local server of this kind in the same loop; middlewares stand right before its handlers."""
    server = LocalServer(like=persona.like)
    server.app.middlewares.extend(middlewares)
    async with mounted(server.app, "") as origin, persona.client(origin) as client:
        yield client, server
