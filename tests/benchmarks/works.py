"""What is measured: each row of the table, who takes part, and how far the client may be from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import Factory, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CALLS", "EVERYONE", "OFFICIAL", "WORKS", "Calls", "LocalServer", "Program", "Work"]

OFFICIAL = ("openai", "openai-aiohttp")
EVERYONE = ("bare", "ours", *OFFICIAL)


@frozen(kw_only=True)
class Work:
    """One row.

    Attributes:
        title: What it is called in the table.
        figure: Which of the measured figures counts.
        unit: Of the figure, after it is multiplied by `scale` and divided by `share`.
        share: By how many the figure is divided, the jobs or calls of one run.
        contenders: Who takes part.
        floor: What the client may take of what the bare way takes; None where nothing was promised.
        official: What it may take of what the better of the official clients takes.
        most: The most that the figure may be, in its unit.
        rounds: How often at most; None for as often as the others.
    """

    title: str
    figure: Literal["cpu", "wall", "peak", "growth"] = "cpu"
    unit: str
    scale: float = 1.0
    share: int = 1
    contenders: tuple[str, ...] = EVERYONE
    floor: float | None = None
    official: float | None = None
    most: float | None = None
    rounds: int | None = None


@frozen(kw_only=True)
class Calls(Work):
    """Calls of the API.

    Attributes:
        kind: Which.
        count: How many jobs the list has, or how many calls are made.
        limit: Jobs a page.
        in_flight: Calls at once.
        pause: Seconds of the caller's own work for each page.
        delay: Milliseconds that the server takes for each answer.
        warm_up: How many jobs are listed before it counts.
    """

    kind: Literal["iterate", "create", "retrieve"]
    count: int
    limit: int = 100
    in_flight: int = 1
    pause: float = 0.0
    delay: int = 0
    warm_up: int = 200


CALLS = Calls


@frozen(kw_only=True)
class Program(Work):
    """What a fresh interpreter does, without its own start.

    Attributes:
        sources: For each contender, the Python source that it runs.
    """

    sources: Mapping[str, str]
    contenders: tuple[str, ...] = Factory(lambda self: tuple(self.sources), takes_self=True)


@frozen(kw_only=True)
class LocalServer(Work):
    """What the local server takes for its part.

    Attributes:
        kind: Pages, creates, or its own start.
    """

    kind: Literal["page", "create", "start"]
    contenders: tuple[str, ...] = ("ours",)


FLOOR = "import aiohttp"
HELP = """
import sys
from fine_tuning_async.__main__ import main
sys.argv[1:] = ["--help"]
try:
    main()
except SystemExit:
    pass
"""

WORKS: dict[str, Work] = {
    "iterate": Calls(
        title="list 20,000 jobs, 100 a page", kind="iterate", count=20_000,
        unit="µs a job", scale=1e6, share=20_000, floor=1.6, official=1 / 12,
    ),
    "iterate-20": Calls(
        title="list 20,000 jobs, 20 a page", kind="iterate", count=20_000, limit=20,
        unit="µs a job", scale=1e6, share=20_000, floor=1.6, official=1 / 8,
    ),
    "create": Calls(
        title="2,000 creates, 50 at once", kind="create", count=2_000, in_flight=50,
        unit="µs a call", scale=1e6, share=2_000, floor=1.35, official=1 / 5,
    ),
    "retrieve": Calls(
        title="2,000 retrieves, one by one", kind="retrieve", count=2_000,
        unit="µs a call", scale=1e6, share=2_000, floor=1.35, official=1 / 5,
    ),
    "import": Program(
        title="import and make a client", unit="ms", scale=1e3, floor=1.2, official=0.45,
        sources={
            "bare": FLOOR,
            "ours": "from fine_tuning_async import FineTuningClient; FineTuningClient('k')",
            "openai": "from openai import AsyncOpenAI; AsyncOpenAI(api_key='k')",
        },
    ),
    "bare-import": Program(
        title="import fine_tuning_async", unit="ms", scale=1e3, floor=0.1,
        sources={"bare": FLOOR, "ours": "import fine_tuning_async"},
    ),
    "help": Program(
        title="fine-tuning --help", unit="ms", scale=1e3, floor=0.7, sources={"bare": FLOOR, "ours": HELP}
    ),
    "memory": Calls(
        title="peak memory of a listing", kind="iterate", count=20_000, figure="peak",
        unit="MiB", scale=2.0**-20, floor=1.15, official=0.65, rounds=3,
    ),
    "overlap": Calls(
        title="40 pages, 50 ms there and here", kind="iterate", count=4_000, pause=0.05, delay=50, figure="wall",
        unit="s", floor=0.6, official=0.6, rounds=3,
    ),
    "million": Calls(
        title="growth over a million jobs", kind="iterate", count=1_000_000, figure="growth",
        unit="MiB", scale=2.0**-20, contenders=("ours",), warm_up=10_000, most=2.0, rounds=1,
    ),
    "server-page": LocalServer(
        title="local server: 100 of 10,000 jobs", kind="page", unit="ms", scale=1e3, share=100, most=1.5
    ),
    "server-create": LocalServer(
        title="local server: a create", kind="create", unit="ms", scale=1e3, share=500, most=1.0
    ),
    "server-start": LocalServer(
        title="local server: to listening", kind="start", figure="wall", unit="s", most=0.3
    ),
}  # fmt: skip
