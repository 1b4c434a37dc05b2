"""What differs in the life of a job from one kind of server to another."""

from __future__ import annotations

from dataclasses import dataclass, field

from .ids import Minter
from .wording import Wording


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of one kind of server; by default OpenAI's.

    Args:
        minter: What names things.
        wording: What events say.
        missing: What stands in a result file for a figure that there is none of.
        results_while_running: Whether the result file is there, and grows, while the job runs.
    """

    minter: type[Minter] = Minter
    wording: Wording = field(default_factory=Wording)
    missing: str = ""
    results_while_running: bool = False
