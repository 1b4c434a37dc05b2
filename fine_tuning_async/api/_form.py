"""The form in which content is sent."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING
from uuid import uuid4

from fine_tuning_async._wire import Body

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from ._source import Source

__all__ = ["form", "multipart"]


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


def multipart(
    fields: Iterable[tuple[str, str]], filename: str, boundary: str, *, name: str = "file"
) -> tuple[str, bytes, bytes]:
    """Return content type, and what goes before and after a file, of this name, in a form (RFC 7578)."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields
    ]
    # The WHATWG form submission rules say how a file name with quotes or line breaks is written.
    quoted = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{quoted}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return (
        f"multipart/form-data; boundary={boundary}",
        # A file name that is no UTF-8 comes as surrogates (PEP 383); the server gets question marks for them.
        "".join(parts).encode("utf-8", "replace"),
        f"\r\n--{boundary}--\r\n".encode(),
    )
