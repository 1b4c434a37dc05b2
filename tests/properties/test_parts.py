"""Content that is cut into parts: read by several at once, joined again on the server, always the same bytes."""

from __future__ import annotations

import asyncio
import io
import random
from contextlib import closing
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fine_tuning_async.api import _source
from fine_tuning_async.api._source import open_source
from fine_tuning_async.server.store import CHUNK, Store
from fine_tuning_async.server.store.uploads import StoredPart, StoredUpload

if TYPE_CHECKING:
    from fine_tuning_async.api._source import Source

# Around the sizes of the pieces in which either side reads, where mistakes are made.
SIZES = st.sampled_from([1, 2, 1000, _source.CHUNK - 1, _source.CHUNK, _source.CHUNK + 1, 2 * CHUNK + 7])


class Reluctant(io.BytesIO):
    """Gives less than it is asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size if size is None or size < 3 else size - size // 3)


async def read_at_once(content: Any, size: int, part: int) -> list[bytes]:
    source = await open_source(content, None)
    assert source.size == size
    spans = [source.part(start, min(part, size - start)) for start in range(0, size, part)]
    return await asyncio.gather(*map(read, spans))


async def read(source: Source) -> bytes:
    return b"".join([chunk async for chunk in source.chunks()])


@settings(max_examples=40, deadline=None)
@given(
    total=st.integers(1, 3 * _source.CHUNK),
    part=SIZES.filter(lambda size: size >= 1000),
    skipped=st.integers(0, 50),
    kind=st.sampled_from([io.BytesIO, Reluctant, bytes]),
)
def test_parts_read_at_once_are_the_content(total: int, part: int, skipped: int, kind: Any) -> None:
    content = random.Random(total).randbytes(total)
    skipped = 0 if kind is bytes else skipped
    source = kind(bytes(skipped) + content)
    if kind is not bytes:
        source.seek(skipped)
    assert b"".join(asyncio.run(read_at_once(source, total, part))) == content


def stored(store: Store, parts: list[bytes]) -> int:
    """Put parts into a store in reverse order, and make them one file."""
    size = sum(map(len, parts))
    store.uploads.add(StoredUpload(1, "upload_1", "pending", "fine-tune", "f", size, None, 0, 3600))
    for number, part in reversed(list(enumerate(parts))):
        seq = store.files.begin()
        for place, start in enumerate(range(0, len(part), CHUNK)):
            store.files.write(seq, place, part[start : start + CHUNK])
        store.uploads.add_part(1, f"part_{number}", StoredPart(seq, len(part)))
    found = [store.uploads.part(1, f"part_{number}") for number in range(len(parts))]
    file_seq = store.files.begin()
    store.uploads.join(1, file_seq, [part for part in found if part is not None])
    return file_seq


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(SIZES, min_size=1, max_size=5), data=st.data())
def test_a_file_of_parts_is_read_from_any_place(sizes: list[int], data: st.DataObject) -> None:
    parts = [random.Random(size).randbytes(size) for size in sizes]
    content = b"".join(parts)
    with closing(Store(None)) as store:
        seq = stored(store, parts)
        assert b"".join(store.files.pieces(seq)) == content
        position = data.draw(st.integers(0, len(content) - 1))
        piece = store.files.piece(seq, position)
        assert piece
        assert content.startswith(piece, position)
        assert store.files.piece(seq, len(content)) is None
        store.files.discard(seq)
        assert store.files.piece(seq, 0) is None
