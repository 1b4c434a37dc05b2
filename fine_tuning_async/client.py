"""The client: how it is made, what it holds, how it ends."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Self

from attrs import evolve

from ._credentials import AZURE, OPENAI, always
from ._headers import added_headers, default_headers, with_project
from ._options import (
    azure_setting,
    azure_source,
    checked_base_url,
    checked_observer,
    checked_retry,
    checked_source,
    checked_timeout,
    concealed,
    setting,
)
from ._pipeline import Pipeline
from ._secret import Secret
from ._sessions import BorrowedSession, OwnedSessions, SharedSessions
from .api._keys import Keys
from .api.anything import RequestAPI
from .api.checkpoints import CheckpointsAPI
from .api.downloads import DownloadsAPI
from .api.files import FilesAPI
from .api.graders import GradersAPI
from .api.model_registry import ModelRegistryAPI
from .retry import RetryBudget, RetryPolicy
from .transport import AiohttpTransport
from .waiting.methods import WaitingAPI

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    import aiohttp
    from yarl import URL

    from ._credentials import KeyProvider
    from ._reporting import OnAttempt
    from ._sessions import Sessions

__all__ = ["FineTuningClient"]

BASE_URL = "https://api.openai.com/v1"


class FineTuningClient(
    WaitingAPI, CheckpointsAPI, GradersAPI, FilesAPI, DownloadsAPI, ModelRegistryAPI, RequestAPI
):
    """A client for the fine-tuning API of OpenAI, or of any server that speaks it.

    Use it as `async with FineTuningClient() as client:`, or call `close` in the end. It may be made outside a
    running loop, and used in one loop after another. It opens a session on first use, unless it is given one.

    Args:
        api_key: The key, or an async callable that is asked for it before each attempt, and whose own errors come
            out as they are; OPENAI_API_KEY if left out.
        base_url: Where the API is; OPENAI_BASE_URL, or OpenAI's own, if left out.
        organization: Sent as OpenAI-Organization; OPENAI_ORG_ID if left out, nothing if empty.
        project: Sent as OpenAI-Project; OPENAI_PROJECT_ID if left out, nothing if empty.
        headers: Sent with every request.
        session: An aiohttp session to go through. It stays the caller's: it is never closed here, and whatever it
            is set to (timeouts, middlewares, raise_for_status, ...) does not change what the client does.
        timeout: Seconds; the deadline of one call with all its attempts and waits. For an upload or a
            download, the time that may pass without progress.
        retry: How often, and how patiently, a request is sent again.
        on_attempt: Called with an AttemptRecord after each attempt; what it raises is logged and goes no further.

    Raises:
        InvalidArgumentError: There is no key, or an argument cannot be used.
    """

    def __init__(
        self,
        api_key: str | KeyProvider | None = None,
        *,
        base_url: str | URL | None = None,
        organization: str | None = None,
        project: str | None = None,
        headers: Mapping[str, str] | None = None,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 60.0,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        on_attempt: OnAttempt | None = None,
    ) -> None:
        key = concealed(os.environ.get("OPENAI_API_KEY") if api_key is None else api_key)
        del api_key  # so that no frame shows it, whatever is refused below
        self._original: FineTuningClient | None = None
        self._keys = Keys()
        self._sessions: Sessions = OwnedSessions() if session is None else BorrowedSession(session)
        self._pipeline = Pipeline(
            transport=AiohttpTransport(self._sessions),
            base_url=checked_base_url(str(base_url or os.environ.get("OPENAI_BASE_URL") or BASE_URL)),
            key=checked_source(key, OPENAI),
            headers=default_headers(
                setting(organization, "OPENAI_ORG_ID"),
                setting(project, "OPENAI_PROJECT_ID"),
                headers,
            ),
            timeout=checked_timeout(timeout),
            retry=checked_retry(retry),
            budget=RetryBudget(retry.budget),
            on_attempt=checked_observer(on_attempt),
        )

    @classmethod
    def azure(
        cls,
        endpoint: str | URL | None = None,
        api_key: str | None = None,
        *,
        token_provider: KeyProvider | None = None,
        api_version: str | None = None,
        headers: Mapping[str, str] | None = None,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 60.0,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        on_attempt: OnAttempt | None = None,
    ) -> Self:
        """Return a client for Azure OpenAI; nothing that is OpenAI's own is read from the environment.

        AZURE_OPENAI_AD_TOKEN, or else AZURE_OPENAI_API_KEY, stands in for credentials that are left out.

        Args:
            endpoint: The resource's URL, with or without /openai or /openai/v1; AZURE_OPENAI_ENDPOINT if left out.
            api_key: The key, sent in the header api-key.
            token_provider: An async callable, asked for a bearer token before each attempt, in place of a key.
            api_version: A date for the paths under /openai; empty, `v1`, `preview` or `latest` for those under
                /openai/v1. AZURE_OPENAI_API_VERSION or OPENAI_API_VERSION if left out.
            headers: As for the class.
            session: As for the class.
            timeout: As for the class.
            retry: As for the class.
            on_attempt: As for the class.

        Raises:
            InvalidArgumentError: There is no endpoint, no key or two, or an argument cannot be used.
        """
        given = None if api_key is None else concealed(api_key)
        del api_key  # as in __init__
        key = azure_source(given, token_provider)
        where = azure_setting(endpoint, api_version)
        client = cls(
            always(key) if isinstance(key, Secret) else key,
            base_url=where.base_url,
            organization="",
            project="",
            headers=headers,
            session=session,
            timeout=timeout,
            retry=retry,
            on_attempt=on_attempt,
        )
        client._pages_files = where.pages_files
        client._pipeline = evolve(client._pipeline, key=key, scheme=AZURE, query=where.query)
        return client

    def __repr__(self) -> str:
        pipeline: Pipeline | None = getattr(self, "_pipeline", None)  # absent if the construction failed
        return f"{type(self).__name__}(base_url={pipeline.base_url if pipeline else None!r})"

    def __reduce__(self) -> str:
        raise TypeError("a client holds a key and connections, and is not pickled; make one where it is needed")

    async def __aenter__(self) -> Self:
        self._sessions.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        sessions: Sessions | None = getattr(self, "_sessions", None)  # absent if the construction failed
        if sessions is not None and sessions.loops:
            text = f"unclosed {self!r}: use `async with`, or `await client.close()` in the end"
            warnings.warn(text, ResourceWarning, source=self, stacklevel=2)

    async def close(self) -> None:
        """Close the session, if it is the client's own. Closing twice is fine; calls afterwards raise.

        `async with` opens the client again.
        """
        await self._sessions.close()

    def with_options(
        self,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
        retry: RetryPolicy | None = None,
        api_key: str | KeyProvider | None = None,
        project: str | None = None,
    ) -> Self:
        """Return a view of this client with other options, on the same session.

        What is left out stays as it is; `headers` are added. On Azure, a callable as `api_key` gives tokens.
        Closing the view closes nothing but the view.

        Raises:
            InvalidArgumentError: An argument cannot be used.
        """
        key = self._pipeline.key if api_key is None else concealed(api_key)
        del api_key  # as in __init__
        view = object.__new__(type(self))
        vars(view).update(vars(self))
        view._original = self
        view._sessions = SharedSessions(self._sessions)
        old = self._pipeline
        view._pipeline = evolve(
            old,
            transport=AiohttpTransport(view._sessions),
            key=checked_source(key, old.scheme),
            headers=with_project({**old.headers, **added_headers(headers)}, project),
            timeout=old.timeout if timeout is None else checked_timeout(timeout),
            retry=old.retry if retry is None else checked_retry(retry),
            budget=RetryBudget(retry.budget) if retry and retry.budget != old.retry.budget else old.budget,
        )
        return view
