"""Receives webhooks over HTTP, in a thread, with the standard library alone."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_PATIENCE = 30
"""Seconds after which a delivery is not coming any more."""


class Receiver:
    """Takes deliveries in while it is open."""

    def __init__(self) -> None:
        self._arrived: SimpleQueue[tuple[bytes, dict[str, str]]] = SimpleQueue()
        arrived = self._arrived

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                arrived.put((body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of its parameter
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def next(self) -> tuple[bytes, dict[str, str]]:
        """Return the body and the headers of the oldest delivery that was not returned yet."""
        return self._arrived.get(timeout=_PATIENCE)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
