"""A raw TCP server that breaks HTTP in every way a client has to survive.

A script is one behaviour, or several: one per exchange in the order in which exchanges begin, the last one for
all that follow. An exchange begins when a connection is accepted and, on a connection kept alive, when the next
request's first bytes arrive. A behaviour is any coroutine function that takes an `Exchange`, so tests can write
their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import select
import socket
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, Self

import attrs
from multidict import CIMultiDict
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    Behaviour = Callable[["Exchange"], Awaitable[None]]

_BLOCK = bytes(64 * 1024)
_CHUNK = 1024 * 1024
_LINGER_ZERO = struct.pack("ii", 1, 0)


class _NotHttpError(Exception):
    """The client sent something else than an HTTP request."""


class _ClosedError(Exception):
    """The connection is gone: nothing more can be read from it."""


@attrs.frozen
class ReceivedRequest:
    """A request that arrived whole; `connection` counts from 1."""

    method: str
    target: str
    headers: CIMultiDict[str]
    body: bytes
    connection: int


class _Connection:
    """Bytes in and out of one accepted socket, without any transport in between."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.number = number
        self.is_open = True
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._buffer = b""

    async def wait_for_bytes(self) -> None:
        if not self._buffer:
            await self._fill()

    async def read_until(self, separator: bytes) -> bytes:
        while separator not in self._buffer:
            await self._fill()
        line, _, self._buffer = self._buffer.partition(separator)
        return line

    async def read_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._fill()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    async def write(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._sock, data)

    async def finish(self) -> None:
        self.is_open = False
        self._sock.shutdown(socket.SHUT_WR)
        # Closing with unread bytes would send RST instead of FIN.
        while await self._loop.sock_recv(self._sock, len(_BLOCK)):
            pass

    def reset(self) -> None:
        self.is_open = False
        reset(self._sock)

    def close(self) -> None:
        self.is_open = False
        self._sock.close()

    async def _fill(self) -> None:
        data = await self._loop.sock_recv(self._sock, len(_BLOCK))
        if not data:
            raise _ClosedError
        if not self._buffer and data[:1] == b"\x16":  # the type of a TLS record that holds a handshake
            raise _NotHttpError
        self._buffer += data


