"""Lines for the standard streams."""

import sys


def tell(line: str) -> None:
    """Write a line of the command's output; whoever reads it from a pipe gets it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(line: str) -> None:
    """Write a line for the person at the keyboard, beside the command's output."""
    sys.stderr.write(f"fine-tuning: {line}\n")
    sys.stderr.flush()
