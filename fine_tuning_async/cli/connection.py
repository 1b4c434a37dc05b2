"""Where a command's requests go: the options, and the client that is made of them."""

import os
import sys
import traceback
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from attrs import frozen
from cyclopts import Group, Parameter

from .exits import Exit
from .failure import CommandFailure, Misuse
from .output import complain, harmless

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fine_tuning_async._reporting import OnAttempt
    from fine_tuning_async.client import FineTuningClient
    from fine_tuning_async.retry import AttemptRecord

GROUP = Group("Connection", sort_key=2)
LOCAL_KEY = "no-key-needed"
LOCAL_SPEED = 60.0


@Parameter(name="*", group=GROUP)
@frozen(kw_only=True)
class Connection:
    """The server, and how patiently it is talked to.

    The key is read from the environment alone: on a command line, every user of the machine could see it.
    """

    base_url: Annotated[
        str | None, Parameter(help="Where the API is; OPENAI_BASE_URL, or OpenAI's own, if left out.")
    ] = None
    organization: Annotated[str | None, Parameter(help="OPENAI_ORG_ID if left out.")] = None
    project: Annotated[str | None, Parameter(help="OPENAI_PROJECT_ID if left out.")] = None
    timeout: Annotated[float, Parameter(help="Seconds for one call with all its attempts.")] = 60.0
    azure: Annotated[bool, Parameter(help="Talk to Azure; its AZURE_OPENAI_* variables are read.")] = False
    endpoint: Annotated[str | None, Parameter(help="With --azure: AZURE_OPENAI_ENDPOINT if left out.")] = None
    api_version: Annotated[str | None, Parameter(help="With --azure: AZURE_OPENAI_API_VERSION if left out.")] = (
        None
    )
    local: Annotated[
        bool, Parameter(help="Start a local server for this command: no network, no key, no bill.")
    ] = False
    db: Annotated[
        Path | None, Parameter(help="With --local: a file that keeps its jobs and files for the next time.")
    ] = None
    debug: Annotated[bool, Parameter(help="Tell of each attempt, and of an error all that is known.")] = False

    @property
    def forgets(self) -> bool:
        """Whether what is done is gone when the command ends."""
        return self.local and self.db is None

    @property
    def words(self) -> list[str]:
        """The options that lead to the same server again, word by word."""
        flags = [f"--{name}" for name in ("azure", "local") if getattr(self, name)]
        names = ("base_url", "organization", "project", "endpoint", "api_version", "db")
        given = [(name, getattr(self, name)) for name in names]
        named = [(f"--{name.replace('_', '-')}", str(value)) for name, value in given if value is not None]
        return [*flags, *(word for pair in named for word in pair)]

    @asynccontextmanager
    async def client(self) -> "AsyncIterator[FineTuningClient]":
        """Give a client for the time of the context.

        Raises:
            CommandFailure: The options do not go together, or there is no key.
        """
        self._check()
        try:
            async with self._opened() as client:
                yield client
        except Exception:
            if self.debug:
                traceback.print_exc(file=sys.stderr)
            raise

    def _check(self) -> None:
        chosen = [f"--{name}" for name in ("local", "azure") if getattr(self, name)]
        if self.base_url is not None:
            chosen.append("--base-url")
        if len(chosen) > 1:
            raise Misuse(f"{' and '.join(chosen)} exclude each other: choose one server")
        if not self.azure and (self.endpoint or self.api_version):
            raise Misuse("--endpoint and --api-version are for --azure")
        if not self.local and self.db:
            raise Misuse("--db is for --local")

    @asynccontextmanager
    async def _opened(self) -> "AsyncIterator[FineTuningClient]":
        if self.local:
            async with self._locally() as client:
                yield client
        else:
            async with self._azure() if self.azure else self._openai() as client:
                yield client

    @asynccontextmanager
    async def _locally(self) -> "AsyncIterator[FineTuningClient]":
        from fine_tuning_async.client import FineTuningClient  # noqa: PLC0415 - the help has no need of it
        from fine_tuning_async.server import LocalServer, LocalServerError  # noqa: PLC0415 - for this alone

        try:
            async with (
                LocalServer(db=self.db, speed=LOCAL_SPEED) as server,
                # Empty, so that nothing is taken from the user's own account.
                FineTuningClient(
                    LOCAL_KEY,
                    base_url=server.url,
                    organization="",
                    project="",
                    timeout=self.timeout,
                    on_attempt=self._observer(),
                ) as client,
            ):
                yield client
        except LocalServerError as error:
            raise CommandFailure(str(error)) from error

    def _azure(self) -> "FineTuningClient":
        from fine_tuning_async.client import FineTuningClient  # noqa: PLC0415 - as above

        if not (os.environ.get("AZURE_OPENAI_API_KEY") or os.environ.get("AZURE_OPENAI_AD_TOKEN")):
            raise _keyless("AZURE_OPENAI_API_KEY, or AZURE_OPENAI_AD_TOKEN")
        return FineTuningClient.azure(
            self.endpoint, api_version=self.api_version, timeout=self.timeout, on_attempt=self._observer()
        )

    def _openai(self) -> "FineTuningClient":
        from fine_tuning_async.client import FineTuningClient  # noqa: PLC0415 - as above

        if not os.environ.get("OPENAI_API_KEY"):
            raise _keyless("OPENAI_API_KEY")
        return FineTuningClient(
            base_url=self.base_url,
            organization=self.organization,
            project=self.project,
            timeout=self.timeout,
            on_attempt=self._observer(),
        )

    def _observer(self) -> "OnAttempt | None":
        return _tell_attempt if self.debug else None


def _keyless(variable: str) -> CommandFailure:
    return CommandFailure(f"there is no key: set {variable}, or use --local", exit=Exit.AUTHENTICATION)


def _tell_attempt(record: "AttemptRecord") -> None:
    complain(harmless(str(record)))
