"""The command line: which word calls what, which exit code comes out."""

from __future__ import annotations

import os
import sys
from enum import IntEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from fine_tuning_async._version import __version__
from fine_tuning_async.errors import FineTuningError

from .failure import CommandFailure
from .output import complain, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "fine-tuning"
EXTRA = ("cyclopts", "rich")


class Exit(IntEnum):
    """How the command ends."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    INTERRUPTED = 130
    """128 + SIGINT, as a shell reports a process that Ctrl-C ended."""


class Command(NamedTuple):
    """One command: where it is imported from when it runs, and its line in the help."""

    target: str
    summary: str


COMMANDS = {
    "demo": Command(
        "fine_tuning_async.cli.demo.command:demo",
        "Train four models on a local server, offline, in seconds.",
    ),
    "serve": Command(
        "fine_tuning_async.cli.serve:serve",
        "Run the local server until it is stopped.",
    ),
}


def run(words: Sequence[str]) -> int:
    """Run what the words ask for; return the exit code.

    Errors that a person can act on become one line on stderr. Any other is a bug, and keeps its traceback.
    """
    if not _extra_is_installed():
        complain("this command needs more packages: pip install 'fine-tuning-async[cli]'")
        return Exit.USAGE
    try:
        code = _root(words) if not words or words[0].startswith("-") else _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - sorted there; the unexpected is raised again
        return _report(error)
    return code


def root_help() -> str:
    """Return the help of the command itself, made without importing any command."""
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items())
    return (
        f"Usage: {NAME} COMMAND [OPTIONS]\n\n"
        "The OpenAI-shaped fine-tuning API from the command line.\n\n"
        f"Commands:\n{commands}\n\n"
        "Options:\n  -h, --help  Show this help, or that of a command.\n  --version   Show the version.\n\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."
    )


def _extra_is_installed() -> bool:
    try:
        return all(find_spec(name) is not None for name in EXTRA)
    except ImportError:
        return False


def _root(words: Sequence[str]) -> int:
    if not words or words[0] in {"-h", "--help"}:
        tell(root_help())
        return Exit.OK
    if words[0] == "--version":
        tell(f"{NAME} {__version__}")
        return Exit.OK
    return _misused(f"unknown option {words[0]}", NAME)


def _dispatch(words: Sequence[str]) -> int:
    # Here, not above: the help of the command itself has no need of it, and is three times as fast without.
    from cyclopts import App, CycloptsError  # noqa: PLC0415 - as said

    app = App(
        name=NAME,
        result_action="return_value",
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        version_flags=(),
    )
    for name, command in COMMANDS.items():
        app.command(command.target, name=name)
    try:
        code = app(words)
    except CycloptsError as error:
        return _misused(str(error), " ".join((NAME, *(error.command_chain or ()))))
    return code if isinstance(code, int) else Exit.OK


def _misused(why: str, command: str) -> int:
    complain(f"{why}{'' if why.endswith(('.', '?')) else '.'} See: {command} --help")
    return Exit.USAGE


def _report(error: Exception) -> int:
    """Say in one line what went wrong; raise again what nobody expected."""
    first: BaseException = error
    while isinstance(first, BaseExceptionGroup):  # a task group failed
        first = first.exceptions[0]
    if isinstance(first, BrokenPipeError):
        # The reader has gone. What is left in the buffer must not fail once more when Python flushes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILURE
    if isinstance(first, CommandFailure | FineTuningError):
        complain(str(first))
        return Exit.FAILURE
    if isinstance(first, OSError):  # a full disk, a closed output
        complain(first.strerror or str(first))
        return Exit.FAILURE
    raise error
