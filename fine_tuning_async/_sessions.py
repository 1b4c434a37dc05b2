"""Which aiohttp session a request goes through, owned or borrowed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import aiohttp

from ._memory import keep_memory
from .errors import ClientStateError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["BorrowedSession", "OwnedSessions", "Sessions", "SharedSessions", "sends_again"]

# Seconds. Common servers drop idle connections after five (uvicorn) or more; a POST sent at that very moment is
# lost without anybody knowing how far it came. Letting go first avoids it.
KEEP_ALIVE = 4.0
# No option turns it off, but aiohttp's own test client sets this. Without it, the transport does more for each
# request.
_SENDS_AGAIN = "_retry_connection"


class Sessions(Protocol):
    """Gives the session of the running loop.

    Attributes:
        closed: Whether they may not be used any more.
        plain: Whether they are all set to nothing that a request would have to override.
    """

    closed: bool

    @property
    def plain(self) -> bool: ...

    def current(self) -> aiohttp.ClientSession:
        """Return the session to use now.

        Raises:
            ClientStateError: The client is closed, or there is no session for the running loop.
        """
        ...

    def open(self) -> None:
        """Allow the sessions to be used again after `close`."""
        ...

    @property
    def loops(self) -> list[asyncio.AbstractEventLoop]:
        """The loops that still live and in which a session of ours is open."""
        ...

    async def close(self) -> None:
        """Close what is owned."""
        ...


def _closed() -> ClientStateError:
    return ClientStateError("the client is closed; open it again with `async with client:`, or make another")


class BorrowedSession:
    """A session that belongs to the caller: never closed here."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        if not isinstance(session, aiohttp.ClientSession):
            raise InvalidArgumentError(
                f"session is a {type(session).__name__}; it must be an aiohttp.ClientSession"
            )
        self._session = session
        self.closed = False
        self.plain = False
        self.loops: list[asyncio.AbstractEventLoop] = []

    def current(self) -> aiohttp.ClientSession:
        """Return the caller's session, if it can be used in the running loop."""
        if self.closed:
            raise _closed()
        if self._session.closed:
            raise ClientStateError("the session given to the client is closed; give it an open one")
        if self._session._loop is not asyncio.get_running_loop():  # noqa: SLF001 - the public `loop` is deprecated
            raise ClientStateError(
                "the session given to the client belongs to another event loop; "
                "make session and client in the loop that uses them, or give no session"
            )
        return self._session

    def open(self) -> None:
        """Use the session again."""
        self.closed = False

    async def close(self) -> None:
        """Stop using the session; whoever made it closes it."""
        self.closed = True


class SharedSessions:
    """The sessions of another client, for a view on it."""

    def __init__(self, original: Sessions) -> None:
        self._original = original
        self.closed = False
        self.loops: list[asyncio.AbstractEventLoop] = []

    @property
    def plain(self) -> bool:
        """Whether the other client's sessions are plain."""
        return self._original.plain

    def current(self) -> aiohttp.ClientSession:
        """Return the other client's session."""
        if self.closed:
            raise _closed()
        return self._original.current()

    def open(self) -> None:
        """Use the sessions again."""
        self.closed = False

    async def close(self) -> None:
        """Stop using the sessions; the client that owns them closes them."""
        self.closed = True


class OwnedSessions:
    """One session for each loop, opened on first use.

    Each is kept by an async generator that closes it in the end. A loop runs the generators that it still knows
    when it shuts down, so that a client that outlives `asyncio.run` leaves nothing behind.
    """

    def __init__(self) -> None:
        self.closed = False
        self.plain = False
        self._keepers: dict[asyncio.AbstractEventLoop, AsyncGenerator[aiohttp.ClientSession]] = {}
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    def current(self) -> aiohttp.ClientSession:
        """Return the session of the running loop, opened if need be."""
        if self.closed:
            raise _closed()
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            session = self._open(loop)
        return session

    @property
    def loops(self) -> list[asyncio.AbstractEventLoop]:
        """The loops that still live and in which a session is open."""
        return [loop for loop, s in list(self._sessions.items()) if not s.closed and not loop.is_closed()]

    def open(self) -> None:
        """Allow sessions to be opened again."""
        self.closed = False

    async def close(self) -> None:
        """Close the session of the running loop, and forget those of loops that are gone."""
        self.closed = True
        keeper = self._keepers.pop(loop := asyncio.get_running_loop(), None)
        self._sessions.pop(loop, None)
        if keeper is not None:
            await keeper.aclose()
        self._forget_closed_loops()

    def _open(self, loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
        self._forget_closed_loops()
        keep_memory()
        keeper = _keep_session()
        session = _first(keeper)
        self.plain = not sends_again(session)
        self._keepers[loop], self._sessions[loop] = keeper, session
        return session

    def _forget_closed_loops(self) -> None:
        # Loops in other threads come and go meanwhile: a copy is looked through, and what is gone is not missed.
        for loop in [each for each in list(self._sessions) if each.is_closed()]:
            self._sessions.pop(loop, None)
            self._keepers.pop(loop, None)


def sends_again(session: aiohttp.ClientSession) -> bool:
    """Tell whether aiohttp may send a request again by itself when the connection of this session breaks."""
    return getattr(session, _SENDS_AGAIN, True)


async def _keep_session() -> AsyncGenerator[aiohttp.ClientSession]:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_ALIVE), cookie_jar=aiohttp.DummyCookieJar()
    )
    if hasattr(session, _SENDS_AGAIN):
        setattr(session, _SENDS_AGAIN, False)
    try:
        yield session
    finally:
        await session.close()


def _first(keeper: AsyncGenerator[aiohttp.ClientSession]) -> aiohttp.ClientSession:
    """Run a keeper to its yield.

    It awaits nothing before, so that one step does it: no other task can come between and open a second session.
    """
    step = keeper.__anext__()
    try:
        step.send(None)
    except StopIteration as reached:
        session: aiohttp.ClientSession = reached.value
        return session
    raise AssertionError("a keeper reaches its yield in one step")
