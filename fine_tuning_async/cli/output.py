"""Lines for the standard streams."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO


def tell(*lines: str) -> None:
    """Write lines of the command's output; whoever reads them from a pipe gets them at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def complain(line: str) -> None:
    """Write a line for the person at the keyboard, beside the command's output."""
    with suppress(OSError):  # of which nobody could be told
        sys.stderr.write(f"fine-tuning: {line}\n")
        sys.stderr.flush()


@contextmanager
def both_streams() -> Iterator[None]:
    """Let a standard stream that the caller has closed, as some do for daemons, take whatever is written."""
    with ExitStack() as stack:
        for name, redirected in (("stdout", redirect_stdout), ("stderr", redirect_stderr)):
            if getattr(sys, name) is None:
                nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
                stack.enter_context(redirected(nowhere))
        yield


def make_forgiving(stream: TextIO) -> None:
    """Let a stream write what its encoding does not have as escapes, in place of failing in the middle."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def is_terminal(stream: TextIO) -> bool:
    """Tell whether somebody looks at a stream on a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM", "") not in {"dumb", "unknown"}


def harmless(text: str) -> str:
    """Return a text from elsewhere in one line, so that no terminal takes any of it for a command."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else " " if each.isspace() else repr(each)[1:-1] for each in text.strip()
    )


def harmless_line(line: str) -> str:
    """Return a line as `harmless` does, with its indent."""
    text = line.lstrip(" ")
    return " " * (len(line) - len(text)) + harmless(text)


def harmless_json(text: str) -> str:
    """Return JSON text of one line that says the same, and of which no terminal takes any for a command."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
