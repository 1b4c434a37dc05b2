"""The `files check` command."""

from pathlib import Path
from typing import Annotated, Literal

from attrs import asdict
from cyclopts import Parameter

from fine_tuning_async.cli.exits import Exit
from fine_tuning_async.cli.output import harmless_line, tell
from fine_tuning_async.cli.printing import write_json
from fine_tuning_async.datasets import check_dataset


def check(
    path: Path,
    /,
    *,
    method: Literal["supervised", "dpo", "reinforcement", "completion"] = "supervised",
    validation_file: Path | None = None,
    json: Annotated[bool, Parameter(help="The whole report as one JSON object.")] = False,
) -> int:
    """Check a training file as the server would, without sending anything: 0 if it is good, 1 if not.

    Args:
        path: The training file.
        method: What it is for.
        validation_file: The validation file: it is checked too, and for examples that the training file has.
    """
    report = check_dataset(path, method=method, validation_path=validation_file)
    if json:
        write_json([{"ok": report.ok, **asdict(report)}])
    else:
        tell(*map(harmless_line, str(report).splitlines()))
    return Exit.OK if report.ok else Exit.FAILURE
