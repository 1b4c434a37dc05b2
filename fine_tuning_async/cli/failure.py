"""The failure of a command that needs one clear line, not a traceback."""


class CommandFailure(Exception):  # noqa: N818 - it ends a command, it is no error of the library
    """A command cannot do what it was asked for; the text says why."""
