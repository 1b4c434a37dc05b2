"""The simulated training."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fine_tuning_async.server.plan import MOST_REPORTS, Plan, batch_for, describe, epochs_for


def steps_of(plan: Plan) -> list[int]:
    steps = [0]
    while steps[-1] < plan.total_steps:
        steps.append(plan.next_reported(steps[-1]))
    return steps[1:]


@given(epochs=st.integers(1, 50), per_epoch=st.integers(1, 5000))
def test_reports_are_few_and_hold_the_end_of_each_epoch(epochs: int, per_epoch: int) -> None:
    plan = Plan(1, "supervised", epochs, per_epoch, validated=False)
    steps = steps_of(plan)
    assert steps == sorted(set(steps))
    assert len(steps) <= MOST_REPORTS + epochs
    assert {per_epoch * epoch for epoch in range(1, epochs + 1)} <= set(steps)
    assert steps[-1] == plan.total_steps


def test_a_short_training_reports_every_step() -> None:
    assert steps_of(Plan(1, "supervised", 4, 50, validated=False)) == list(range(1, 201))


@given(seed=st.integers(0, 2**31 - 1), kind=st.sampled_from(["supervised", "dpo", "reinforcement"]))
def test_figures_are_a_function_of_the_seed_and_fall(seed: int, kind: str) -> None:
    plan = Plan(seed, kind, 3, 20, validated=True)
    assert plan.metrics(7) == Plan(seed, kind, 3, 20, validated=True).metrics(7)
    first, last = plan.metrics(1), plan.metrics(60, full=True)
    for name in ("train_loss", "valid_loss"):
        assert 0 < last[name] < first[name]
    assert last["full_valid_loss"] > 0
    assert all(0 <= value <= 1 for name, value in last.items() if name.endswith(("accuracy", "reward_mean")))
    assert ("train_reward_mean" in last) == ("valid_reward_mean" in last) == (kind == "reinforcement")


def test_without_a_validation_file_nothing_is_said_of_validation() -> None:
    figures = Plan(1, "supervised", 1, 5, validated=False).metrics(5, full=True)
    assert not [name for name in figures if "valid" in name]


def test_a_step_is_worded_as_the_api_does() -> None:
    figures = {"step": 60, "total_steps": 200, "train_loss": 0.7289, "valid_loss": 1.461}
    assert describe(figures) == "Step 60/200: training loss=0.73, validation loss=1.46"
    assert describe({**figures, "full_valid_loss": 1.5}).endswith(", full validation loss=1.50")


def test_auto_grows_with_the_examples() -> None:
    assert [epochs_for(n) for n in (1, 10, 50, 8000, 100_000)] == [25, 10, 3, 3, 1]
    assert [batch_for(n) for n in (1, 10, 5000, 10**6)] == [1, 1, 10, 256]
