"""An event loop whose clock jumps to the next timer when there is nothing else to do.

An hour of waiting takes no time, and nothing is patched: sockets, threads and timers are the real ones. The
clock stands still while anything is ready, while loopback traffic is on its way and while a thread of an
executor is at work, so a timeout fires only when nothing could have come before it.

Not seen by the loop, and so jumped over: processes, other machines, and threads that are not an executor's. Wrap
the waiting for those in `clock_held`, or mark the test `real_time`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import selectors
import socket
import sys
import time
from array import array
from typing import TYPE_CHECKING, Any, TypeVar

if sys.platform == "linux":
    from fcntl import ioctl

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from concurrent.futures import Executor
    from typing import TypeVarTuple

    _Args = TypeVarTuple("_Args")

_T = TypeVar("_T")
_Ready = list[tuple[selectors.SelectorKey, int]]

START = 1_000.0  # neither zero, which is false, nor near any wall clock; its float spacing is far below 1 ns

# Real seconds. A delayed acknowledgement takes 40 ms and the shortest retransmission 200 ms: data that the
# kernel still holds back after a quarter of a second waits for a peer that does not read.
_STALLED_SENDER = 0.25
# A connection attempt that overran the listener's backlog is repeated by the kernel after one second.
_REPEATED_SYN = 1.1
_LOST_PROBE = 1.0

_UNACKNOWLEDGED = 0x5411  # SIOCOUTQ
_UNSENT = 0x894B  # SIOCOUTQNSD


class StalledLoopError(RuntimeError):
    """The loop would wait for ever, or has run far longer than any test should."""


class JumpingSelector(selectors.DefaultSelector):
    """Waits for I/O like its base class, but lets the clock jump instead of idling."""

    def __init__(self, patience: float, wall_limit: float) -> None:
        super().__init__()
        self.now = START
        self.holds = 0
        self.patience = patience
        self.wall_limit = wall_limit
        self.started = time.monotonic()
        self._stalled: dict[int, int] = {}
        self._probe = _self_connected()

    def select(self, timeout: float | None = None) -> _Ready:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None or self.holds:
            return self._wait(timeout)
        return self._in_flight() or self._jump(timeout)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        self._stalled.pop(key.fd, None)
        return key

    def close(self) -> None:
        self._probe.close()
        super().close()

    def _wait(self, timeout: float | None) -> _Ready:
        """Idle in real time; a timer that comes due by the wall clock has come due."""
        bounded = timeout is not None and timeout <= self.patience
        ready = super().select(timeout if bounded else self.patience)
        if ready or not bounded:
            return ready or self._give_up(f"nothing happened in {self.patience:g} real seconds")
        return self._jump(timeout or 0)

    def _in_flight(self) -> _Ready:
        """What arrives once everything that was sent before has been delivered."""
        # The loopback device delivers in order: a datagram sent now comes back after all that went before it.
        with contextlib.suppress(OSError):
            self._probe.send(b".")
            self._probe.recv(1)
        return super().select(0) or self._held_back()

    def _held_back(self) -> _Ready:
        """What arrives within the time in which the kernel sends on what it did not send at once."""
        waiting, listening = self._unfinished()
        if waiting.items() <= self._stalled.items():
            return []
        # Without a listener of this loop's own, an unanswered connection attempt is meant to be one.
        connecting = 0 in waiting.values() and listening
        sending = _STALLED_SENDER if any(waiting.values()) else 0
        ready = super().select(_REPEATED_SYN if connecting else sending)
        if not ready:
            self._stalled.update(waiting)
        return ready

    def _unfinished(self) -> tuple[dict[int, int], bool]:
        """Bytes that each socket has yet to pass on (0: it still connects), and whether any socket listens."""
        waiting: dict[int, int] = {}
        listening = False
        for key in self.get_map().values():
            writing = key.events & selectors.EVENT_WRITE
            amount, refusal = _queued(key.fd, _UNACKNOWLEDGED if writing else _UNSENT)
            listening |= refusal == errno.EINVAL
            if amount or (writing and not refusal):
                waiting[key.fd] = amount
        return waiting, listening

    def _jump(self, timeout: float) -> _Ready:
        if time.monotonic() - self.started > self.wall_limit:
            self._give_up(f"still running after {self.wall_limit:g} real seconds")
        self.now += timeout
        return []

    def _give_up(self, reason: str) -> _Ready:
        raise StalledLoopError(f"{reason}; virtual time {self.now - START:g} s after the start")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The selector event loop on virtual time.

    `patience` is how many real seconds it idles when no timer is set, or when a thread is at work, before it
    raises `StalledLoopError`; `wall_limit` is how many real seconds one run may take in all. Both can be changed
    at any time on `loop.clock`.
    """

    def __init__(self, *, patience: float = 10.0, wall_limit: float = 120.0) -> None:
        self.clock = JumpingSelector(patience, wall_limit)
        super().__init__(self.clock)
        self.slow_callback_duration = 3600.0

    def time(self) -> float:
        return self.clock.now

    def run_forever(self) -> None:
        self.clock.started = time.monotonic()
        try:
            super().run_forever()
        except StalledLoopError as error:
            for task in asyncio.all_tasks(self):
                error.add_note(describe_task(task))
            raise

    @contextlib.contextmanager
    def clock_held(self) -> Iterator[None]:
        """Let time pass no faster than the wall clock, while something the loop cannot see is awaited."""
        self.clock.holds += 1
        try:
            yield
        finally:
            self.clock.holds -= 1

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Args], _T], *args: *_Args
    ) -> asyncio.Future[_T]:
        future = super().run_in_executor(executor, func, *args)
        self.clock.holds += 1
        future.add_done_callback(self._release)
        return future

    async def shutdown_default_executor(self, *args: Any, **kwargs: Any) -> None:
        # It joins the threads from one that no executor owns, and may set a timeout.
        with self.clock_held():
            await super().shutdown_default_executor(*args, **kwargs)

    def _release(self, _: asyncio.Future[Any]) -> None:
        self.clock.holds -= 1


def run(main: Coroutine[Any, Any, _T], *, debug: bool | None = None) -> _T:
    """Run a coroutine like `asyncio.run`, on virtual time."""
    with asyncio.Runner(debug=debug, loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def describe_task(task: asyncio.Task[Any]) -> str:
    """The task's name and the innermost line at which it waits."""
    awaited: Any = task.get_coro()
    place = "an unknown place"
    while awaited is not None:
        frame = _first(awaited, "cr_frame", "gi_frame", "ag_frame")
        if frame is not None:
            place = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
        awaited = _first(awaited, "cr_await", "gi_yieldfrom", "ag_await")
    return f"{task.get_name()} ({getattr(task.get_coro(), '__qualname__', '?')}) waits at {place}"


def _first(owner: Any, *names: str) -> Any:
    return next((value for name in names if (value := getattr(owner, name, None)) is not None), None)


def _self_connected() -> socket.socket:
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("127.0.0.1", 0))
    probe.connect(probe.getsockname())
    probe.settimeout(_LOST_PROBE)
    return probe


def _queued(fd: int, question: int) -> tuple[int, int]:
    """How many bytes a TCP socket's send queue holds, and the error number where there is no such queue."""
    if sys.platform != "linux":
        return 0, errno.ENOTTY
    answer = array("i", [0])
    try:
        ioctl(fd, question, answer)
    except OSError as error:
        return 0, error.errno or errno.ENOTTY
    return answer[0], 0
