"""What the server knows about a job."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from .plan import Plan


@dataclass(slots=True)
class Job:
    """One fine-tuning job with what its public face does not show."""

    # What was asked for.
    id: str
    created_at: int
    model: str
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int
    method: str
    settings: dict[str, object]
    """The method's own object: hyperparameters, and the grader of a reinforcement."""
    integrations: list[object]
    metadata: dict[str, str] | None
    extra: dict[str, object] = field(default_factory=dict)
    """Fields that are shown as they came; nothing is done with them."""
    # What became of it.
    status: str = "validating_files"
    finished_at: int | None = None
    fine_tuned_model: str | None = None
    result_files: list[str] = field(default_factory=list)
    trained_tokens: int | None = None
    error: dict[str, str | None] | None = None
    estimated_finish: int | None = None
    # Where it is.
    seq: int = 0
    due_at: float | None = None
    step: int = 0
    examples: int = 0
    tokens: int = 0
    events: int = 0
    held_in: str | None = None
    held_for: float = 0.0
    total: int = 0
    """The number of the last step, once it is known."""
    # What a trainer has said, and since when it is at work.
    figures: dict[str, float] = field(default_factory=dict)
    began_at: float = 0.0  # when a trainer took it up; 0 while it waits for one
    began_step: int = 0

    @property
    def hyperparameters(self) -> dict[str, object]:
        """The method's hyperparameters."""
        found = self.settings["hyperparameters"]
        assert isinstance(found, dict)
        return found

    @property
    def plan(self) -> Plan:
        """The training that the job runs; known once its hyperparameters are numbers."""
        epochs, batch = self.hyperparameters["n_epochs"], self.hyperparameters["batch_size"]
        assert isinstance(epochs, int)
        assert isinstance(batch, int)
        return Plan(self.seed, self.method, epochs, -(-self.examples // batch), bool(self.validation_file))

    def dump(self) -> bytes:
        """Return the whole record, for the store."""
        return orjson.dumps(self)

    @classmethod
    def load(cls, text: bytes) -> Job:
        """Return the record that `dump` wrote."""
        return cls(**orjson.loads(text))