class Exchange:
    """What a behaviour acts on: one request, read on demand, and the connection it came on."""

    def __init__(self, connection: _Connection, requests: list[ReceivedRequest]) -> None:
        self.request: ReceivedRequest | None = None
        self._connection = connection
        self._requests = requests

    async def receive(self) -> ReceivedRequest:
        """Read the request to its end, once, and record it in `server.requests`."""
        if self.request is None:
            self.request = await self._read_request()
            self._requests.append(self.request)
        return self.request

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self._connection.write(data)

    async def send_head(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Read the request, and send a status line and headers."""
        await self.receive()
        await self.send(_head(status, headers or {}))

    async def send_chunk(self, data: bytes) -> None:
        """Send one chunk of a chunked body; an empty one ends the body."""
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def fin(self) -> None:
        """Close the sending side, and swallow what still comes until the client closes too."""
        await self._connection.finish()

    def rst(self) -> None:
        """Reset the connection."""
        self._connection.reset()

    async def _read_request(self) -> ReceivedRequest:
        head = (await self._connection.read_until(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        try:
            method, target, _ = first.split(" ")
            fields = [line.split(":", 1) for line in lines]
            headers = CIMultiDict((name, value.strip()) for name, value in fields)
        except ValueError:
            raise _NotHttpError from None
        body = await self._read_body(headers)
        return ReceivedRequest(method, target, headers, body, self._connection.number)

    async def _read_body(self, headers: CIMultiDict[str]) -> bytes:
        if headers.get("Expect", "").lower() == "100-continue":
            await self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("Transfer-Encoding", "").lower() != "chunked":
            return await self._connection.read_exactly(int(headers.get("Content-Length", "0")))
        body = bytearray()
        while size := int((await self._connection.read_until(b"\r\n")).partition(b";")[0], 16):
            body += await self._connection.read_exactly(size)
            await self._connection.read_until(b"\r\n")
        while await self._connection.read_until(b"\r\n"):
            pass  # trailers
        return bytes(body)


class MisbehavingServer:
    """Plays a script to whoever connects; leaving it ends even the behaviours that never would."""

    def __init__(self, script: Behaviour | Sequence[Behaviour]) -> None:
        behaviours = [script] if callable(script) else list(script)
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self.port = 0
        self._script = itertools.chain(behaviours, itertools.repeat(behaviours[-1]))
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults: list[Exception] = []

    @property
    def url(self) -> URL:
        """The server's root."""
        return URL.build(scheme="http", host="127.0.0.1", port=self.port, path="/")

    @property
    def https_url(self) -> URL:
        """The same port, which does not speak TLS."""
        return self.url.with_scheme("https")

    async def __aenter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.settimeout(0)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while tasks := list(self._tasks):
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        finally:
            self._listener.close()
        if self._faults and error is None:
            raise ExceptionGroup("behaviours failed", self._faults)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(self._listener)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._start(self._serve(_Connection(sock, self.connections)))

    async def _serve(self, connection: _Connection) -> None:
        try:
            await self._converse(connection)
        except (_ClosedError, OSError):
            pass  # the client has left, as most clients of this server do
        except Exception as fault:  # noqa: BLE001 - told when the server is left: nobody awaits this task
            self._faults.append(fault)
        finally:
            connection.close()

    async def _converse(self, connection: _Connection) -> None:
        try:
            while connection.is_open:
                exchange = Exchange(connection, self.requests)
                await next(self._script)(exchange)
                if connection.is_open:
                    await connection.wait_for_bytes()
        except _NotHttpError:
            await connection.write(_head(400, {"Content-Length": "0", "Connection": "close"}))
            await connection.finish()


def answer(status: int = 200, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Behaviour:
    """Answer as a good server does, and keep the connection."""

    async def behave(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.send(_head(status, {"Content-Length": str(len(body)), **(headers or {})}) + body)

    return behave


def redirect(location: str, status: int = 307) -> Behaviour:
    """Point the client elsewhere."""
    return answer(status, {"Location": location})


def fin_after_reading() -> Behaviour:
    """Close the connection instead of answering."""

    async def behave(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.fin()

    return behave


def rst_after_reading() -> Behaviour:
    """Reset the connection instead of answering."""

    async def behave(exchange: Exchange) -> None:
        await exchange.receive()
        exchange.rst()

    return behave


def fin_before_reading() -> Behaviour:
    """Close the connection the moment it is accepted or, kept alive, the moment the next request arrives."""

    async def behave(exchange: Exchange) -> None:
        await exchange.fin()

    return behave


def rst_before_reading() -> Behaviour:
    """Reset the connection the moment it is accepted or, kept alive, the moment the next request arrives."""

    async def behave(exchange: Exchange) -> None:
        exchange.rst()

    return behave


def silence() -> Behaviour:
    """Read the request, and never answer."""

    async def behave(exchange: Exchange) -> None:
        await exchange.receive()
        await _for_ever()

    return behave


def late(seconds: float, behaviour: Behaviour) -> Behaviour:
    """Read the request, and behave after a while."""

    async def behave(exchange: Exchange) -> None:
        await exchange.receive()
        await asyncio.sleep(seconds)
        await behaviour(exchange)

    return behave


def cut_body(sent: bytes = b'{"object":', claimed: int = 1000, status: int = 200) -> Behaviour:
    """Close before the body has the length that was claimed."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send_head(status, {"Content-Length": str(claimed)})
        await exchange.send(sent)
        await exchange.fin()

    return behave


def cut_chunked(sent: bytes = b'{"object":', status: int = 200) -> Behaviour:
    """Close a chunked body before its last chunk."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send_head(status, {"Transfer-Encoding": "chunked"})
        await exchange.send_chunk(sent)
        await exchange.fin()

    return behave


def raw(data: bytes) -> Behaviour:
    """Read the request, send exactly these bytes, and close."""

    async def behave(exchange: Exchange) -> None:
        await exchange.receive()
        await exchange.send(data)
        await exchange.fin()

    return behave


def garbage() -> Behaviour:
    """Send what is no status line."""
    return raw(b"\x00\x01 this is not HTTP \xff\r\n\r\n")


def giant_header(size: int = 1024 * 1024) -> Behaviour:
    """Send one header line of the given size."""
    return raw(_head(200, {"Content-Length": "0", "X-Giant": "x" * size}))


def many_headers(count: int = 1000) -> Behaviour:
    """Send more headers than a parser should take."""
    return raw(_head(200, {"Content-Length": "0", **{f"X-{number}": "x" for number in range(count)}}))


def trickle(body: bytes, interval: float = 1.0, size: int = 1, *, head_too: bool = False) -> Behaviour:
    """Send the body, or all of the response, a few bytes per interval of the loop's time."""

    async def behave(exchange: Exchange) -> None:
        await exchange.receive()
        head = _head(200, {"Content-Length": str(len(body))})
        if not head_too:
            await exchange.send(head)
        slow = head + body if head_too else body
        for start in range(0, len(slow), size):
            await asyncio.sleep(interval)
            await exchange.send(slow[start : start + size])

    return behave


def stall(sent: bytes = b'{"object":', claimed: int = 1000) -> Behaviour:
    """Send the beginning of the body, and then nothing."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send_head(200, {"Content-Length": str(claimed)})
        await exchange.send(sent)
        await _for_ever()

    return behave


def endless(claimed: int = 5 * 1000**3, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Claim gigabytes, and send zeros as fast as they are taken, up to that length."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send_head(200, {"Content-Length": str(claimed), **(headers or {})})
        for _ in range(claimed // len(_BLOCK)):
            await exchange.send(_BLOCK)
        await exchange.send(bytes(claimed % len(_BLOCK)))

    return behave


def endless_chunked(headers: Mapping[str, str] | None = None) -> Behaviour:
    """Send chunks of zeros for as long as they are taken."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send_head(200, {"Transfer-Encoding": "chunked", **(headers or {})})
        while True:
            await exchange.send_chunk(_BLOCK)

    return behave


def gzip_bomb(mebibytes: int = 4096) -> Behaviour:
    """Send valid gzip, about 1 kB for each mebibyte of zeros that it unpacks to."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send_head(200, {"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"})
        for piece in _gzipped_zeros(mebibytes):
            await exchange.send_chunk(piece)
            await asyncio.sleep(0)  # so small a piece may never make the server wait for the client
        await exchange.send_chunk(b"")

    return behave


def proxy_refusal(status: int = 502) -> Behaviour:
    """Refuse to open a tunnel, as a proxy does whose upstream is away."""
    return answer(status, {"Connection": "close"}, b"no upstream")


def linger(sock: socket.socket) -> None:
    """Let the closing of a socket send an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)


def reset(sock: socket.socket) -> None:
    """Close a socket with an RST."""
    linger(sock)
    sock.close()


@contextlib.contextmanager
def refused_port() -> Iterator[int]:
    """Reserve a port at which every connection is refused."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextlib.contextmanager
def unanswering_port() -> Iterator[int]:
    """Listen with a full backlog and never accept, so that connecting neither succeeds nor fails."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        while _connects(stack.enter_context(socket.socket()), listener.getsockname()):
            pass
        yield listener.getsockname()[1]


def _connects(sock: socket.socket, address: tuple[str, int]) -> bool:
    sock.settimeout(0)
    sock.connect_ex(address)
    return bool(select.select([], [sock], [], 0.05)[1])


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


@cache
def _zero_chunk() -> bytes:
    """Deflated zeros that can be repeated: a full flush leaves no state behind."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(bytes(_CHUNK)) + packer.flush(zlib.Z_FULL_FLUSH)


def _gzipped_zeros(mebibytes: int) -> Iterable[bytes]:
    yield gzip.compress(b"", mtime=0)[:10]
    checksum = 0
    for _ in range(mebibytes):
        yield _zero_chunk()
        checksum = zlib.crc32(bytes(_CHUNK), checksum)
    end_of_stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
    yield end_of_stream + struct.pack("<II", checksum, mebibytes * _CHUNK % 2**32)
