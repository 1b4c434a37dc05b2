"""The copying of an account."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fine_tuning_async.api._base import check_progress
from fine_tuning_async.errors import InvalidArgumentError
from fine_tuning_async.models._limits import Whole, require

from ._desk import opened
from ._progress import ArchiveProgress
from ._report import ArchiveReport
from ._run import Run
from ._source import Source

if TYPE_CHECKING:
    from fine_tuning_async.client import FineTuningClient

    from ._desk import Desk
    from ._progress import Tally

__all__ = ["OnArchiveProgress", "archive_account"]

OnArchiveProgress: TypeAlias = Callable[[ArchiveProgress], object]

CONCURRENCY = Whole(1, auto=False)


async def archive_account(
    client: FineTuningClient,
    directory: str | os.PathLike[str],
    *,
    files: bool = True,
    permissions: bool = True,
    admin: FineTuningClient | None = None,
    concurrency: int = 16,
    progress: OnArchiveProgress | None = None,
) -> ArchiveReport:
    """Copy what an account has: all jobs with their events, checkpoints and files, and the list of models.

    What was fetched stays fetched, whatever happens: a call that was cancelled, failed or killed is simply made
    again, and goes on. Of an archive that is whole, a later call fetches what is new, and what had not ended; the
    list of jobs is always read. Nothing is ever removed from an archive: what the server no longer has is noted.

    Args:
        client: The account; its retries and their budget apply.
        directory: Where the archive is, or will be.
        files: Whether to fetch the contents of training, validation and result files.
        permissions: Whether to fetch who may use each checkpoint. OpenAI wants an admin key for that; that a key
            may not is noted, and not fatal.
        admin: The same account with an admin key, which OpenAI accepts for permissions alone; `client` if left
            out.
        concurrency: How many requests may be under way at once.
        progress: Called whenever something was fetched. What it raises ends the run, and comes out as it is.

    Raises:
        InvalidArgumentError: An argument cannot be used; nothing has been sent.
        ArchiveError: The directory cannot hold the archive, another process writes to it, or the disk is full.
        AuthenticationError: The key was refused.
        FineTuningError: The jobs cannot be listed, or sixteen requests in a row failed.
    """
    path = _checked(directory, concurrency, progress)
    wanted = {"job": True, "file": files, "permissions": permissions}
    async with opened(path, frozenset(kind for kind, is_wanted in wanted.items() if is_wanted)) as desk:
        run = Run(
            client,
            Source(client),
            Source(client if admin is None else admin),
            desk,
            concurrency=concurrency,
            progress=progress,
        )
        await run.make()
        return await _reported(path, desk, run.tally)


def _checked(directory: str | os.PathLike[str], concurrency: int, progress: OnArchiveProgress | None) -> Path:
    if not isinstance(directory, str | os.PathLike) or not isinstance(os.fspath(directory), str) or not directory:
        raise InvalidArgumentError(f"directory is {directory!r}; give the path of a directory for the archive")
    require(CONCURRENCY, concurrency, "concurrency")
    check_progress(progress)
    return Path(directory)


async def _reported(directory: Path, desk: Desk, tally: Tally) -> ArchiveReport:
    left = await desk.do(desk.book.left)
    return ArchiveReport(
        directory=directory,
        listed=tally.listed,
        fetched=tally.fetched["job"],
        unfinished=left["jobs"],
        files=tally.fetched["file"],
        size=tally.size,
        permissions=tally.fetched["permissions"],
        gaps=left["gaps"],
        seconds=asyncio.get_running_loop().time() - tally.started,
    )
