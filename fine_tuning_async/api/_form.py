"""The form in which content is sent."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING
from uuid import uuid4

from fine_tuning_async._wire import Body, multipart

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from ._source import Source

__all__ = ["form"]


def form(
    fields: Iterable[tuple[str, str]],
    content: Source,
    report: Callable[[int], object] | None = None,
    *,
    name: str = "file",
) -> Body:
    """Return a form with the content as the file `name`; `report` is called with the bytes of it sent so far."""
    content_type, head, tail = multipart(fields, content.filename, uuid4().hex, name=name)

    async def chunks() -> AsyncGenerator[bytes]:
        yield head
        sent = 0
        async with aclosing(content.chunks()) as pieces:
            async for piece in pieces:
                yield piece
                sent += len(piece)
                if report is not None:
                    report(sent)
        yield tail

    return Body(content_type, len(head) + content.size + len(tail), chunks)
