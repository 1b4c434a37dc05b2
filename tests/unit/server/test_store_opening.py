"""Files that are opened as a database, whatever became of them."""

from __future__ import annotations

import os
import random
import shutil
import socket
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import LocalServer, StartError
from fine_tuning_async.server.records import Job
from fine_tuning_async.server.store import CHUNK, Store
from fine_tuning_async.server.store.schema import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fine_tuning_async.server.store.opening import Sync

COMMITS = 20


def job_of(seq: int) -> Job:
    return Job(
        id=f"ftjob-{seq}",
        created_at=1,
        model="m",
        training_file="f",
        validation_file=None,
        suffix=None,
        seed=1,
        method="supervised",
        settings={"hyperparameters": {}},
        integrations=[],
        metadata={"number": str(seq)},
        seq=seq,
        events=1,
    )


def commit(store: Store, seq: int) -> None:
    """Make a job with what hangs on it, and a file, in one transaction."""
    job = job_of(seq)
    with store.transaction():
        store.jobs.add(job, b"{}")
        store.jobs.add_event(job, f"ftevent-{seq}", b"{}")
        store.jobs.remember(str(seq).encode(), b"digest", job.id)
        store.files.write(store.files.begin(), 0, bytes(seq))
        store.save_time(seq)


def held(store: Store) -> int:
    """Return how many jobs there are: those made first, each with all that hangs on it."""
    seqs = [row for row, _ in store.lists.jobs(None, COMMITS).rows]
    count = len(seqs)
    assert seqs == [f"ftjob-{seq}" for seq in range(count, 0, -1)]
    for seq in range(1, count + 1):
        assert store.jobs.find(f"ftjob-{seq}") == job_of(seq)
        assert store.jobs.event_views(job_of(seq)) == [b"{}"]
        assert store.jobs.remembered(str(seq).encode()) == (b"digest", f"ftjob-{seq}")
        assert store.lists.jobs_with_metadata([("number", str(seq))], None, 2).rows == [(f"ftjob-{seq}", b"{}")]
    assert store.time() == (count or None)
    return count


def image(path: Path, to: Path, *, log: int | None = None) -> None:
    """Copy a database that is open, as it lies on the disk when its process is killed."""
    shutil.copyfile(path, to)
    shutil.copyfile(f"{path}-wal", f"{to}-wal")
    if log is not None:
        os.truncate(f"{to}-wal", log)


def test_what_was_committed_is_there_after_a_kill(tmp_path: Path) -> None:
    path, copy = tmp_path / "jobs.db", tmp_path / "copy.db"
    with closing(Store(str(path))) as store:
        for seq in range(1, 11):
            commit(store, seq)
            image(path, copy)
            with closing(Store(str(copy))) as survivor:
                assert held(survivor) == seq


def test_a_log_that_is_cut_anywhere_leaves_what_was_committed_first(tmp_path: Path) -> None:
    path, copy = tmp_path / "jobs.db", tmp_path / "copy.db"
    draw, counts = random.Random(1), []
    with closing(Store(str(path))) as store:
        for seq in range(1, COMMITS + 1):
            commit(store, seq)
        whole = (tmp_path / "jobs.db-wal").stat().st_size
        for length in sorted([0, 31, 32, whole - 1, whole, *(draw.randrange(whole) for _ in range(24))]):
            image(path, copy, log=length)
            with closing(Store(str(copy))) as survivor:
                counts.append(held(survivor))
                commit(survivor, counts[-1] + 1)
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, COMMITS)
    assert len({*counts}) > COMMITS / 2


def test_a_log_that_grew_long_is_written_into_the_file_and_emptied(tmp_path: Path) -> None:
    path, copy, log = tmp_path / "jobs.db", tmp_path / "copy.db", tmp_path / "jobs.db-wal"
    with closing(Store(str(path))) as store:
        commit(store, 1)
        seq = store.files.begin()
        written, sizes = 0, [0]
        while sizes[-1] >= max(sizes[-2:]) and len(sizes) < 8:
            with store.transaction():
                for _ in range(64):
                    store.files.write(seq, written, bytes(CHUNK))
                    written += 1
            sizes.append(log.stat().st_size)
        assert sizes[-1] == 0
        assert written * CHUNK < 128 << 20
        commit(store, 2)
        image(path, copy, log=0)
    with closing(Store(str(copy))) as survivor:
        assert held(survivor) == 1


