"""Bytes on a socket, for what no HTTP client would send."""

from __future__ import annotations

import json
import re
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = b"Host: x\r\nAuthorization: Bearer k\r\n"
PATIENCE = 10.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


class Reply:
    """Everything that a server has sent until it closed.

    Attributes:
        statuses: Those of all answers.
        last: The body of the last one.
    """

    def __init__(self, received: bytes) -> None:
        self.statuses = [int(status) for status in _STATUS.findall(received)]
        self.last = received.rpartition(b"\r\n\r\n")[2]

    @property
    def error(self) -> Any:
        return json.loads(self.last)["error"]


def request(line: str, *headers: str, body: bytes = b"", close: bool = True) -> bytes:
    """A request with these headers beside those that it needs."""
    lines = [*headers, *(["Connection: close"] if close else [])]
    head = f"{line} HTTP/1.1\r\n".encode() + HEAD + "".join(f"{each}\r\n" for each in lines).encode("latin-1")
    return head + b"\r\n" + body


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A POST with a length."""
    return request(f"POST {path}", f"Content-Length: {len(body)}", *headers, body=body)


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """A connection to a server."""
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), PATIENCE) as connection:
        yield connection


def exchange(url: str, data: bytes, *, half: bool = False) -> Reply:
    """Send bytes, then the end if `half`; return what has come when the server closes."""
    received = b""
    with connected(url) as connection, suppress(ConnectionError):
        connection.sendall(data)
        if half:
            connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65536):
            received += chunk
    return Reply(received)


def reading(connection: socket.socket) -> Reply:
    """Return what comes first, which is to be one small answer."""
    return Reply(connection.recv(65536))
