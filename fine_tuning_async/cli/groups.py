"""Groups of commands, each of which is imported when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclopts import App

if TYPE_CHECKING:
    from collections.abc import Mapping


def group(name: str, summary: str, commands: Mapping[str, str]) -> App:
    """Return a group.

    Args:
        name: The word that stands before its commands.
        summary: What its help begins with.
        commands: The words of its commands, each with `module:function` of what it calls.
    """
    app = App(name=name, help=summary, version_flags=())
    for place, (word, target) in enumerate(commands.items()):
        app.command(target, name=word, sort_key=place)
    return app
