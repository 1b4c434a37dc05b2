"""The plan of a simulated training, with made-up metrics that fall as real losses do.

Nothing is trained here. The figures are a decaying curve with noise drawn from the job's seed, so the same job
always tells the same story.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from hashlib import blake2b

STEP_SECONDS = 3.0
"""Simulated seconds that one step takes: a job of ten examples lasts about five minutes."""

MOST_REPORTS = 200
"""Longer trainings report only some of their steps."""

Metrics = dict[str, float]

_TOLD = {"train_loss": "training loss", "valid_loss": "validation loss", "full_valid_loss": "full validation loss"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job will do, fully known once its hyperparameters are numbers.

    Args:
        seed: The job's seed, from which the noise is drawn.
        kind: The method: supervised, dpo or reinforcement.
        epochs: How often the examples are gone through.
        steps_per_epoch: Batches in one epoch.
        validated: Whether there is a validation file.
    """

    seed: int
    kind: str
    epochs: int
    steps_per_epoch: int
    validated: bool

    @property
    def total_steps(self) -> int:
        """The number of the last step."""
        return self.epochs * self.steps_per_epoch

    def ends_epoch(self, step: int) -> bool:
        """Tell whether a checkpoint is taken after `step`."""
        return step % self.steps_per_epoch == 0

    def next_reported(self, step: int) -> int:
        """Return the first step after `step` that is reported; the end of each epoch always is."""
        stride = math.ceil(self.total_steps / MOST_REPORTS)
        return min((step // stride + 1) * stride, (step // self.steps_per_epoch + 1) * self.steps_per_epoch)

    def metrics(self, step: int, *, full: bool = False) -> Metrics:
        """Return the simulated figures of `step`; `full` adds the pass over the whole validation file."""
        noise = self._noise(step)
        figures: Metrics = {"step": step, "total_steps": self.total_steps}
        figures |= _scores("train", self._loss(step, noise[0]))
        if self.validated:
            figures |= _scores("valid", self._loss(step, noise[1]) * 1.2)
        if self.validated and full:
            figures |= _scores("full_valid", self._loss(step, 0.5) * 1.2)
        if self.kind == "reinforcement":
            figures["train_reward_mean"] = self._reward(step, noise[2])
        if self.kind == "reinforcement" and self.validated:
            figures["valid_reward_mean"] = self._reward(step, noise[3])
        return figures

    def _loss(self, step: int, noise: float) -> float:
        curve = 0.05 + 2.2 * math.exp(-4.0 * step / self.total_steps)
        return curve * (0.75 + 0.5 * noise)

    def _reward(self, step: int, noise: float) -> float:
        return round(min(1.0, 0.2 + 0.6 * step / self.total_steps + 0.2 * noise), 6)

    def _noise(self, step: int) -> tuple[float, ...]:
        digest = blake2b(f"{self.seed}/{step}".encode(), digest_size=16).digest()
        return tuple(part / 0xFFFFFFFF for part in struct.unpack("<4I", digest))


def _scores(name: str, loss: float) -> Metrics:
    # Six decimals hide the last bits, in which platforms' exp() differ.
    return {f"{name}_loss": round(loss, 6), f"{name}_mean_token_accuracy": round(math.exp(-0.5 * loss), 6)}


def epochs_for(examples: int) -> int:
    """Resolve `n_epochs: auto`: three, more for few examples, fewer for very many."""
    fewest, most = 100, 25_000
    if examples * 3 < fewest:
        return min(25, max(1, fewest // examples))
    return 3 if examples * 3 <= most else max(1, most // examples)


def batch_for(examples: int) -> int:
    """Resolve `batch_size: auto`: a five-hundredth of the examples, from 1 to 256."""
    return min(256, max(1, examples // 500))


def describe(figures: Metrics) -> str:
    """Word the figures of one step as the API's metrics event does."""
    told = [f"{words}={figures[name]:.2f}" for name, words in _TOLD.items() if name in figures]
    head = f"Step {figures['step']}/{figures['total_steps']}"
    return f"{head}: {', '.join(told)}" if told else head
