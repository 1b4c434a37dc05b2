"""The command line: which word calls what, which exit code comes out."""

from __future__ import annotations

import sys
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from fine_tuning_async._version import __version__

from .exits import Exit
from .output import both_streams, complain, harmless, make_forgiving, tell
from .report import report, show_warning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyclopts import App, CycloptsError

NAME = "fine-tuning"
EXTRA = ("cyclopts", "rich")
HELP_FLAGS = {"-h", "--help"}
HELP = "help"


class Command(NamedTuple):
    """A command, or a group of some: where it is imported from when it runs, and its line in the help."""

    target: str
    summary: str


COMMANDS = {
    "jobs": Command("fine_tuning_async.cli.jobs:app", "Create, list, follow, cancel and plot jobs."),
    "files": Command("fine_tuning_async.cli.files:app", "Check, upload, list, download and delete files."),
    "models": Command("fine_tuning_async.cli.models:app", "List models, delete fine-tuned ones."),
    "checkpoints": Command("fine_tuning_async.cli.checkpoints:app", "Say who may use a checkpoint."),
    "graders": Command("fine_tuning_async.cli.graders:app", "Try a grader before it scores a training."),
    "archive": Command("fine_tuning_async.cli.archive:app", "Copy everything an account has; read such a copy."),
    "demo": Command(
        "fine_tuning_async.cli.demo.command:demo",
        "Train four models on a local server, offline, in seconds.",
    ),
    "serve": Command(
        "fine_tuning_async.cli.serve:serve",
        "Run the local server until it is stopped.",
    ),
    "completion": Command(
        "fine_tuning_async.cli.completion:completion", "Make bash, zsh or fish complete this command."
    ),
}

EXIT_CODES = (
    (Exit.OK, "done; jobs that were waited for have succeeded"),
    (Exit.FAILURE, "a job failed, a data set is bad, the server refused"),
    (Exit.USAGE, "wrong usage; nothing was sent"),
    (Exit.AUTHENTICATION, "no key, or one that may not do this"),
    (Exit.NOT_FOUND, "there is no such job, file or model"),
    (Exit.NETWORK, "no answer in time, 429 or 5xx: try again"),
    (Exit.INTERRUPTED, "Ctrl-C; jobs go on"),
    (Exit.BROKEN_PIPE, "the reader of the output has gone"),
)


def run(words: Sequence[str]) -> int:
    """Run what the words ask for; return the exit code.

    Errors that a person can act on become one line on stderr. Any other is a bug, and keeps its traceback.
    """
    with both_streams():
        return _run(words)


def _run(words: Sequence[str]) -> int:
    if not _extra_is_installed():
        complain("this command needs more packages: pip install 'fine-tuning-async[cli]'")
        return Exit.USAGE
    make_forgiving(sys.stdout)
    if words and words[0] == HELP:
        words = [*words[1:], "--help"]
    try:
        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            code = _root(words) if not words or words[0].startswith("-") else _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - sorted there; the unexpected is raised again
        return report(error)
    return code


async def run_async(words: Sequence[str]) -> int:
    """Run an asynchronous command in the loop that runs already; otherwise as `run`."""
    from cyclopts import CycloptsError  # noqa: PLC0415 - as in _dispatch

    try:
        code: object = await root_app().run_async(words)
    except CycloptsError as error:
        return _misused(error)
    except Exception as error:  # noqa: BLE001 - as in run
        return report(error)
    return _code(code)


def root_app() -> App:
    """Return the whole command line, of which nothing is imported before it is needed."""
    # Here, not above: the help of the command itself has no need of it, and is three times as fast without.
    from cyclopts import App, Parameter  # noqa: PLC0415 - as said

    app = App(
        name=NAME,
        result_action="return_value",
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        version_flags=(),
        default_parameter=Parameter(negative=(), show_default=_worth_showing),
    )
    for name, command in COMMANDS.items():
        app.command(command.target, name=name)
    return app


def root_help() -> str:
    """Return the help of the command itself, made without importing any command."""
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items())
    codes = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES)
    return (
        f"Usage: {NAME} COMMAND [OPTIONS]\n\n"
        "The OpenAI-shaped fine-tuning API from the command line.\n\n"
        f"Commands:\n{commands}\n\n"
        "Options:\n  -h, --help  Show this help, or that of a command.\n  --version   Show the version.\n\n"
        f"Exit codes:\n{codes}"
    )


def _extra_is_installed() -> bool:
    try:
        return all(find_spec(name) is not None for name in EXTRA)
    except ImportError:
        return False


def _root(words: Sequence[str]) -> int:
    if not words or words[0] in HELP_FLAGS:
        tell(root_help())
        return Exit.OK
    if words[0] == "--version":
        tell(f"{NAME} {__version__}")
        return Exit.OK
    misplaced = " before the command; options come behind it" if not COMMANDS.keys().isdisjoint(words) else ""
    return _refuse(f"unknown option {words[0]}{misplaced}", NAME)


def _dispatch(words: Sequence[str]) -> int:
    from cyclopts import CycloptsError  # noqa: PLC0415 - as in root_app

    app = root_app()
    if words[0] in COMMANDS and all(word.startswith("-") for word in words[1:2]):
        app[words[0]].resolved_commands()  # so that the help of a group has a line for each of its commands
    try:
        return _code(app(words))
    except CycloptsError as error:
        return _misused(error)


def _worth_showing(default: object) -> object:
    """Return a default for the help, but where it says no more than that the option was left out."""
    return None if default is False or default == () else default


def _code(result: object) -> int:
    return result if isinstance(result, int) else Exit.OK


def _misused(error: CycloptsError) -> int:
    from cyclopts.exceptions import UnusedCliTokensError  # noqa: PLC0415 - as in root_app

    why = str(error)
    if isinstance(error, UnusedCliTokensError):
        why = f"there is no place for {' '.join(map(repr, error.unused_tokens or ()))}"
    return _refuse(why, " ".join((NAME, *(error.command_chain or ()))))


def _refuse(why: str, command: str) -> int:
    complain(f"{harmless(why)}{'' if why.endswith(('.', '?')) else '.'} See: {command} --help")
    return Exit.USAGE
