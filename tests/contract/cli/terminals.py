"""The command on a pseudo terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PATIENCE = 60
COLUMNS = 80
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*(3[0-7]|38;[0-9;]+)m")


def in_terminal(
    *words: str, folder: Path, environment: Mapping[str, str], until: str | None = None
) -> tuple[int, str]:
    """Run the command with some words, to its end or until a word appears; return its exit code and output."""
    import fcntl  # noqa: PLC0415 - POSIX only, as the three modules that follow
    import pty  # noqa: PLC0415 - as above
    import struct  # noqa: PLC0415 - as above
    import termios  # noqa: PLC0415 - as above

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    command = [sys.executable, "-W", "error", "-m", "fine_tuning_async", *words]
    with subprocess.Popen(  # noqa: S603 - our own words
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    ) as run:
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 65536):
                written += piece
                if until is not None and until.encode() in written:
                    run.send_signal(signal.SIGINT)
                    until = None
        except OSError:  # Linux says EIO where others end the file
            pass
        os.close(ours)
        return run.wait(timeout=PATIENCE), written.decode()
