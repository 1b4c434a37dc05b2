"""What can go wrong with a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from . import plays
from .limits import FaultError, check_flag, check_name, check_seconds, check_text, check_whole

if TYPE_CHECKING:
    from random import Random

    from .exchange import Play

REQUEST, TIME, BREAK, ANSWER = range(4)
"""The order in which the faults of one request lie around its work, from the outermost."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with a request; made by the class methods, equal if it does the same.

    Attributes:
        kind: The name of the class method that made it.
        options: What was given to it, by name.
    """

    kind: str
    options: tuple[tuple[str, object], ...]
    rank: int = field(repr=False, compare=False)
    play: Play = field(repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Fault.{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.options)})"

    def ready(self, dice: Random) -> Play:
        """Return what plays it for one request, with the time drawn where there is a range."""
        return self.play.drawn(dice) if isinstance(self.play, plays.Late) else self.play

    @classmethod
    def reply_delayed(cls, seconds: float, *, up_to: float | None = None) -> Self:
        """The work is done at once, and the answer leaves after so many seconds of the loop's time.

        Args:
            seconds: How long.
            up_to: If given, a time between `seconds` and this is drawn for each request.
        """
        return cls._late("reply_delayed", seconds, up_to, after_work=True)

    @classmethod
    def work_delayed(cls, seconds: float, *, up_to: float | None = None) -> Self:
        """The request is read, and the work is done after so many seconds, even if the client has left meanwhile.

        A form is read after the wait: an upload whose client has left is not done.

        Args:
            seconds: How long.
            up_to: If given, a time between `seconds` and this is drawn for each request.
        """
        return cls._late("work_delayed", seconds, up_to, after_work=False)

    @classmethod
    def _late(cls, kind: str, seconds: float, up_to: float | None, *, after_work: bool) -> Self:
        check_seconds(seconds, "seconds")
        if up_to is not None:
            check_seconds(up_to, "up_to", least=seconds)
        options = (("seconds", seconds), ("up_to", up_to))
        return cls(kind, options, TIME, plays.Late(seconds, up_to, after_work))

    @classmethod
    def status(cls, status: int = 500, *, after_work: bool = False, code: str | None = None) -> Self:
        """An error status, before the work or in place of its answer.

        Args:
            status: 400 to 599.
            after_work: Whether the work is done.
            code: The code in the error's envelope.
        """
        check_whole(status, "status", 400, 599)
        check_flag(after_work, "after_work")
        check_text(code, "code")
        kind = "server_error" if status >= 500 else "invalid_request_error"  # noqa: PLR2004 - the families of statuses
        problem = status, f"The server was told to answer {status}.", kind, code
        options = (("status", status), ("after_work", after_work), ("code", code))
        return cls("status", options, BREAK, plays.Refused(problem, (), after_work))

    @classmethod
    def rate_limited(
        cls, seconds: float | None = None, *, milliseconds: float | None = None, code: str = "rate_limit_exceeded"
    ) -> Self:
        """A 429, before any work.

        Args:
            seconds: Sent as `Retry-After`.
            milliseconds: Sent as `retry-after-ms`.
            code: The code in the error's envelope.
        """
        headers = []
        if seconds is not None:
            headers.append(("Retry-After", f"{check_seconds(seconds, 'seconds'):g}"))
        if milliseconds is not None:
            headers.append(("retry-after-ms", f"{check_seconds(milliseconds, 'milliseconds'):g}"))
        check_text(code, "code")
        problem = 429, "Rate limit reached: the server was told to say so.", "requests", code
        options = (("seconds", seconds), ("milliseconds", milliseconds), ("code", code))
        return cls("rate_limited", options, BREAK, plays.Refused(problem, tuple(headers), after_work=False))

    @classmethod
    def reply_dropped(cls, *, after_work: bool = True) -> Self:
        """The connection is closed (FIN) in place of an answer.

        Args:
            after_work: Whether the work is done.
        """
        check_flag(after_work, "after_work")
        return cls(
            "reply_dropped", (("after_work", after_work),), BREAK, plays.Broken(reset=False, after_work=after_work)
        )

    @classmethod
    def reset(cls, *, after_work: bool = False) -> Self:
        """The connection is reset (RST) in place of an answer.

        Args:
            after_work: Whether the work is done.
        """
        check_flag(after_work, "after_work")
        return cls("reset", (("after_work", after_work),), BREAK, plays.Broken(reset=True, after_work=after_work))

    @classmethod
    def cut(cls, after: int | None = None) -> Self:
        """The work is done, and the answer's body ends too early.

        Args:
            after: How many bytes of the body leave, but never all of them; half if None.
        """
        return cls._partial("cut", after, silent=False)

    @classmethod
    def stalled(cls, after: int | None = None) -> Self:
        """The work is done, the answer begins, and then nothing comes any more, until the server stops.

        Args:
            after: How many bytes of the body leave, but never all of them; half if None.
        """
        return cls._partial("stalled", after, silent=True)

    @classmethod
    def _partial(cls, kind: str, after: int | None, *, silent: bool) -> Self:
        if after is not None:
            check_whole(after, "after", 0, 2**40)
        return cls(kind, (("after", after),), BREAK, plays.Cut(after, silent))

    @classmethod
    def trickled(cls, interval: float = 1.0, *, size: int = 1) -> Self:
        """The work is done, and the answer's body comes a few bytes at a time.

        Args:
            interval: Seconds between them.
            size: How many bytes.
        """
        check_seconds(interval, "interval")
        check_whole(size, "size", 1, 2**40)
        options = (("interval", interval), ("size", size))
        return cls("trickled", options, BREAK, plays.Trickled(interval, size))

    @classmethod
    def malformed(cls, body: str = '{"object": ', *, content_type: str = "application/json") -> Self:
        """The work is done, and the answer is a 200 with another body.

        Args:
            body: What is sent: broken JSON, HTML, JSON of another shape.
            content_type: What it is said to be.
        """
        for value, name in ((body, "body"), (content_type, "content_type")):
            if not isinstance(value, str) or (name == "content_type" and not value.isprintable()):
                raise FaultError(f"{name} is {value!r}; it must be text", name)
        options = (("body", body), ("content_type", content_type))
        return cls("malformed", options, BREAK, plays.Malformed(body.encode(), content_type))

    @classmethod
    def has_more(cls, value: bool | None) -> Self:  # noqa: FBT001 - it is what the field says
        """A page says another `has_more` than is true. An answer that is no page stays as it is.

        Args:
            value: What it says; None to leave the field out.
        """
        if value is not None:
            check_flag(value, "value")
        return cls("has_more", (("value", value),), ANSWER, plays.HasMore(value))

    @classmethod
    def query_ignored(cls, name: str) -> Self:
        """A parameter of the query is not seen: `after`, and pages repeat; `metadata`, and no filter holds.

        Args:
            name: Its name, up to the bracket if there is one.
        """
        check_name(name)
        return cls("query_ignored", (("name", name),), REQUEST, plays.Ignored(name, None))

    @classmethod
    def header_ignored(cls, name: str) -> Self:
        """A header is not seen: `Idempotency-Key`, as by most servers, and behind gateways.

        Args:
            name: Its name, in any case.
        """
        check_name(name)
        return cls("header_ignored", (("name", name),), REQUEST, plays.Ignored(None, name))


KINDS: frozenset[str] = frozenset(
    name for name, made in vars(Fault).items() if isinstance(made, classmethod) and not name.startswith("_")
)
"""The names of all faults."""
