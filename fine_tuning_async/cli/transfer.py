"""The progress of a file on its way, on terminals."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from .output import harmless, is_terminal
from .terminal import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def moving(verb: str, name: str) -> Iterator[Callable[[int, int | None], None] | None]:
    """Give what is to be told of the bytes that were moved and of their total; None where nobody looks."""
    if not is_terminal(sys.stdout):
        yield None
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console(), transient=True) as progress:
        task = progress.add_task(f"{verb} {harmless(name)}", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
