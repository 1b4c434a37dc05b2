"""The `completion` command: what makes a shell know the commands and options."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from .failure import CommandFailure
from .output import complain, tell


def completion(
    shell: Literal["bash", "zsh", "fish"],
    /,
    *,
    install: bool = False,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None,
) -> None:
    """Print a shell's completion for this command, or install it.

    Args:
        shell: The shell that is to know it.
        install: Write it to where the shell looks, and have its start-up file read it.
        output: Write it to this file instead, and change no start-up file.
    """
    # Here, as it makes the whole command line, of which this is a part.
    from .command import root_app  # noqa: PLC0415 - as said

    app = root_app()
    if not install and output is None:
        tell(app.generate_completion(shell=shell).rstrip("\n"))
        return
    try:
        path = app.install_completion(shell=shell, output=output, add_to_startup=output is None)
    except OSError as error:
        raise CommandFailure(f"the completion cannot be written: {error}") from None
    complain(f"wrote {path}{'; a new shell knows it' if output is None else ''}")
