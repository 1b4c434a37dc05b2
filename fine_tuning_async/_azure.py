"""Where Azure has the API: its two shapes of URL; pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from attrs import frozen

from ._urls import base_url
from .errors import InvalidArgumentError

__all__ = ["AzureAddress", "azure_address"]

NAMES = frozenset({"v1", "preview", "latest"})
"""The versions of the API under /openai/v1, where naming one is optional."""

_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_API = re.compile(r"/openai(/v1)?$", re.IGNORECASE)


@frozen
class AzureAddress:
    """A base URL, and the query that each request carries.

    Attributes:
        pages_files: Whether lists of files come in pages: the dated versions have no `after` for them.
    """

    base_url: str
    query: dict[str, str]
    pages_files: bool


def azure_address(endpoint: str, api_version: str | None) -> AzureAddress:
    """Return where the API of a version is; the endpoint may have a prefix, and may name the API itself.

    Raises:
        InvalidArgumentError: The endpoint is no URL or leads elsewhere, or there can be no such version.
    """
    url = base_url(endpoint, "endpoint")
    path = urlsplit(url).path
    if "/openai/deployments" in path.lower():
        raise InvalidArgumentError(
            f"endpoint {url!r} leads to a deployment, under which no fine-tuning is; leave out all from /openai on"
        )
    named = _API.search(path)
    root = url[: len(url) - len(named[0])] if named else url
    if not api_version or api_version in NAMES:
        return AzureAddress(f"{root}/openai/v1", _query(api_version), pages_files=True)
    if not isinstance(api_version, str) or not _DATED.fullmatch(api_version):
        raise InvalidArgumentError(
            f"api_version is {api_version!r}; it must be a date as in 2024-10-21 or 2025-04-01-preview, one of "
            f"{', '.join(sorted(NAMES))}, or left out"
        )
    if named and named[1]:
        raise InvalidArgumentError(
            f"endpoint {url!r} leads to /openai/v1, which has no version {api_version}; leave out one of the two"
        )
    return AzureAddress(f"{root}/openai", _query(api_version), pages_files=False)


def _query(api_version: str | None) -> dict[str, str]:
    return {"api-version": api_version} if api_version else {}
