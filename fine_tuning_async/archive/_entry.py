"""Any object of the API, of which no more is known than that it has an id."""

from collections.abc import Mapping

from attrs import frozen

from fine_tuning_async._document import decode, encode
from fine_tuning_async.models import TERMINAL_STATUSES, WireObject
from fine_tuning_async.models._base import model, sent

__all__ = ["Entry", "JobNote", "checkpoint_of", "moment", "note_of", "size_of", "text_of"]


LARGEST = 2**63
"""What no number is that a database can hold: no time, and no size, is as large."""


@model
class Entry(WireObject):
    """An object as an archive keeps it: whatever else is in it, it is taken."""

    id: str


@frozen
class JobNote:
    """What an archive wants to know of a job, beside its text.

    Attributes:
        files: The ids of the files that belong to it and will not change any more.
    """

    id: str
    created_at: float
    status: str
    files: tuple[str, ...]
    text: str

    @property
    def is_terminal(self) -> bool:
        """Whether the job will not change again."""
        return self.status in TERMINAL_STATUSES


def text_of(entry: Entry) -> str:
    """Return the JSON text of an object: as the server wrote it, unless it had to be decoded to be understood."""
    origin = entry._raw  # noqa: SLF001 - `sent` would decode it, and lose how it was written
    return (origin if isinstance(origin, bytes) else encode(sent(entry))).decode()


def document_of(text: str) -> Mapping[str, object]:
    """Return what a JSON text says, if it is an object."""
    document = decode(text.encode())
    return document if isinstance(document, dict) else {}


def moment(text: str) -> float:
    """Return the time at which an object was made, 0 if it does not say."""
    return _number(document_of(text).get("created_at"))


def size_of(text: str) -> float:
    """Return how large a file is said to be, 0 if it is not said."""
    return _number(document_of(text).get("bytes"))


def checkpoint_of(text: str) -> str | None:
    """Return the name to use a checkpoint by."""
    name = document_of(text).get("fine_tuned_model_checkpoint")
    return name if isinstance(name, str) else None


def note_of(entry: Entry) -> JobNote:
    """Return what is to be known of a job.

    Result files belong to it once it has ended: Azure shows some of a running job, which grow.
    """
    text = text_of(entry)
    said = document_of(text)
    status = said.get("status")
    status = status if isinstance(status, str) else ""
    named = [said.get("training_file"), said.get("validation_file")]
    results = said.get("result_files")
    if status in TERMINAL_STATUSES and isinstance(results, list):
        named += results
    files = tuple(dict.fromkeys(each for each in named if isinstance(each, str) and each))
    return JobNote(entry.id, _number(said.get("created_at")), status, files, text)


def _number(value: object) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST else 0
