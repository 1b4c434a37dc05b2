"""Runs a test that takes `persona` against every kind of server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.personas import PERSONAS

if TYPE_CHECKING:
    from tests.contract.personas import Persona


@pytest.fixture(params=PERSONAS, ids=lambda persona: persona.name)
def persona(request: pytest.FixtureRequest) -> Persona:
    found: Persona = request.param
    return found
