"""A trainer in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .lines import PAUSE, read_report, write_task
from .protocol import Report, TrainingFailed, TrainingTask

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Mapping, Sequence

_LONGEST_LINE = 2**20
_LINGER = 0.2
"""Seconds of silence after which a process that has ended is not listened to any longer."""
_TAIL = 4096
"""Bytes of what was last written to stderr, kept to say why a process failed."""


class ProcessTrainer:
    """Runs a command for each job: a script in any language, with whatever it needs installed.

    The command reads its task from stdin, a line of JSON, and writes its reports to stdout, a line of JSON each. A
    line `{"pause":true}` on stdin asks it to save a checkpoint and to end. To stop it, it is sent SIGTERM; it is
    killed, with the processes that it has started, when it has not ended in time.

    Args:
        command: The program and its arguments.
        grace: Seconds between SIGTERM and SIGKILL.
        environment: Variables in addition to this process's own.

    Raises:
        ValueError: The command is empty.
    """

    def __init__(
        self,
        command: Sequence[str | os.PathLike[str]],
        *,
        grace: float = 5.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(command, str) or not command:
            raise ValueError(f"command must be a sequence of a program and its arguments, not {command!r}")
        self._command = [os.fspath(part) for part in command]
        self._grace = grace
        self._environment = dict(environment or {})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._command!r})"

    async def train(self, task: TrainingTask, /) -> AsyncIterator[Report]:
        """Run the command; yield its reports.

        Raises:
            TrainingFailed: The command cannot be run, said that it failed, wrote what is no report, or ended with
                another code than zero.
        """
        with TemporaryDirectory(prefix="fine-tuning-", ignore_cleanup_errors=True) as folder:
            order = write_task(task, Path(folder))
            async with self._started() as process, _talking(process, order, task.pausing) as complaints:
                while line := await _next_line(process):
                    if line.strip():
                        yield read_report(line)
                code = process.returncode
                code = await process.wait() if code is None else code
        if code:
            raise TrainingFailed(_why(code, bytes(complaints)))

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[Process]:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                limit=_LONGEST_LINE,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )
        except OSError as error:
            raise TrainingFailed(f"the trainer cannot be started: {error}") from error
        try:
            yield process
        finally:
            await _end(process, self._grace)


@asynccontextmanager
async def _talking(process: Process, order: bytes, pausing: asyncio.Event) -> AsyncIterator[bytearray]:
    """Tell a process what it is to know, while the block reads; yields the end of its stderr."""
    complaints = bytearray()
    tasks = [
        asyncio.create_task(_tell(process, order, pausing)),
        asyncio.create_task(_listen(process, complaints)),
    ]
    try:
        yield complaints
    finally:
        # What it wrote to stderr is complete once it has ended; a process that was cut short is not waited for.
        if process.returncode is not None:
            await asyncio.wait(tasks[1:], timeout=1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _tell(process: Process, order: bytes, pausing: asyncio.Event) -> None:
    assert process.stdin is not None
    # A process that has closed its stdin does not want to know.
    with suppress(ConnectionError):
        process.stdin.write(order)
        await process.stdin.drain()
        await pausing.wait()
        process.stdin.write(PAUSE)
        await process.stdin.drain()


async def _listen(process: Process, complaints: bytearray) -> None:
    assert process.stderr is not None
    while heard := await process.stderr.read(_TAIL):
        complaints += heard
        del complaints[:-_TAIL]


async def _next_line(process: Process) -> bytes:
    """Return what a process wrote next, or nothing once it has ended."""
    assert process.stdout is not None
    while True:
        try:
            async with asyncio.timeout(_LINGER):
                return await process.stdout.readline()
        except TimeoutError:
            if process.returncode is not None:
                _kill(process)  # what it has started, and what keeps its output open
                return b""
        except ValueError as error:
            raise TrainingFailed(f"the trainer wrote a line of more than {_LONGEST_LINE} bytes") from error


async def _end(process: Process, grace: float) -> None:
    """Return once a process has ended; cancelled, it is killed at once."""
    try:
        if process.returncode is None:
            _send(process, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await process.wait()
    finally:
        _kill(process)
        await _reap(process)


async def _reap(process: Process) -> None:
    """Wait for a process that was killed, however often this is cancelled: its loop must not end before it."""
    waiting = asyncio.ensure_future(process.wait())
    while not waiting.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([waiting])


def _send(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.terminate()
        else:
            os.killpg(process.pid, number)


def _kill(process: Process) -> None:
    """Kill a process with all that it has started, whether it has ended itself or not."""
    if sys.platform == "win32":
        with suppress(ProcessLookupError, PermissionError):
            process.kill()
    else:
        _send(process, signal.SIGKILL)


def _why(code: int, complaints: bytes) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    lines = complaints.decode(errors="replace").strip().splitlines()
    return f"the trainer's process {how}" + (f": {lines[-1]}" if lines else "")
