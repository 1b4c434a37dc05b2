"""JSON text to models, quickly where nothing in it is unusual, and else through the hooks, which are the law.

There are three ways: for texts without unknown fields; for texts whose unknown fields can hold no trap; for all.
They give the same models, and refuse the same texts: what one of them will not take, it leaves to the next, and
the last one words the errors.

Each item of a page keeps a text of its own, so that who keeps one item does not keep the page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
from attrs import frozen

from ._codec import structure, structure_page
from ._document import decode, describe
from ._hooks import Mismatch, hook_for
from ._mirror import built_by, mirrored
from ._values import value
from .errors import ResponseFormatError
from .models import WireObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._mirror import Build

__all__ = ["Listing", "read", "read_page"]

M = TypeVar("M", bound=WireObject)

REFUSALS = (ValueError, RecursionError, Mismatch)  # msgspec's errors are ValueErrors
DEEP = 500  # levels that Python's own limit leaves room for, wherever the text is decoded in the end
SHALLOW = 2 * DEEP  # bytes of a text that cannot be deeper: each level opens and closes

_NO_OPENING = bytes(each for each in range(256) if each not in b"[{")

# A number too large for a double has three digits of exponent, or more than two hundred of its own: these are
# searched for once all digits are alike.
_FOLD = bytes.maketrans(b"123456789E+", b"000000000ee")
_LONG = b"0" * 200
_EXPONENT = b"e000"
_NUMBER_ENDS = re.compile(rb"e0+[,\]}\s]")  # what an identifier is not followed by


@value
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


class _EmptyEnvelope(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    data: Annotated[list[Any], msgspec.Meta(max_length=0)]
    has_more: bool | None = None
    last_id: Any = None
    object: Any = None
    first_id: Any = None


_open = msgspec.json.Decoder(_Envelope).decode
_open_empty = msgspec.json.Decoder(_EmptyEnvelope).decode
_part = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read(cls: type[M], text: bytes, *, request_id: str | None = None) -> M:
    """Make a model of JSON text.

    Raises:
        ResponseFormatError: It is no JSON, or does not fit; the message names the path.
    """
    readers: _Readers[M] = _READERS[cls]
    try:
        return readers.exact(text)
    except REFUSALS:
        pass
    try:
        _refuse_traps(text)
        return readers.tolerant(text)
    except REFUSALS:
        return structure(cls, decode(text, request_id=request_id), request_id=request_id)


def read_page(cls: type[M], text: bytes, *, request_id: str | None = None) -> Listing[M]:
    """Make models of a list.

    Raises:
        ResponseFormatError: It is no JSON, no list object, or an item does not fit.
    """
    readers: _Readers[M] = _READERS[cls]
    try:
        envelope, items = _parted(text)
        return _listing(readers.page(items), envelope)
    except REFUSALS:
        pass
    try:
        _refuse_traps(text)
        _refuse_long_rest(text, (whole := _open(text)).data)
        return _listing([*map(readers.tolerant, map(bytes, whole.data))], whole)
    except REFUSALS:
        return _read_strictly(cls, decode(text, request_id=request_id), request_id)


def _parted(text: bytes) -> tuple[_EmptyEnvelope, memoryview]:
    """Part a page into what is around its items, and the list of these.

    The first `[` and the last `]` hold the items, if what is around them is an envelope whose `data` is empty:
    between them there is no other place for that.
    """
    start, end = text.find(b"["), text.rfind(b"]") + 1
    around = text[:start] + b"[]" + text[end:]
    if len(around) > SHALLOW:
        _refuse_deep(around)
    return _open_empty(around), memoryview(text)[start:end]


def _listing(models: list[M], envelope: _Envelope | _EmptyEnvelope) -> Listing[M]:
    last = getattr(models[-1], "id", None) if models else envelope.last_id
    return Listing(models, envelope.has_more, last)


@frozen
class _Readers(Generic[M]):
    """What reads one class.

    Attributes:
        exact: Reads one item, and refuses unknown fields.
        tolerant: Reads one item, and skips them.
        page: Reads a list of items, and refuses unknown fields.
    """

    exact: Callable[[bytes], M]
    tolerant: Callable[[bytes], M]
    page: Callable[[memoryview], list[M]]


class _ReadersByClass(dict[type[WireObject], _Readers[Any]]):
    def __missing__(self, cls: type[WireObject]) -> _Readers[Any]:
        build, exact, tolerant = built_by(cls, hook_for), mirrored(cls, exact=True), mirrored(cls, exact=False)
        self[cls] = _Readers(_reader(exact, build), _reader(tolerant, build), _page_reader(exact, build))
        return self[cls]


_READERS = _ReadersByClass()


def _reader(mirror: type[msgspec.Struct], build: Build) -> Callable[[bytes], WireObject]:
    decoded = msgspec.json.Decoder(mirror).decode

    def read_item(text: bytes) -> WireObject:
        if len(text) > SHALLOW:
            _refuse_deep(text)
        return build(decoded(text), text)

    return read_item


def _page_reader(mirror: type[msgspec.Struct], build: Build) -> Callable[[memoryview], list[WireObject]]:
    decoded = msgspec.json.Decoder(list[mirror]).decode  # type: ignore[valid-type]

    def read_items(text: memoryview) -> list[WireObject]:
        texts = [*map(bytes, _part(text))]
        for each in texts:
            if len(each) > SHALLOW:
                _refuse_deep(each)
        return [*map(build, decoded(text), texts)]

    return read_items


def _refuse_deep(text: bytes) -> None:
    if len(text.translate(None, _NO_OPENING)) > DEEP:
        raise ValueError("it may be nested deeply")


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
    if not isinstance(document, dict) or (documents := _items(document)) is None:
        message = f"the answer is no list of objects: `data` is missing or wrong in {describe(document)}"
        raise ResponseFormatError(message, path="$.data", request_id=request_id)
    has_more = document.get("has_more")
    if has_more is not None and not isinstance(has_more, bool):
        message = f"has_more should be true or false, but is {describe(has_more)}"
        raise ResponseFormatError(message, path="$.has_more", request_id=request_id)
    items = structure_page(cls, documents, request_id=request_id)
    last = getattr(items[-1], "id", None) if items else document.get("last_id")
    return Listing(items, has_more, last)


def _items(document: dict[str, object]) -> list[object] | None:
    """Return the items of a list object, or None if it is none.

    Servers written in Go send null for a list without items. So does one that failed and said so with a 200, which
    must not pass for an end of the list: null counts only in what says of itself that it is a list.
    """
    documents = document.get("data", "missing")
    is_list = document.get("object") == "list" or document.get("has_more") is False
    if documents is None and is_list and not document.get("error"):
        return []
    return documents if isinstance(documents, list) else None
