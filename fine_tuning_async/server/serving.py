"""The listening socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from .app import build_app
from .connection import Connection
from .context import HOST, SERVICE, TRAFFIC
from .errors import StartError
from .faults import Faults
from .personalities import personality
from .service import Service
from .training.simulation import real

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from .personalities import Like
    from .store.opening import Sync
    from .training import Trainer

LOOPBACK = "127.0.0.1"

MAX_BODY = 512 * 1024 * 1024
"""The API's own limit of a plain file upload."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE = 0.5
"""Seconds for requests in flight at a stop."""

_HASTE = 0.1
"""Seconds for their answers to leave; aiohttp waits so long twice, so a stop stays under one second."""

_GRACE = 0.05
"""Seconds in which the request of a client that has just connected arrives."""

_TURNS = 5
"""Turns of the loop in which a connection that was accepted gets its handler."""

_BACKLOG = 1024


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve an application in the running loop; yields its base URL.

    Raises:
        StartError: The port is taken, or the address cannot be listened on.
    """
    listener = bound(host, port)
    app[HOST] = host
    runner, transports = web.AppRunner(app, shutdown_timeout=_HASTE), set[asyncio.Transport]()
    try:
        await runner.setup()
        assert runner.server is not None
        loop = asyncio.get_running_loop()
        connect = partial(Connection, runner.server, app[SERVICE], loop, transports)
        server = await loop.create_server(connect, sock=listener, backlog=_BACKLOG)
        yield url_of(host, listener.getsockname()[1], app[SERVICE].personality.home)
        app[TRAFFIC].end()
        await _settle(listener)
        server.close()
        await asyncio.sleep(_GRACE if transports else 0)
        await app[TRAFFIC].ebb(_PATIENCE)
    finally:
        await runner.cleanup()
        listener.close()
        await _cut_off(transports)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    Raises:
        StartError: The port is taken, or the address cannot be listened on.
    """
    try:
        host.encode("idna")  # as is done below, where a socket stays open if it fails
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else error
        raise StartError(f"cannot listen on {host}:{port}: {reason}") from error


def url_of(host: str, port: int, home: str) -> str:
    """Return what a client is told as its base URL."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{home}"


async def _settle(listener: socket.socket) -> None:
    """Accept nothing more, then let each connection that was accepted get its handler.

    A server that is closed in between leaves the connection's socket open (CPython 3.11).
    """
    with suppress(NotImplementedError):
        asyncio.get_running_loop().remove_reader(listener)
    with suppress(OSError):
        # Who comes now is refused at once, and not left to wait for a reset.
        listener.shutdown(socket.SHUT_RDWR)
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def _cut_off(transports: set[asyncio.Transport]) -> None:
    """Close the connections of clients that do not read what they have asked for: else they would stay open."""
    for transport in transports:
        transport.abort()
    await asyncio.sleep(0)


async def serve(  # noqa: PLR0913 - what LocalServer takes, and who is told
    *,
    host: str = LOOPBACK,
    port: int = 0,
    db: str | None = None,
    seed: int = 0,
    speed: float | None = None,
    max_body: int = MAX_BODY,
    webhooks: Sequence[str] = (),
    webhook_secret: str | None = None,
    like: Like = "openai",
    sync: Sync = "normal",
    trainer: Trainer | None = None,
    workers: int = 1,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve in the running loop until SIGINT or SIGTERM, or until cancelled.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        db: The database's file, or None for memory.
        seed: What ids and losses are drawn from.
        speed: Simulated seconds in one second; None keeps the clock still.
        max_body: The largest file that may be uploaded in one piece, in bytes.
        webhooks: URLs that are told of the end of each job.
        webhook_secret: What deliveries are signed with; None takes one for each URL, and announces it.
        like: The kind of server: openai, azure or gateway.
        sync: What an answered request survives in `db`: `normal` the death of the process, `full` a power cut too.
        trainer: What trains the jobs; None simulates it.
        workers: How many jobs a trainer has at once.
        announce: Called with the line `listening on URL`, then with one for each webhook; by default they are
            printed at once.

    Raises:
        StartError: The port is taken, the database cannot be used, or a webhook's URL or secret is none.
        ValueError: There is no such kind of server, or of `sync`.
    """
    done = asyncio.Event()
    service = Service(db, seed, speed, personality(like), sync, real(trainer))
    announce, secrets = announce or say, _added(service, webhooks, webhook_secret)
    app = build_app(service, max_body, Faults(), workers)
    # Up to the end of the stop: a second signal hastens nothing that takes less than a second.
    with signals_call(done.set):
        async with listening(app, host, port) as url:
            announce(f"listening on {url}")
            for receiver, secret in secrets.items():
                announce(f"webhook {receiver} signed with {'the secret given' if webhook_secret else secret}")
            await done.wait()


def _added(service: Service, webhooks: Sequence[str], secret: str | None) -> dict[str, str]:
    """Add webhooks; return the secret of each."""
    try:
        return {url: service.add_webhook(url, secret, None) for url in webhooks}
    except ValueError as error:
        raise StartError(str(error)) from error


@contextmanager
def signals_call(callback: Callable[[], None]) -> Iterator[None]:
    """Call back at SIGINT or SIGTERM while the block runs."""
    loop = asyncio.get_running_loop()
    # Where a loop cannot watch signals (Windows), KeyboardInterrupt cancels what runs in it instead.
    with suppress(NotImplementedError):
        for number in _SIGNALS:
            loop.add_signal_handler(number, callback)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for number in _SIGNALS:
                loop.remove_signal_handler(number)


def say(line: str) -> None:
    """Print a line at once: whoever has started the server may read it from a pipe."""
    print(line, flush=True)  # noqa: T201 - the line is the command's output
