"""The pytest plugin: a local server and a client for each test that asks for them.

It is found by installing the package. Until a test asks for a fixture, nothing but this package is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ._environment import lead_to
from ._settings import INI, MARKER, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fine_tuning_async.client import FineTuningClient
    from fine_tuning_async.server import LocalServer

    from ._servers import Servers

__all__ = ["fine_tuning_client", "fine_tuning_server", "pytest_addoption", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the ini file."""
    for name, text in INI.items():
        parser.addini(name, text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def _fine_tuning_servers() -> Iterator[Servers]:
    """Keep the servers of this process: one for each kind that was asked for."""
    from ._servers import Servers  # noqa: PLC0415 - aiohttp comes with it

    servers = Servers()
    yield servers
    servers.stop()


@pytest.fixture
def fine_tuning_server(request: pytest.FixtureRequest, _fine_tuning_servers: Servers) -> Iterator[LocalServer]:
    """Give a local server that has just begun: no job, no file, no request, the time that it is now.

    Its clock stands still but for `advance`. Clients that are made without arguments find it in the environment,
    and nothing else. `@pytest.mark.fine_tuning(like=, seed=, advance_per_poll=, environment=)` changes what it is.
    """
    settings = settings_of(request)
    server = _fine_tuning_servers.fresh(settings)
    with pytest.MonkeyPatch.context() as patch:
        if settings.environment:
            lead_to(server.url, settings.like, patch)
        yield server


@pytest.fixture
def fine_tuning_client(
    request: pytest.FixtureRequest, fine_tuning_server: LocalServer
) -> Iterator[FineTuningClient]:
    """Give a client of `fine_tuning_server`, unopened; what the test opens with it is closed in the end.

    It retries as often as any client does, but after waits of milliseconds.
    """
    from ._clients import client_of, closed_in_the_end, refuse_trio  # noqa: PLC0415 - as above

    refuse_trio(request)
    with closed_in_the_end(client_of(fine_tuning_server.url, settings_of(request).like)) as client:
        yield client
