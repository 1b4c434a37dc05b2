"""The failure of a command that needs one clear line, not a traceback."""


class CommandFailure(Exception):  # noqa: N818 - it ends a command, it is no error of the library
    """A command cannot do what it was asked for; the text says why.

    Attributes:
        exit: The exit code.
    """

    def __init__(self, text: str, *, exit: int = 1) -> None:  # noqa: A002 - what it is
        super().__init__(text)
        self.exit = exit


class Misuse(CommandFailure):
    """The words of the command line do not go together."""

    def __init__(self, text: str) -> None:
        super().__init__(text, exit=2)
