"""A started server with a plain HTTP client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


@pytest.fixture
def api(server: LocalServer) -> Api:
    return Api(server.url)
