"""The `demo` command."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fine_tuning_async.cli.connection import LOCAL_KEY
from fine_tuning_async.cli.failure import CommandFailure
from fine_tuning_async.cli.output import is_terminal
from fine_tuning_async.cli.terminal import console
from fine_tuning_async.client import FineTuningClient
from fine_tuning_async.server import LocalServer, LocalServerError

from . import material
from .bars import Bars
from .lines import Lines
from .story import tell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from .view import View

SPEED = 55.0
"""Simulated seconds in a second: the longest of the trainings, some four minutes, takes about four seconds."""


def demo() -> None:
    """Train four models on a local server, and watch them.

    It needs no network, no key and no money, takes a few seconds, and leaves nothing behind: a server inside this
    process pretends to train. Two jobs are supervised, one prefers good answers to bad ones (DPO), and one
    fails, because there is a mistake in its data. In a pipe the output is plain lines.
    """
    try:
        with _terminated_in_order(), TemporaryDirectory(prefix="fine-tuning-demo-") as name:
            folder = Path(name)
            material.write_to(folder)
            asyncio.run(_perform(folder, _choose_view()))
    except LocalServerError as error:
        raise CommandFailure(str(error)) from error


async def _perform(folder: Path, view: View) -> None:
    async with LocalServer(speed=SPEED) as server:
        view.opening(server.url)
        # Empty, so that nothing is taken from the user's own account.
        async with FineTuningClient(LOCAL_KEY, base_url=server.url, organization="", project="") as client:
            await tell(client, folder, view)


def _choose_view() -> View:
    return Bars(console()) if is_terminal(sys.stdout) else Lines()


@contextmanager
def _terminated_in_order() -> Iterator[None]:
    """Let SIGTERM end the process as Ctrl-C does, task by task, so that the temporary folder is removed."""
    received: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        received.append(number)
        signal.raise_signal(signal.SIGINT)  # which asyncio turns into a cancellation

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        if received:
            sys.exit(128 + received[0])
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
