"""The plan of a create: what would be sent, known in full before anything is."""

from __future__ import annotations

from hashlib import file_digest, sha256
from typing import TYPE_CHECKING

from attrs import frozen

from fine_tuning_async._document import encode
from fine_tuning_async.api._create import create_body
from fine_tuning_async.api._marks import DIGEST, KEY, with_key
from fine_tuning_async.cli.failure import Misuse

from .options import Fields, local_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .options import Training, Wish

CONTENTS = "contents_digest"
"""The pair of a job's metadata that says what it was made of, whatever ids its files got."""
MOST_PAIRS = 13
"""Of the 16 that the API takes: the key, its digest and the contents have the others."""


class Arguments(Fields):
    """The arguments of `create_job`."""

    training_file: str
    validation_file: str | None


@frozen
class Contents:
    """What a file holds: its size in bytes, and its SHA-256."""

    path: Path
    size: int
    sha256: str


@frozen
class Source:
    """A file of the job: on this machine, or on the server, by its id."""

    text: str
    contents: Contents | None

    @classmethod
    def of(cls, text: str) -> Source:
        """Read what there is to know of a file.

        Raises:
            Misuse: There is no such file, or it cannot be read.
        """
        path = local_file(text)
        if path is None:
            return cls(text, None)
        try:
            with path.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
                return cls(text, Contents(path, file.tell(), digest))
        except OSError as error:
            raise Misuse(f"{text!r} cannot be read: {error.strerror}") from None

    @property
    def stand_in(self) -> str:
        """What the plan says, as long as the file has no id."""
        return f"<id of {self.contents.path.name}>" if self.contents else self.text

    @property
    def identity(self) -> str:
        """What stays the same, however often the file is uploaded."""
        return self.contents.sha256 if self.contents else self.text


@frozen
class Plan:
    """A create.

    Attributes:
        method: The method's word.
        contents: A digest of all that makes the job what it is, the contents of its files included.
    """

    training: Source
    validation: Source | None
    method: str
    fields: Fields
    contents: str

    @property
    def sources(self) -> list[Source]:
        """The files, each once."""
        return list(dict.fromkeys(each for each in (self.training, self.validation) if each is not None))

    def arguments(self, ids: Mapping[Source, str]) -> Arguments:
        """Return the arguments of `create_job`, with these ids for the files."""
        return {
            **self.fields,
            "metadata": {**(self.fields["metadata"] or {}), CONTENTS: self.contents},
            "training_file": ids[self.training],
            "validation_file": ids[self.validation] if self.validation else None,
        }

    def body(self, key: str, ids: Mapping[Source, str]) -> dict[str, object]:
        """Return the body that is sent for these ids."""
        return with_key(create_body(hyperparameters=None, **self.arguments(ids)), key)


def plan_of(wish: Wish, training: Training) -> Plan:
    """Return what the options ask for, checked as far as that can be done on this machine.

    Raises:
        Misuse: They do not go together, or there is no such file.
        InvalidArgumentError: A value is out of range.
    """
    fields = wish.as_fields(training)
    metadata = fields["metadata"] or {}
    if {KEY, DIGEST, CONTENTS} & metadata.keys() or len(metadata) > MOST_PAIRS:
        raise Misuse(f"--metadata may have {MOST_PAIRS} pairs, and none named {KEY}, {DIGEST} or {CONTENTS}")
    first = Source.of(wish.training_file)
    second = Source.of(wish.validation_file) if wish.validation_file is not None else None
    identity = second.identity if second else None
    whole = create_body(**fields, training_file=first.identity, validation_file=identity, hyperparameters=None)
    contents = sha256(encode(whole, sort_keys=True)).hexdigest()
    return Plan(first, second, training.method, fields, contents)