@pytest.mark.parametrize("done", ["nothing", "written", "emptied"])
def test_a_log_that_is_cut_while_it_is_written_into_the_file_costs_nothing(done: str, tmp_path: Path) -> None:
    path, copy = tmp_path / "jobs.db", tmp_path / "copy.db"
    with closing(Store(str(path))) as store:
        for seq in range(1, COMMITS // 2):
            commit(store, seq)
        early = log_of(path).read_bytes()
        for seq in range(COMMITS // 2, COMMITS + 1):
            commit(store, seq)
        lay_aside(store)
        if done != "nothing":
            store._connection.execute(f"PRAGMA wal_checkpoint({'PASSIVE' if done == 'written' else 'TRUNCATE'})")
        whole = log_of(path).stat().st_size
        for length in sorted({0, min(whole, 31), min(whole, len(early)), max(0, whole - 1), whole}):
            image(path, copy, log=length)
            shutil.copyfile(f"{path}-wal-copy", f"{copy}-wal-copy")
            with closing(Store(str(copy))) as survivor:
                assert held(survivor) == COMMITS
            assert [each.name for each in tmp_path.glob("copy.db*")] == ["copy.db"]


def test_a_copy_that_was_left_behind_takes_nothing_back(tmp_path: Path) -> None:
    path, copy = tmp_path / "jobs.db", tmp_path / "copy.db"
    with closing(Store(str(path))) as store:
        commit(store, 1)
        lay_aside(store)
        commit(store, 2)
        for seq in (2, 3):
            image(path, copy)
            shutil.copyfile(f"{path}-wal-copy", f"{copy}-wal-copy")
            with closing(Store(str(copy))) as survivor:
                assert held(survivor) == seq
            if seq == 2:
                store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                commit(store, 3)


def test_a_copy_that_is_torn_is_left_out(tmp_path: Path) -> None:
    """As the machine's death leaves it, which finds all in the file by then."""
    path, copy = tmp_path / "jobs.db", tmp_path / "copy.db"
    with closing(Store(str(path))) as store:
        for seq in range(1, COMMITS + 1):
            commit(store, seq)
        lay_aside(store)
        store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = (tmp_path / "jobs.db-wal-copy").stat().st_size
        for torn in (0, 3, whole // 2, whole - 1):
            image(path, copy)
            shutil.copyfile(f"{path}-wal-copy", f"{copy}-wal-copy")
            os.truncate(f"{copy}-wal-copy", torn)
            with closing(Store(str(copy))) as survivor:
                assert held(survivor) == COMMITS


class Watched:
    """A connection that says when it has done something."""

    def __init__(self, connection: sqlite3.Connection, tell: Callable[[], object]) -> None:
        self.connection = connection
        self.tell = tell

    def execute(self, query: str) -> sqlite3.Cursor:
        found = self.connection.execute(query)
        self.tell()
        return found


def test_the_copy_lies_there_for_as_long_as_the_log_is_written_into_the_file(tmp_path: Path) -> None:
    path, seen = tmp_path / "jobs.db", list[set[str]]()

    def look() -> None:
        seen.append({each.name for each in tmp_path.iterdir()})

    with closing(Store(str(path))) as store:
        commit(store, 1)
        assert store._log is not None
        store._log.shorten(Watched(store._connection, look), beyond=0)  # type: ignore[arg-type]
        look()
    assert seen == [{"jobs.db", "jobs.db-wal", "jobs.db-wal-copy"}, {"jobs.db", "jobs.db-wal"}]


def test_the_copy_of_a_file_in_use_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with closing(Store(str(path))) as store:
        commit(store, 1)
        lay_aside(store)
        with pytest.raises(StartError, match="another server"):
            Store(str(path))
        assert (tmp_path / "jobs.db-wal-copy").exists()
        commit(store, 2)
    assert [each.name for each in tmp_path.iterdir()] == ["jobs.db"]


def test_a_log_is_shortened_where_there_is_no_room_for_its_copy(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with closing(Store(str(path))) as store:
        commit(store, 1)
        (tmp_path / "jobs.db-wal-copy-part").symlink_to("/dev/full")
        assert store._log is not None
        store._log.shorten(store._connection, beyond=0)
        assert log_of(path).stat().st_size == 0
        assert {each.name for each in tmp_path.iterdir()} == {"jobs.db", "jobs.db-wal"}
        commit(store, 2)
        assert held(store) == 2


def lay_aside(store: Store) -> None:
    assert store._log is not None
    store._log._lay_aside()


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


@pytest.mark.parametrize(("sync", "level"), [("normal", 1), ("full", 2)])
def test_a_commit_waits_for_the_disk_if_it_is_to(tmp_path: Path, sync: Sync, level: int) -> None:
    server = LocalServer(db=tmp_path / "jobs.db", sync=sync)
    for _ in ("made", "opened again"):
        with server, server._service.session():
            connection = server._service.store._connection
            assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_degree_of_durability_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="sync must be normal or full, not 'extra'"):
        LocalServer(sync="extra")  # type: ignore[arg-type]


def make_newer(path: Path) -> None:
    Store(str(path)).close()
    execute(path, f"PRAGMA user_version = {VERSION + 1}")


def make_damaged(path: Path) -> None:
    with closing(Store(str(path))) as store:
        for seq in range(1, COMMITS + 1):
            commit(store, seq)
    with path.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"damage" * 4096)


def make_foreign(path: Path, *, version: int = 0) -> None:
    execute(path, "CREATE TABLE notes (text)", f"PRAGMA user_version = {version}")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_text("milk, eggs\n"), "it is no database"),
        (lambda path: path.write_text("milk, eggs\n" * 1000), "it is no database"),
        (lambda path: path.mkdir(), "it is a directory, not a file"),
        (make_pipe, "it is a device or a pipe, not a file"),
        (make_socket, "it is a device or a pipe, not a file"),
        (make_damaged, "it is damaged: "),
        (make_foreign, "it is a database of another program"),
        (partial(make_foreign, version=2), "it is a database of another program"),
        (make_newer, rf"a newer version .* tables of version {VERSION + 1}, .* up to version {VERSION}: upgrade"),
        (lambda path: path.symlink_to(path / "x" / "y"), "cannot"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line_and_left_alone(
    make: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    path = tmp_path / "here.db"
    make(path)
    was = path.read_bytes() if path.is_file() else None
    with pytest.raises(StartError, match=f"cannot use the database .*here.db: .*{why}") as caught:
        LocalServer(db=path).start()
    assert "\n" not in str(caught.value)
    assert was == (path.read_bytes() if path.is_file() else None)


def test_jobs_that_cannot_be_read_are_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with closing(Store(str(path))) as store:
        commit(store, 1)
    execute(path, "UPDATE jobs SET due_at = 5, record = '{\"unknown\": 1}'")
    with pytest.raises(StartError, match="unexpected keyword argument 'unknown'"):
        LocalServer(db=path).start()
    execute(path, "UPDATE jobs SET due_at = NULL")
    with LocalServer(db=path):
        """What kept it from its start has left nothing open."""


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"there is no directory .*nowhere"):
        LocalServer(db=tmp_path / "nowhere" / "jobs.db").start()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    Store(str(path)).close()
    path.chmod(0o444)
    with pytest.raises(StartError, match="cannot"):
        Store(str(path))


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    path.touch()
    Store(str(path)).close()
    assert path.stat().st_size > 0


def test_a_file_that_another_has_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with (
        LocalServer(db=path),
        pytest.raises(StartError, match=r"jobs\.db: another server or program is using it"),
    ):
        LocalServer(db=path).start()
    with LocalServer(db=path):
        """It is free again."""


def test_the_file_is_the_same_wherever_the_process_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    server = LocalServer(db="jobs.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with server:
        assert (tmp_path / "jobs.db").exists()


def test_a_name_that_sqlite_takes_for_something_else_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "file:x?mode=memory"):
        with LocalServer(db=name):
            assert (tmp_path / name).stat().st_size > 0


def test_a_full_disk_fails_a_commit_and_nothing_else(tmp_path: Path) -> None:
    with closing(Store(str(tmp_path / "jobs.db"))) as store:
        commit(store, 1)
        connection = store._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

        def fill() -> None:
            with store.transaction():
                store.files.write(7, 0, bytes(CHUNK))

        with pytest.raises(sqlite3.OperationalError, match="full"):
            fill()
        connection.execute(f"PRAGMA max_page_count = {pages * 100}")
        commit(store, 2)
        assert held(store) == 2
