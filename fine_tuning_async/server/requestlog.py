"""The record of the requests that came in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 50_000
"""The newest requests are kept, so that a soak run does not fill the memory."""

LARGEST = 256 * 1024 * 1024
"""Bytes of their bodies; the newest request is kept in any case."""

_SECRET = frozenset({"authorization", "api-key", "cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as the server saw it.

    Attributes:
        method: The HTTP method.
        path: The path, decoded.
        query: The query's pairs; of a key given twice, the last.
        headers: The headers by lower-case name, keys and cookies blotted out.
        body: The body, but empty for an upload.
        size: The number of bytes in the body.
        status: What was answered; 0 where no answer was to leave.
        fault: What went wrong on purpose, by the names of the faults, joined with `+`; None if nothing did.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    size: int
    status: int
    fault: str | None = None

    @property
    def json(self) -> object:
        """The body as JSON, or None where it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


class RequestLog:
    """Requests in the order of their answers."""

    def __init__(self) -> None:
        self._records: deque[RequestRecord] = deque()
        self.total: int = 0
        """How many there were."""
        self._bytes = 0

    def add(self, record: RequestRecord) -> None:
        """Append a record, and forget the oldest ones if they are too many, or their bodies too large."""
        self._records.append(record)
        self.total += 1
        self._bytes += len(record.body)
        while len(self._records) > _LONGEST or (self._bytes > LARGEST and len(self._records) > 1):
            self._bytes -= len(self._records.popleft().body)

    def records(self) -> list[RequestRecord]:
        """Return a copy of the list, oldest first."""
        return list(self._records)

    def newest(self, limit: int) -> list[RequestRecord]:
        """Return the last ones, newest first."""
        return self.records()[: -limit - 1 : -1]

    def clear(self) -> None:
        """Forget all records."""
        self._records.clear()
        self.total = 0
        self._bytes = 0


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers by lower-case name without their secrets."""
    return {name.lower(): "***" if name.lower() in _SECRET else value for name, value in headers.items()}
