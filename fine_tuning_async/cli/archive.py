"""The `archive` commands."""

import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from fine_tuning_async.archive import Archive, archive_account

from . import archive_telling as telling
from .connection import Connection
from .exits import Exit
from .output import harmless_json, harmless_line, tell

app: App = App(name="archive", version_flags=())


@app.default
async def make(
    directory: Path,
    /,
    *,
    files: Annotated[bool, Parameter(negative="--no-files", show_default=False)] = True,
    permissions: Annotated[bool, Parameter(negative="--no-permissions", show_default=False)] = True,
    concurrency: int = 16,
    verify: bool = False,
    json: bool = False,
    connection: Connection = Connection(),
) -> int:
    """Copy all jobs with events, checkpoints and files; later, whatever is new.

    It can be stopped at any time: run it again, and it goes on. The key is OPENAI_API_KEY. OpenAI shows the
    permissions of checkpoints to admin keys alone: OPENAI_ADMIN_KEY is used for them if it is set.

    Args:
        directory: Where the copy is, or will be. One that is named like a command is `./show`.
        files: Fetch the contents of training, validation and result files.
        permissions: Fetch who may use each checkpoint.
        concurrency: How many requests may be under way at once.
        verify: In the end, compare every content with its checksum.
        json: Print the result as a line of JSON.
    """
    key = None if connection.azure or connection.local else os.environ.get("OPENAI_ADMIN_KEY")
    async with connection.client() as client:
        with telling.progress() as progress:
            report = await archive_account(
                client,
                directory,
                files=files,
                permissions=permissions,
                admin=client.with_options(api_key=key) if key else None,
                concurrency=concurrency,
                progress=progress,
            )
    tell(telling.as_json(report) if json else telling.of_report(report))
    return check(directory, json=json) if verify else Exit.OK


@app.command(name="verify")
def check(directory: Path, /, *, json: bool = False) -> int:
    """Compare every content with its checksum; the exit code is 1 if something is damaged.

    Args:
        directory: Where the copy is.
        json: Print the result as a line of JSON.
    """
    with Archive(directory) as archive:
        found = archive.verify()
    tell(telling.as_json(found) if json else telling.of_verification(found))
    return Exit.OK if found.is_sound else Exit.FAILURE


@app.command
def show(directory: Path, job: str | None = None, /, *, json: bool = False) -> int:
    """Show how much there is of everything, and what could not be had; or one job with its events.

    Args:
        directory: Where the copy is.
        job: The id of a job.
        json: Print lines of JSON, as the server wrote them.
    """
    with Archive(directory) as archive:
        if job is not None:
            lines = telling.job_as_json(archive, job) if json else telling.of_job(archive, job)
        else:
            lines = iter([telling.as_json(archive.summary())]) if json else telling.of_archive(archive)
        for line in lines:
            tell(harmless_json(line) if json else harmless_line(line))
    return Exit.OK


@app.command
def export(
    directory: Path, /, *, output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None
) -> int:
    """Print everything but the contents as lines of JSON, sorted by kind and id.

    Args:
        directory: Where the copy is.
        output: A file to write instead, which gets its name when it is whole.
    """
    with Archive(directory) as archive:
        if output is not None:
            archive.export(output)
        else:
            for line in archive.lines():
                sys.stdout.buffer.write(line)
    return Exit.OK
