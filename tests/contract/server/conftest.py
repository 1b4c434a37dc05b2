"""A started server with a plain HTTP client, whose every answer is held against the specification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import Api
from tests.specification import SPEC, Witness

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


@pytest.fixture
def api(server: LocalServer) -> Api:
    # Other personalities answer in other shapes.
    specified = SPEC.exists() and server.url.endswith("/v1") and "/gateway/" not in server.url
    return Api(server.url, Witness() if specified else None)
