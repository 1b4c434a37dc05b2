"""The check of a training file, with its validation file."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fine_tuning_async.errors import InvalidArgumentError, SourceNotFoundError

from ._pass import LEAST_EXAMPLES, Pass
from ._rows import LAYOUTS

if TYPE_CHECKING:
    from ._report import DatasetReport

__all__ = ["check_dataset"]


def check_dataset(
    path: str | os.PathLike[str], *, method: str, validation_path: str | os.PathLike[str] | None = None
) -> DatasetReport:
    """Check a training file as the API would, before it is uploaded.

    It reads the files from start to end: in a coroutine, call it by `asyncio.to_thread`. Memory stays flat, but
    for some hundred bytes for each of the first two million examples. Nothing is sent anywhere.

    Args:
        path: The training file, in JSON Lines.
        method: What it is for: "supervised", "dpo", "reinforcement", or "completion" for a base model that is
            trained on prompts.
        validation_path: The validation file. It is checked too, and for examples that are in the training file.

    Raises:
        SourceNotFoundError: There is no such file.
        InvalidArgumentError: It is no regular file or cannot be read, or the method is unknown.
    """
    if not isinstance(method, str) or method not in LAYOUTS:
        raise InvalidArgumentError(f"method is {method!r}; it must be one of {', '.join(LAYOUTS)}")
    training = _passed(path, Pass(method))
    training.require(LEAST_EXAMPLES)
    if validation_path is None:
        return training.report(os.fspath(path))
    validation = _passed(validation_path, Pass(method, training.repeats))
    validation.require(1)
    return training.report(os.fspath(path), validation.report(os.fspath(validation_path)))


def _passed(path: str | os.PathLike[str], over: Pass) -> Pass:
    with _opened(path) as file:
        try:
            over.read(file)
        except OSError as error:
            raise InvalidArgumentError(f"{str(path)!r} cannot be read: {error}") from None
    return over


def _opened(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        given = Path(path)
    except TypeError:
        raise InvalidArgumentError(f"{path!r} is no path; give that of a file in JSON Lines, as a str") from None
    try:
        # Asked before it is opened: a pipe without a writer would never open.
        if stat.S_ISREG(given.stat().st_mode):
            return given.open("rb", buffering=0)
    except FileNotFoundError:
        raise SourceNotFoundError(f"there is no file {str(given)!r} to check") from None
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"{str(given)!r} cannot be read: {error}") from None
    raise InvalidArgumentError(f"{str(given)!r} is no regular file; give the path of the file to check")
