"""The environment variables that clients of this API read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["KEY", "lead_to"]

KEY = "local-key"
"""Any key will do."""

_OPENAI = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
_AZURE = ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_API_VERSION")
_BOTH = ("OPENAI_API_VERSION",)


def lead_to(url: str, like: str, patch: pytest.MonkeyPatch) -> None:
    """Lead clients that are made without arguments to a server, and those of the other vendor nowhere."""
    for name in (*_OPENAI, *_AZURE, *_BOTH):
        patch.delenv(name, raising=False)
    address, key, *_ = _AZURE if like == "azure" else _OPENAI
    patch.setenv(address, url)
    patch.setenv(key, KEY)
