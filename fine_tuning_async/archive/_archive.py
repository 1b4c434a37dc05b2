"""An archive, read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar

from fine_tuning_async._reading import read
from fine_tuning_async.errors import ArchiveError
from fine_tuning_async.models import (
    CheckpointPermission,
    File,
    FineTuningJob,
    JobCheckpoint,
    JobEvent,
    Model,
    WireObject,
)

from ._contents import Contents
from ._database import explained, open_for_reading
from ._export import exported, lines
from ._report import ArchivedFile, ArchiveGap, ArchiveSummary
from ._schema import OWNERS
from ._verify import verified

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from types import TracebackType

    from ._verify import ArchiveVerification

__all__ = ["Archive"]

M = TypeVar("M", bound=WireObject)


class Archive:
    """What `archive_account` has made: everything in it, without a server.

    Use it as `with Archive(directory) as archive:`, or call `close` in the end. Its methods block: in a running
    loop, call them through `asyncio.to_thread`. It may be read while a run writes to it.

    Args:
        directory: Where the archive is.

    Raises:
        ArchiveError: There is none, or it was made by a newer version.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory: Path = Path(directory)
        self._connection = open_for_reading(self.directory)
        self._contents = Contents(self.directory)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.directory)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the archive; closing twice is fine."""
        self._connection.close()

    def jobs(self) -> Iterator[FineTuningJob]:
        """Iterate over the jobs, newest first."""
        yield from self._models(FineTuningJob, "SELECT document FROM jobs ORDER BY created_at DESC, tie, id")

    def job(self, job_id: str) -> FineTuningJob:
        """Return a job.

        Raises:
            ArchiveError: It is not in the archive.
        """
        return self._model(FineTuningJob, "jobs", job_id)

    def events(self, job_id: str) -> Iterator[JobEvent]:
        """Iterate over the events of a job, newest first."""
        return self._belonging(JobEvent, "events", job_id)

    def checkpoints(self, job_id: str) -> Iterator[JobCheckpoint]:
        """Iterate over the checkpoints of a job, newest first."""
        return self._belonging(JobCheckpoint, "checkpoints", job_id)

    def permissions(self, checkpoint: str) -> Iterator[CheckpointPermission]:
        """Iterate over the permissions of a checkpoint, by the name to use it by, newest first."""
        return self._belonging(CheckpointPermission, "permissions", checkpoint)

    def models(self) -> Iterator[Model]:
        """Iterate over the models that the account could use, by name."""
        yield from self._models(Model, "SELECT document FROM models ORDER BY id")

    def files(self) -> Iterator[ArchivedFile]:
        """Iterate over the files that jobs name, newest first, those that could not be had included."""
        for row in self._rows(f"{_FILES} ORDER BY created_at DESC, tie, id"):
            yield self._file(*row)

    def file(self, file_id: str) -> ArchivedFile:
        """Return a file.

        Raises:
            ArchiveError: No job of the archive names it.
        """
        for row in self._rows(f"{_FILES} WHERE id = ?", file_id):
            return self._file(*row)
        raise ArchiveError(f"there is no file {file_id!r} in {self!r}")

    def open(self, file_id: str) -> BinaryIO:
        """Open the content of a file for reading.

        Raises:
            ArchiveError: It is not in the archive.
        """
        path = self.file(file_id).path
        if path is None:
            raise ArchiveError(f"{self!r} knows the file {file_id!r}, but does not have its content")
        with explained(self.directory):
            return path.open("rb")

    def gaps(self) -> Iterator[ArchiveGap]:
        """Iterate over what could not be had."""
        for row in self._rows("SELECT kind, id, status, reason FROM gaps ORDER BY kind, id"):
            yield ArchiveGap(*row)

    def summary(self) -> ArchiveSummary:
        """Return how much there is of everything."""
        counts = {name: self._count(f"SELECT count(*) FROM {name}") for name in _COUNTED}  # noqa: S608 - our own names
        states = dict(self._rows("SELECT state, count(*) FROM files GROUP BY state"))
        ended = self._count("SELECT max(ended_at) FROM runs")
        return ArchiveSummary(
            jobs=dict(self._rows("SELECT status, count(*) FROM jobs GROUP BY status ORDER BY status")),
            unfinished=self._count("SELECT count(*) FROM jobs WHERE NOT settled"),
            files=states.get("stored", 0),
            files_gone=states.get("gone", 0),
            files_missing=states.get("wanted", 0),
            size=self._count("SELECT total(size) FROM (SELECT DISTINCT sha256, size FROM files)"),
            last_run=datetime.fromtimestamp(ended, UTC) if ended else None,
            **counts,
        )

    def lines(self) -> Iterator[bytes]:
        """Iterate over everything but the contents, as lines of JSON: by kind, and then by id.

        A line says its `kind` (job, event, checkpoint, permission, file, model or gap) and its `id`, to what it
        belongs, and has the server's own JSON in `document`. Two archives of the same account have the same lines.
        """
        with explained(self.directory):
            yield from lines(self._connection)

    def export(self, destination: str | os.PathLike[str]) -> int:
        """Write all lines into a file, and return how many there are.

        The file gets its name when it is whole: what was there before is replaced at once.

        Raises:
            ArchiveError: The file cannot be written.
        """
        return exported(self.lines(), Path(destination))

    def verify(self) -> ArchiveVerification:
        """Read every content, and compare it with its checksum; check the database too."""
        with explained(self.directory):
            return verified(self._connection, self._contents)

    def _belonging(self, cls: type[M], table: str, owner: str) -> Iterator[M]:
        query = f"SELECT document FROM {table} WHERE {OWNERS[table]} = ? ORDER BY number DESC"  # noqa: S608 - our own names
        yield from self._models(cls, query, owner)

    def _models(self, cls: type[M], query: str, *values: str) -> Iterator[M]:
        for (document,) in self._rows(query, *values):
            yield read(cls, document.encode())

    def _model(self, cls: type[M], table: str, thing_id: str) -> M:
        for model in self._models(cls, f"SELECT document FROM {table} WHERE id = ?", thing_id):  # noqa: S608 - our own names
            return model
        raise ArchiveError(f"there is nothing named {thing_id!r} among the {table} of {self!r}")

    def _file(
        self, file_id: str, state: str, sha256: str | None, size: int | None, text: str | None
    ) -> ArchivedFile:
        return ArchivedFile(
            id=file_id,
            state=state,
            file=None if text is None else read(File, text.encode()),
            sha256=sha256,
            size=size,
            path=None if sha256 is None or state != "stored" else self._contents.path(sha256),
        )

    def _count(self, query: str) -> int:
        return int(next(self._rows(query))[0] or 0)

    def _rows(self, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        with explained(self.directory):
            yield from self._connection.execute(query, values)


_FILES = "SELECT id, state, sha256, size, document FROM files"
_COUNTED = ("events", "checkpoints", "permissions", "models", "gaps")
