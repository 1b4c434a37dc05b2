"""The `jobs` commands."""

from cyclopts import App

from fine_tuning_async.cli.groups import group

HERE = __name__

app: App = group(
    "jobs",
    "Fine-tuning jobs: create, read, steer, follow and plot them.",
    {
        "create": f"{HERE}.create:create",
        "list": f"{HERE}.reading:list_jobs",
        "get": f"{HERE}.reading:get",
        "cancel": f"{HERE}.steering:cancel",
        "pause": f"{HERE}.steering:pause",
        "resume": f"{HERE}.steering:resume",
        "wait": f"{HERE}.waiting:wait",
        "follow": f"{HERE}.waiting:follow",
        "events": f"{HERE}.reading:events",
        "checkpoints": f"{HERE}.reading:checkpoints",
        "plot": "fine_tuning_async.cli.plot.command:plot",
    },
)
