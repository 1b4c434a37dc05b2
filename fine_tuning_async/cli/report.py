"""One line about what went wrong, for the person at the keyboard."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from fine_tuning_async.errors import FineTuningError

from .exits import Exit, exit_of
from .failure import CommandFailure
from .output import complain, harmless

if TYPE_CHECKING:
    from typing import TextIO


def report(error: Exception) -> Exit:
    """Say in one line what went wrong, and return the exit code; raise again what nobody expected."""
    first: BaseException = error
    while isinstance(first, BaseExceptionGroup):  # a task group failed
        first = first.exceptions[0]
    if isinstance(first, BrokenPipeError):
        # The reader has gone. What is left in the buffer must not fail once more when Python flushes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.BROKEN_PIPE
    if isinstance(first, CommandFailure | FineTuningError):
        complain(explain(first))
        return exit_of(first)
    if isinstance(first, OSError):  # a full disk, a closed output
        complain(harmless(": ".join(filter(None, [first.strerror or str(first), first.filename]))))
        return Exit.FAILURE
    raise error


def explain(error: BaseException) -> str:
    """Return what an error says, its request and its notes included, in one line."""
    request_id = getattr(error, "request_id", None)
    text = str(error)
    if request_id and request_id not in text:
        text += f" (request {request_id})"
    if notes := getattr(error, "__notes__", ()):
        text = " ".join([f"{text.removesuffix('.')}.", *notes])
    return harmless(text)


def show_warning(
    message: Warning | str,
    category: type[Warning],  # noqa: ARG001 - this, and all that follows, is the signature of `warnings.showwarning`
    filename: str,  # noqa: ARG001 - as above
    lineno: int,  # noqa: ARG001 - as above
    file: TextIO | None = None,  # noqa: ARG001 - as above
    line: str | None = None,  # noqa: ARG001 - as above
) -> None:
    """Show a warning as the command shows all else; it stands in for `warnings.showwarning`."""
    complain(harmless(f"warning: {message}"))
