"""What a trainer is given, and what it reports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping


class TrainingFailed(Exception):  # noqa: N818 - the end of a job, whose error it becomes
    """Raised by a trainer to let its job fail with an error of its choice.

    Any other exception lets the job fail too, with the code `trainer_error` and the exception's text.

    Args:
        message: What went wrong, for people.
        code: What went wrong, for programs.
        param: The parameter of the job at fault.
    """

    def __init__(self, message: str, *, code: str = "trainer_error", param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param


@dataclass(frozen=True, slots=True)
class DataFile:
    """A training or validation file, read from the server's store.

    Attributes:
        id: The file's id.
        filename: The name that it was uploaded with.
        size: Its length in bytes.
    """

    id: str
    filename: str
    size: int
    _pieces: Callable[[], Iterator[bytes]] = field(repr=False, compare=False)

    def chunks(self) -> Iterator[bytes]:
        """Return the content, a piece at a time; from any thread, as often as you like.

        Raises:
            TrainingFailed: The file was deleted meanwhile.
        """
        return self._pieces()

    def lines(self) -> Iterator[bytes]:
        """Return the content's lines without their ends; those with nothing in them are left out."""
        rest = b""
        for chunk in self._pieces():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line for line in lines if line.strip())
        if rest.strip():
            yield rest

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the content to a file."""
        with open(path, "wb") as target:  # noqa: PTH123 - whatever names a path will do
            target.writelines(self._pieces())


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the training is done.

    Args:
        number: The step, from 1.
        total: The number of the last step, as far as it is known now.
        metrics: The figures by the API's names: `train_loss`, `train_mean_token_accuracy`, `valid_loss`,
            `valid_mean_token_accuracy`, and whatever else there is.
    """

    number: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The training can go on from here.

    Args:
        step: The step after which it was taken.
        metrics: Figures that belong to it; left out, those of the last step.
        artefact: The trainer's own name of what it saved: a path, a URL. It is shown with the checkpoint and its
            model, and comes back with a task that is to go on from here.
    """

    step: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    artefact: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell, as an event of the job.

    Args:
        message: The event's text.
        level: `info`, `warn` or `error`.
    """

    message: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Finished:
    """The training has succeeded. An iterator that ends without it has succeeded too.

    Args:
        metrics: Figures of the finished model, shown with its checkpoint; left out, those of the last step.
        artefact: The trainer's own name of the model.
        trained_tokens: How many tokens were trained; left out, the server's estimate.
        result_file: The result file; left out, a CSV of the steps.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    artefact: str | None = None
    trained_tokens: int | None = None
    result_file: bytes | None = None


Report = Step | Checkpoint | Note | Finished
"""What a trainer's iterator yields."""


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """A job as its trainer sees it.

    Attributes:
        job_id: The job's id.
        model: What is to be trained: the name of a model.
        method: `supervised`, `dpo` or `reinforcement`.
        hyperparameters: The job's, with a number for each that was left to the server.
        seed: The job's seed.
        training_file: What to train on; it was checked.
        validation_file: What to validate with, if anything.
        suffix: What the model's name is to hold.
        grader: What scores a reinforcement.
        metadata: The job's metadata.
        checkpoint: The job's last checkpoint, from which to go on after a pause or a restart; None to begin.
        pausing: Set when the job is to pause: save a `Checkpoint`, and return.
    """

    job_id: str
    model: str
    method: str
    hyperparameters: Mapping[str, float | str]
    seed: int
    training_file: DataFile
    validation_file: DataFile | None = None
    suffix: str | None = None
    grader: Mapping[str, object] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    pausing: asyncio.Event = field(default_factory=asyncio.Event, repr=False, compare=False)

    @property
    def epochs(self) -> int:
        """How often the examples are to be gone through."""
        return int(self.hyperparameters["n_epochs"])

    @property
    def batch_size(self) -> int:
        """Examples in a step."""
        return int(self.hyperparameters["batch_size"])


class Trainer(Protocol):
    """What trains the jobs of a server."""

    def train(self, task: TrainingTask, /) -> AsyncIterator[Report]:
        """Train a job; yield what happens, as it happens.

        It is called once for each job, and once more whenever a job goes on after a pause or a restart of the
        server. It runs in a thread with a loop of its own, and may take whatever time it likes. To stop it, as
        when the job is cancelled, the task that iterates it is cancelled.

        Raises:
            TrainingFailed: The job fails with this error; whatever else is raised lets it fail too.
        """
        ...
