"""A local server in a process of its own, so that its memory is not counted with the client's."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["server_process"]

PREFIX = "listening on "


@contextmanager
def server_process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `fine-tuning serve` with these options; give the process and its base URL. It is ended afterwards."""
    words = [sys.executable, "-m", "fine_tuning_async", "serve", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith(PREFIX), f"the server did not start: {line!r}"
            yield process, line.removeprefix(PREFIX).strip()
        finally:
            process.kill()
