"""Training metrics, as events and checkpoints carry them."""

from ._base import WireObject, model

__all__ = ["Metrics", "TrainingStep"]


@model
class Metrics(WireObject):
    """The figures of one training step; None where the server gave none.

    Losses are mean cross entropies per token, accuracies lie between 0 and 1. The `full_valid_` figures are taken
    over the whole validation file at the end of an epoch. Reinforcement jobs send rewards, and nested figures
    that `extra` holds.
    """

    step: float | None = None
    total_steps: float | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    full_valid_loss: float | None = None
    train_mean_token_accuracy: float | None = None
    valid_mean_token_accuracy: float | None = None
    full_valid_mean_token_accuracy: float | None = None
    train_reward_mean: float | None = None
    valid_reward_mean: float | None = None


@model
class TrainingStep(WireObject):
    """One row of a job's result file; None where it is blank or -1, which stands for a missing figure.

    Columns beyond these are kept as well: `extra` shows them, numbers as numbers and all else as text.
    """

    step: int | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None
