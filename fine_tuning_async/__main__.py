"""The entry of the `fine-tuning` command, also as `python -m fine_tuning_async`."""

import sys

from .cli.command import run


def main() -> int:
    """Run the command with the words that the process was given; return the exit code."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
