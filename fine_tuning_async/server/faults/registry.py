"""The faults of a server, as its tests script them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .fault import BREAK
from .script import Scope, Script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .fault import Fault
    from .script import Hit


class Faults:
    """What goes wrong, and when. From any thread; what is changed holds for the requests that come afterwards.

    Several rules may be there at once. Scripted ones stand before those with rates, older ones before newer ones.
    Of the faults that break an answer, a request suffers the first that hits it; the rule of another is not used
    up. Delays, and what is ignored or said wrongly, come on top, each that hits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: list[Script] = []

    def __repr__(self) -> str:
        return f"<Faults {self.active!r}>"

    @property
    def active(self) -> list[Script]:
        """A copy of the rules that can hit a request yet, in the order in which they are asked."""
        with self._lock:
            return list(self._scripts)

    def add(
        self,
        fault: Fault,
        *,
        method: str | None = None,
        path: str | None = None,
        skip: int = 0,
        times: int | None = None,
        seed: int = 0,
    ) -> Script:
        """Let a fault hit every request that is meant.

        Args:
            fault: What goes wrong.
            method: The HTTP method, or None for any.
            path: The path behind the base path, such as `/fine_tuning/jobs`. `*` stands for a part between
                slashes, `**` for anything. None for any.
            skip: How many requests that are meant it spares first.
            times: How many it hits at most; None for no end.
            seed: What times are drawn from, if the fault has a range of them.

        Raises:
            FaultError: An argument cannot be what it is.
        """
        return self._put(Script({fault: 1}, Scope(method, path), self._remove, skip=skip, times=times, seed=seed))

    def once(self, fault: Fault, *, method: str | None = None, path: str | None = None, skip: int = 0) -> Script:
        """Let a fault hit one request: the next that is meant, or the one after `skip` of them.

        Raises:
            FaultError: An argument cannot be what it is.
        """
        return self.add(fault, method=method, path=path, skip=skip, times=1)

    def rate(
        self,
        rates: Mapping[Fault, float],
        *,
        seed: int = 0,
        method: str | None = None,
        path: str | None = None,
    ) -> Script:
        """Let faults hit requests by chance: each its part of those that are meant, at most one each.

        Which ones is drawn from the seed and the number of the request among those: same seed, same requests, same
        faults.

        Args:
            rates: The part of the requests that each fault hits, 0 to 1; in all 1 at most.
            seed: What is drawn from.
            method: As with `add`.
            path: As with `add`.

        Raises:
            FaultError: An argument cannot be what it is.
        """
        return self._put(Script(rates, Scope(method, path), self._remove, drawn=True, seed=seed))

    def clear(self) -> None:
        """Let nothing go wrong any more. What is being played goes on."""
        with self._lock:
            self._scripts.clear()

    def draw(self, method: str, path: str) -> list[Hit]:
        """Return what hits a request, in the order in which it lies around the work."""
        chosen: list[Hit] = []
        with self._lock:
            for script in self._scripts:
                if script.scope.covers(method, path):
                    self._count(script, chosen)
            if chosen:
                self._scripts = [script for script in self._scripts if not script.is_spent]
        return sorted(chosen, key=lambda hit: hit.fault.rank)

    def _put(self, script: Script) -> Script:
        with self._lock:
            self._scripts = sorted([*self._scripts, script], key=lambda each: each.drawn)
        return script

    def _remove(self, script: Script) -> None:
        with self._lock:
            self._scripts = [each for each in self._scripts if each is not script]

    @staticmethod
    def _count(script: Script, chosen: list[Hit]) -> None:
        hit = script.draw()
        broken = any(each.fault.rank == BREAK for each in chosen)
        if hit is not None and not (broken and hit.fault.rank == BREAK):
            script.hits[hit.fault] += 1
            chosen.append(hit)
