"""JSON text to models, quickly where nothing in it is unusual, and else through the hooks, which are the law.

There are three ways: for texts without unknown fields; for texts whose unknown fields can hold no trap; for all.
They give the same models, and refuse the same texts: what one of them will not take, it leaves to the next, and
the last one words the errors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from attrs import frozen

from ._codec import structure, structure_page
from ._document import decode, describe
from ._hooks import Mismatch, hook_for
from ._mirror import built_by, mirrored
from .errors import ResponseFormatError
from .models import WireObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._mirror import Build

__all__ = ["Listing", "read", "read_page"]

M = TypeVar("M", bound=WireObject)

REFUSALS = (ValueError, RecursionError, Mismatch)  # msgspec's errors are ValueErrors
DEEP = 500  # levels that Python's own limit leaves room for, wherever the text is decoded in the end

# A number too large for a double has three digits of exponent, or more than two hundred of its own: these are
# searched for once all digits are alike.
_FOLD = bytes.maketrans(b"123456789E+", b"000000000ee")
_LONG = b"0" * 200
_EXPONENT = b"e000"
_NUMBER_ENDS = re.compile(rb"e0+[,\]}\s]")  # what an identifier is not followed by


@frozen
class Listing(Generic[M]):
    """What a list answered.

    Attributes:
        items: The items, in the server's order.
        has_more: Whether the server says that more follow; None where it does not say.
        last: The id of the last item; without any, what the server names as such.
    """

    items: list[M]
    has_more: bool | None
    last: object


class _Envelope(msgspec.Struct, gc=False):
    data: list[msgspec.Raw]
    has_more: bool | None = None
    last_id: Any = None


class _ExactEnvelope(_Envelope, gc=False, forbid_unknown_fields=True):
    object: Any = None
    first_id: Any = None


_open = msgspec.json.Decoder(_Envelope).decode
_open_exact = msgspec.json.Decoder(_ExactEnvelope).decode


def read(cls: type[M], text: bytes, *, request_id: str | None = None) -> M:
    """Make a model of JSON text.

    Raises:
        ResponseFormatError: It is no JSON, or does not fit; the message names the path.
    """
    reader, tolerant = _readers(cls)
    try:
        return reader(text)
    except REFUSALS:
        pass
    try:
        _refuse_traps(text)
        return tolerant(text)
    except REFUSALS:
        return structure(cls, decode(text, request_id=request_id), request_id=request_id)


def read_page(cls: type[M], text: bytes, *, request_id: str | None = None) -> Listing[M]:
    """Make models of a list.

    Raises:
        ResponseFormatError: It is no JSON, no list object, or an item does not fit.
    """
    reader, tolerant = _readers(cls)
    try:
        return _listing(_open_exact(text), reader)
    except REFUSALS:
        pass
    try:
        _refuse_traps(text)
        _refuse_long_rest(text, (envelope := _open(text)).data)
        return _listing(envelope, tolerant)
    except REFUSALS:
        return _read_strictly(cls, decode(text, request_id=request_id), request_id)


def _listing(envelope: _Envelope, reader: Callable[[bytes], M]) -> Listing[M]:
    # A copy of each item's text, so that who keeps one item does not keep the page.
    items = [reader(bytes(each)) for each in envelope.data]
    return Listing(items, envelope.has_more, getattr(items[-1], "id", None) if items else envelope.last_id)


def _readers(cls: type[M]) -> tuple[Callable[[bytes], M], Callable[[bytes], M]]:
    """Return what reads one item: that which refuses unknown fields, and that which skips them."""
    if cls not in _READERS:
        build = built_by(cls, hook_for)
        _READERS[cls] = (_reader(cls, build, exact=True), _reader(cls, build, exact=False))
    return _READERS[cls]


_READERS: dict[type[WireObject], tuple[Callable[[bytes], Any], Callable[[bytes], Any]]] = {}


def _reader(cls: type[WireObject], build: Build, *, exact: bool) -> Callable[[bytes], WireObject]:
    decoded = msgspec.json.Decoder(mirrored(cls, exact=exact)).decode

    def read_item(text: bytes) -> WireObject:
        if len(text) > 2 * DEEP and text.count(b"{") + text.count(b"[") > DEEP:
            raise ValueError("it may be nested deeply")
        return build(decoded(text), text)

    return read_item


def _refuse_traps(text: bytes) -> None:
    """Refuse a text in which something that is skipped might be no JSON, or hold a number that is too large."""
    if not text.isascii():
        text.decode()
    folded = text.translate(_FOLD)
    at = folded.find(_EXPONENT)
    while at >= 0:
        if _NUMBER_ENDS.match(folded, at):
            raise ValueError("a number may be too large")
        at = folded.find(_EXPONENT, at + 1)
    if _LONG in folded:
        raise ValueError("a number may be too large")


def _refuse_long_rest(text: bytes, items: list[msgspec.Raw]) -> None:
    """Refuse a page that has much beside its items, where something may be nested deeply."""
    if len(text) - sum(len(memoryview(each)) for each in items) > 2 * (DEEP + len(items)):
        raise ValueError("there is much beside the items")


def _read_strictly(cls: type[M], document: object, request_id: str | None) -> Listing[M]:
    if not isinstance(document, dict) or not isinstance(documents := document.get("data"), list):
        message = f"the answer is no list of objects: `data` is missing or wrong in {describe(document)}"
        raise ResponseFormatError(message, path="$.data", request_id=request_id)
    has_more = document.get("has_more")
    if has_more is not None and not isinstance(has_more, bool):
        message = f"has_more should be true or false, but is {describe(has_more)}"
        raise ResponseFormatError(message, path="$.has_more", request_id=request_id)
    items = structure_page(cls, documents, request_id=request_id)
    last = documents[-1].get("id") if documents else document.get("last_id")
    return Listing(items, has_more, last)
