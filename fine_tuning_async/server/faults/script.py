"""One rule: which requests a fault hits, and how often it has."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Self

from .fault import Fault
from .limits import FaultError, check_whole
from .pattern import LONGEST, Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from .exchange import Play

_MOST = 2**31


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that hits a request, ready to be played."""

    fault: Fault
    play: Play


class Scope:
    """The requests that a rule is about.

    Args:
        method: The HTTP method, or None for any.
        path: The path behind the base path, where `*` is a part between slashes and `**` anything; None for any.

    Raises:
        FaultError: The method or the path cannot be one.
    """

    def __init__(self, method: str | None, path: str | None) -> None:
        if method is not None and not (isinstance(method, str) and method.isalpha()):
            raise FaultError(f"method is {method!r}; it must be an HTTP method, or None for any", "method")
        if path is not None and not (isinstance(path, str) and path.startswith("/")):
            text = f"path is {path!r}; it must begin with a slash, as in '/fine_tuning/jobs/*', or be None for any"
            raise FaultError(text, "path")
        self.method: str | None = None if method is None else method.upper()
        self.path = path
        if path is not None and len(path) > LONGEST:
            raise FaultError(f"path has {len(path)} characters; it may have {LONGEST} at most", "path")
        self._pattern = None if path is None else Pattern(path)

    def covers(self, method: str, path: str) -> bool:
        """Tell whether a request is meant."""
        if self.method not in (None, method):
            return False
        return self._pattern is None or self._pattern.covers(path)


class Script:
    """A rule among the faults of a server; left as a context, it is removed.

    Attributes:
        rates: The faults, with the part of the requests that each hits; a scripted one has the rate 1.
        scope: The requests that it is about.
        drawn: Whether chance decides whom it hits.
        times: How many requests it hits at most, or None.
        seen: How many requests of its scope have come.
        hits: How often each fault has hit.
    """

    def __init__(
        self,
        rates: Mapping[Fault, float],
        scope: Scope,
        remove: Callable[[Script], None],
        *,
        drawn: bool = False,
        skip: int = 0,
        times: int | None = None,
        seed: int = 0,
    ) -> None:
        _check_rates(rates)
        check_whole(skip, "skip", 0, _MOST)
        if times is not None:
            check_whole(times, "times", 1, _MOST)
        check_whole(seed, "seed", -(2**63), 2**63)
        self.rates: Mapping[Fault, float] = dict(rates)
        self.scope: Scope = scope
        self.drawn: bool = drawn
        self.skip: int = skip
        self.times: int | None = times
        self.seed: int = seed
        self.seen: int = 0
        self.hits: dict[Fault, int] = dict.fromkeys(rates, 0)
        self._remove = remove

    def __repr__(self) -> str:
        where = f"{self.scope.method or 'any method'} {self.scope.path or 'any path'}"
        faults = ", ".join(f"{fault}: {rate:g}" for fault, rate in self.rates.items())
        return f"<Script {{{faults}}} on {where}, hit {sum(self.hits.values())} of {self.seen}>"

    @property
    def is_spent(self) -> bool:
        """Whether it has hit as often as it may."""
        return self.times is not None and sum(self.hits.values()) >= self.times

    def remove(self) -> None:
        """Take it away: it hits no further request. Nothing happens if it is gone."""
        self._remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def draw(self) -> Hit | None:
        """Count a request of its scope; return the fault that would hit it.

        What is drawn depends on nothing but the seed and how many came before.
        """
        self.seen += 1
        if self.seen <= self.skip or self.is_spent:
            return None
        dice = Random(f"{self.seed} {self.seen}")  # noqa: S311 - guards nothing, and must be drawn again alike
        left = dice.random()
        for fault, rate in self.rates.items():
            if left < rate:
                return Hit(fault, fault.ready(dice))
            left -= rate
        return None


def _check_rates(rates: Mapping[Fault, float]) -> None:
    if not rates:
        raise FaultError(
            "rates names no fault; it maps each fault to the part of the requests that it hits", "rates"
        )
    for fault, rate in rates.items():
        if not isinstance(fault, Fault):
            raise FaultError(f"{fault!r} is no fault; make one by Fault.status() or one of its like", "fault")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise FaultError(f"the rate of {fault} is {rate!r}; it must be 0 to 1", "rates")
    if sum(rates.values()) > 1 + 1e-9:  # the sum of ten times 0.1 is a little off
        raise FaultError(f"the rates sum to {sum(rates.values()):g}; together they may have 1", "rates")
