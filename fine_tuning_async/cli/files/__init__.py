"""The `files` commands."""

from cyclopts import App

from fine_tuning_async.cli.groups import group

HERE = __name__

app: App = group(
    "files",
    "Files: what jobs train on, and what they leave behind.",
    {
        "check": f"{HERE}.checking:check",
        "upload": f"{HERE}.moving:upload",
        "list": f"{HERE}.reading:list_files",
        "get": f"{HERE}.reading:get",
        "download": f"{HERE}.moving:download",
        "delete": f"{HERE}.reading:delete",
    },
)
