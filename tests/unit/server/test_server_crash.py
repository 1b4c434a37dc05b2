"""What a crash leaves of a server's time and files."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from typing import TYPE_CHECKING

from fine_tuning_async.server.service import Service
from fine_tuning_async.server.store import Store
from fine_tuning_async.server.store.uploads import StoredPart
from fine_tuning_async.server.wishes import Wish

if TYPE_CHECKING:
    from pathlib import Path


def crashed(path: Path, to: Path) -> str:
    """Return a copy of a database that is open, as it lies on the disk when its process is killed."""
    shutil.copyfile(path, to)
    shutil.copyfile(f"{path}-wal", f"{to}-wal")
    return str(to)


def test_the_time_of_what_was_written_does_not_come_again(tmp_path: Path) -> None:
    path, ticks = tmp_path / "jobs.db", [0.0]
    service = Service(str(path), seed=0, speed=1000)
    service.open(lambda: ticks[0])
    ticks[0] = 3600.0
    with service.session() as written:
        assert written > time.time() + 1000 * 3000
        wish = Wish("m", "file-1", None, None, 1, "supervised", {"hyperparameters": {}}, [], None)
        service.progress.begin(wish, written)
    survivor = Service(crashed(path, tmp_path / "copy.db"), seed=0, speed=None)
    survivor.open(lambda: 0.0)
    assert survivor.clock.now() >= written
    survivor.close()
    service.close()


def test_what_was_being_uploaded_is_gone_but_for_the_parts_that_had_arrived(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with closing(Store(str(path))) as store:
        whole, part = store.files.begin(), store.files.begin()
        store.files.write(whole, 0, b"half of it")
        store.files.write(part, 0, b"a part")
        store.uploads.add_part(1, "part_1", StoredPart(part, 6))
        with closing(Store(crashed(path, tmp_path / "copy.db"))) as survivor:
            assert [*survivor.files.pieces(whole)] == []
            assert [*survivor.files.pieces(part)] == [b"a part"]
            assert survivor.uploads.arrived(1) == 6
            assert survivor.files.begin() > part
