"""The `jobs plot` command."""

import asyncio
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fine_tuning_async.cli.connection import Connection
from fine_tuning_async.cli.failure import CommandFailure, Misuse
from fine_tuning_async.cli.output import complain, harmless
from fine_tuning_async.cli.paging import LARGE_PAGE
from fine_tuning_async.cli.printing import write_json
from fine_tuning_async.errors import NotFoundError
from fine_tuning_async.models import FineTuningJob

from . import screen
from .curves import Row, Run, labels, merged, named, panels, rows_of_events, rows_of_results, smoothed, smoothing

if TYPE_CHECKING:
    from fine_tuning_async.client import FineTuningClient

FORMATS = (".svg", ".png", ".html")


async def plot(
    *job_id: Annotated[str, Parameter(required=True)],
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = None,
    smooth: int | None = None,
    dark: bool = False,
    json: Annotated[bool, Parameter(help="The figures instead: one JSON object a line, for each step.")] = False,
    connection: Connection = Connection(),
) -> None:
    """Draw the losses of jobs over their steps, and accuracies or rewards: in the terminal, or as a file.

    The figures come from result files, or from events, while a job runs or where it has left no such file.

    Args:
        output: A file to draw into, which is replaced: .svg, .png, or .html, a page that follows the reader's
            light or dark setting. These need the extra `plot`.
        smooth: Steps of the running mean; 1 for the figures as they are. If left out, what suits their number.
        dark: A dark ground for .svg and .png.
    """
    if smooth is not None and smooth < 1:
        raise Misuse(f"--smooth is {smooth}; it must be at least 1")
    if output is not None:
        _check(output)
    async with connection.client() as client:
        jobs = [await client.retrieve_job(each) for each in dict.fromkeys(job_id)]
        figures = [await _figures(client, job) for job in jobs]
    runs = [Run(*each) for each in zip(jobs, labels(jobs), figures, strict=True)]
    if json:
        write_json([{"job_id": run.job.id, **row} for run in runs for row in run.rows])
        return
    for run in runs:
        if not panels([run]):
            complain(harmless(f"{run.job.id} has no figures yet; it is {run.job.status}"))
    if not panels(runs):
        raise CommandFailure("there is nothing to draw")
    if output is None:
        _show(runs, smooth)
    else:
        await asyncio.to_thread(_write, runs, output, smooth, dark)


async def _figures(client: "FineTuningClient", job: FineTuningJob) -> list[Row]:
    try:
        rows = rows_of_results(await client.training_metrics(job)) if job.is_terminal else []
    except NotFoundError:  # the file was deleted
        rows = []
    # Of rewards, result files say nothing.
    if not rows or (job.method and job.method.type == "reinforcement"):
        rows = merged(rows_of_events(await client.list_events(job.id, limit=LARGE_PAGE).collect()), rows)
    return rows


def _check(output: Path) -> None:
    if output.suffix.lower() not in FORMATS:
        raise Misuse(f"--output is {str(output)!r}; its name must end in {', '.join(FORMATS)}")
    if find_spec("matplotlib") is None:
        raise Misuse("pictures need one more package: pip install 'fine-tuning-async[plot]'")


def _show(runs: list[Run], smooth: int | None) -> None:
    for label, curves in panels(runs).items():
        over = smooth or smoothing(curves)
        drawn = {curve.name: smoothed(curve.points, over) for curve in curves}
        screen.show(drawn, label=named(label, over))


def _write(runs: list[Run], output: Path, smooth: int | None, dark: bool) -> None:  # noqa: FBT001 - an option's value
    # Here, as they take half a second to import, and need an extra.
    from . import page, picture  # noqa: PLC0415 - as said

    suffix, drawn = output.suffix.lower().lstrip("."), panels(runs)
    theme = picture.DARK if dark else picture.LIGHT
    if suffix == "html":
        content = page.page(runs, drawn, smooth)
    else:
        content = picture.draw(drawn, theme=theme, suffix=suffix, over=smooth)
    try:
        output.write_bytes(content)
    except OSError as error:
        raise CommandFailure(f"{str(output)!r} cannot be written: {error.strerror}") from None
    complain(harmless(f"wrote {output}"))
