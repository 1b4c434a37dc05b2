"""The `graders` commands."""

from typing import Annotated

from cyclopts import App, Parameter

from .arguments import json_object
from .connection import Connection
from .exits import Exit
from .nouns import GRADERS, RUNS
from .output import complain, harmless
from .printing import Printing

app: App = App(name="graders", help="Graders: try one before it scores a training.", version_flags=())


@app.command(sort_key=0)
async def run(
    grader: str,
    /,
    *,
    model_sample: Annotated[str, Parameter(allow_leading_hyphen=True)],
    item: str | None = None,
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> int:
    """Score a sample: 0 if it was scored, 1 if the grader could not. Some ask a model, which costs money.

    Args:
        grader: A grader in JSON, or a file with one in it.
        model_sample: What a model said.
        item: A line of a data set in JSON, or a file with one in it.
    """
    document, line = json_object(grader, "GRADER"), json_object(item, "--item")
    async with connection.client() as client:
        score = await client.run_grader(document or {}, model_sample, item=line)
    printing.one(score, RUNS)
    errors = score.metadata.errors.raised if score.metadata and score.metadata.errors else []
    if errors:  # the reward is 0 then, as it is for a sample that is wrong
        complain(f"the grader could not score: {', '.join(map(harmless, errors))}")
    return Exit.FAILURE if errors else Exit.OK


@app.command(sort_key=1)
async def validate(
    grader: str, /, *, printing: Printing = Printing(), connection: Connection = Connection()
) -> None:
    """Have a grader checked by the server, and show it as the server sees it.

    Args:
        grader: A grader in JSON, or a file with one in it.
    """
    document = json_object(grader, "GRADER")
    async with connection.client() as client:
        printing.one(await client.validate_grader(document or {}), GRADERS)
