"""A TCP proxy that does to a connection what a server cannot do to itself.

It stands between a client and a server, in the loop of the test, and passes bytes on. A `Wire` says what happens
to one connection; a script of several says it for one connection after another, the last for all that follow. What
is under way can be touched through `connections`.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from typing import TYPE_CHECKING, Literal, Self

import attrs
from yarl import URL

from tests.misbehaving import reset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_BLOCK = 64 * 1024

Ending = Literal["fin", "rst", "silence"]
"""What happens to a connection after its last byte; silence keeps it open, and passes nothing on."""


@attrs.frozen(kw_only=True)
class Lane:
    """One direction of a connection.

    Attributes:
        bytes: How many bytes are passed on before the ending; None for all.
        ending: What happens then.
        delay: Seconds that pass before each piece goes on.
        rate: Bytes in a second, at most; None for as many as come.
    """

    bytes: int | None = None
    ending: Ending = "fin"
    delay: float = 0.0
    rate: float | None = None


@attrs.frozen(kw_only=True)
class Wire:
    """What happens to a connection.

    Attributes:
        up: From the client to the server.
        down: From the server to the client.
        deaf: Whether the client's bytes are never even read, and the server not connected to.
    """

    up: Lane = Lane()
    down: Lane = Lane()
    deaf: bool = False


class _ResetError(Exception):
    """The connection is to end in an RST."""


class Connection:
    """A connection through the proxy, as a test can watch and touch it.

    Attributes:
        up: How many bytes went to the server.
        down: How many bytes went to the client.
        task: Passes bytes on until the connection is over.
    """

    def __init__(self, client: socket.socket, wire: Wire, server: tuple[str, int]) -> None:
        self.up = 0
        self.down = 0
        self._wire = wire
        self._client = client
        self._server = socket.socket()
        self._server.setblocking(False)
        self._address = server
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._cut = False
        self._ending: Ending = "fin"
        self.task = asyncio.create_task(self._run())

    @property
    def is_open(self) -> bool:
        """Whether the proxy holds it yet."""
        return not self.task.done()

    def freeze(self) -> None:
        """Pass nothing on, in either direction."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Go on with what was kept back, and with all else."""
        self._flowing.set()

    def half_close(self, side: Literal["up", "down"]) -> None:
        """Send a FIN to the server (up) or to the client (down); the other direction goes on."""
        (self._server if side == "up" else self._client).shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Reset both ends, within a turn or two of the loop."""
        self._ending = "rst"
        self.task.cancel()

    def close(self) -> None:
        """Close both ends, within a turn or two of the loop."""
        self.task.cancel()

    async def _run(self) -> None:
        try:
            await self._flow()
        except* (_ResetError, OSError):
            self._ending = "rst"  # an end that is reset, or not reached, is told to the other end
        finally:
            # Nobody reads from them any more: a socket must not be closed under a reader.
            for sock in (self._client, self._server):
                reset(sock) if self._ending == "rst" else sock.close()

    async def _flow(self) -> None:
        loop = asyncio.get_running_loop()
        if self._wire.deaf:
            await loop.create_future()
        await loop.sock_connect(self._server, self._address)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass("up", self._client, self._server, self._wire.up))
            tasks.create_task(self._pass("down", self._server, self._client, self._wire.down))

    async def _pass(
        self, side: Literal["up", "down"], source: socket.socket, target: socket.socket, lane: Lane
    ) -> None:
        loop, left = asyncio.get_running_loop(), lane.bytes
        size = _BLOCK if lane.rate is None else max(1, int(lane.rate / 10))
        while data := await loop.sock_recv(source, size):
            await asyncio.sleep(lane.delay + (0 if lane.rate is None else len(data) / lane.rate))
            await self._flowing.wait()
            if self._cut:
                continue  # swallowed: closing with unread bytes would send RST instead of FIN
            part = data if left is None else data[:left]
            await loop.sock_sendall(target, part)
            setattr(self, side, getattr(self, side) + len(part))
            if left is not None and not (left := left - len(part)):
                self._end(lane.ending)
        if not self._cut:
            target.shutdown(socket.SHUT_WR)

    def _end(self, ending: Ending) -> None:
        self._cut = True
        if ending == "rst":
            raise _ResetError
        if ending == "fin":
            self.half_close("up")
            self.half_close("down")


class TcpProxy:
    """Passes connections on to a server; leaving it ends them all.

    Args:
        url: Where the server listens; its path is kept in `url`.
        script: What happens to one connection after another, the last to all that follow.
    """

    def __init__(self, url: str | URL, script: Wire | Sequence[Wire] = Wire()) -> None:
        wires = [script] if isinstance(script, Wire) else list(script)
        self.connections: list[Connection] = []
        self._server = URL(url)
        self._address = str(self._server.host), self._server.port or 80
        self._script = itertools.chain(wires, itertools.repeat(wires[-1]))
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._port = 0

    @property
    def url(self) -> URL:
        """The server's URL, through the proxy."""
        return self._server.with_host("127.0.0.1").with_port(self._port)

    async def __aenter__(self) -> Self:
        self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()
        for each in self.connections:
            each.close()
        if self.connections:
            await asyncio.wait([each.task for each in self.connections])

    def listen(self) -> None:
        """Accept connections, again at the same port."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self._port), backlog=1024)
            self._listener.setblocking(False)
            self._port = self._listener.getsockname()[1]
            self._accepting = asyncio.create_task(self._accept(self._listener))

    async def refuse(self) -> None:
        """Refuse new connections; those that stand go on."""
        listener, self._listener = self._listener, None
        if listener is not None and self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
            listener.close()

    def freeze(self) -> None:
        """Freeze every connection that stands."""
        for each in self.connections:
            each.freeze()

    def thaw(self) -> None:
        """Let them go on."""
        for each in self.connections:
            each.thaw()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(listener)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(Connection(sock, next(self._script), self._address))
