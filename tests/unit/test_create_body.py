"""The body of a create: what is said, what is left out, and what is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from fine_tuning_async import (
    DPOMethod,
    Integration,
    InvalidArgumentError,
    Method,
    ReinforcementMethod,
    SupervisedHyperparameters,
    SupervisedMethod,
    WandbSettings,
    from_dict,
)
from fine_tuning_async.api._create import create_body

NOTHING: dict[str, Any] = dict.fromkeys(
    (
        *("validation_file", "method", "suffix", "seed", "integrations", "metadata", "hyperparameters"),
        "extra_body",
    )
)


def body(**said: Any) -> dict[str, object]:
    return create_body(**{"model": "m", "training_file": "file-1", **NOTHING, **said})


def refused(**said: Any) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        body(**said)
    return str(caught.value)


def test_what_is_none_is_left_out() -> None:
    assert body() == {"model": "m", "training_file": "file-1"}


def test_everything_that_is_said_is_sent() -> None:
    wandb = Integration(wandb=WandbSettings("p", tags=["t"]))
    assert body(
        validation_file="file-2",
        method=Method.dpo(beta=0.5),
        suffix="s",
        seed=0,
        integrations=[wandb, {"type": "wandb", "wandb": {"project": "q"}}],
        metadata={"a": "b"},
        hyperparameters=SupervisedHyperparameters(n_epochs=2),
        extra_body={"trainingType": "Standard"},
    ) == {
        "model": "m",
        "training_file": "file-1",
        "validation_file": "file-2",
        "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.5}}},
        "suffix": "s",
        "seed": 0,
        "integrations": [
            {"type": "wandb", "wandb": {"project": "p", "tags": ["t"]}},
            {"type": "wandb", "wandb": {"project": "q"}},
        ],
        "metadata": {"a": "b"},
        "hyperparameters": {"n_epochs": 2},
        "trainingType": "Standard",
    }


def test_the_empty_is_said_and_not_left_out() -> None:
    said = body(integrations=[], metadata={}, hyperparameters={})
    assert (said["integrations"], said["metadata"], said["hyperparameters"]) == ([], {}, {})


@pytest.mark.parametrize("suffix", ["a", "a" * 64])
def test_a_suffix_within_its_range_passes(suffix: str) -> None:
    assert body(suffix=suffix)["suffix"] == suffix


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_a_seed_within_its_range_passes(seed: int) -> None:
    assert body(seed=seed)["seed"] == seed


@pytest.mark.parametrize(
    ("said", "texts"),
    [
        ({"suffix": ""}, ["suffix is ''", "1 to 64 characters"]),
        ({"suffix": "a" * 65}, ["suffix is 'aaa", "1 to 64 characters"]),
        ({"suffix": 5}, ["suffix is 5", "a string"]),
        ({"seed": -1}, ["seed is -1", "from 0 to 2147483647"]),
        ({"seed": 2**31}, ["seed is 2147483648", "from 0 to 2147483647"]),
        ({"seed": 1.0}, ["seed is 1.0", "a whole number"]),
        ({"seed": True}, ["seed is True"]),
        ({"seed": "auto"}, ["seed is 'auto'"]),
        ({"model": ""}, ["model is ''"]),
        ({"model": None}, ["model is None"]),
        ({"training_file": 5}, ["training_file is 5"]),
        ({"training_file": ""}, ["training_file is ''"]),
        ({"validation_file": ""}, ["validation_file is ''"]),
        ({"integrations": [{"type": "wandb"}] * 6}, ["integrations is", "at most 5 entries"]),
        ({"integrations": "wandb"}, ["integrations is 'wandb'"]),
        ({"integrations": {"type": "wandb"}}, ["integrations is"]),
        ({"integrations": ["wandb"]}, ["integrations[0] is 'wandb'", "an Integration"]),
        ({"integrations": [{"type": 5}]}, ["integrations[0].type should be a string"]),
        (
            {"integrations": [{"type": "wandb"}, {"type": "wandb", "wandb": {"project": 1}}]},
            ["integrations[1].wandb.project", "a string", "the number 1"],
        ),
        ({"metadata": {"a": 1}}, ["metadata['a'] is 1"]),
        ({"metadata": {f"k{i}": "" for i in range(17)}}, ["17 pairs", "at most 16"]),
        ({"metadata": "a=b"}, ["metadata is 'a=b'"]),
        ({"method": "supervised"}, ["method is 'supervised'", "Method"]),
        ({"method": SupervisedHyperparameters()}, ["method is ", "it must be a Method"]),
        ({"method": {}}, ["method has no field 'type'"]),
        ({"method": {"type": 5}}, ["method.type should be a string, but is the number 5"]),
        (
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 51}}}},
            ["method.supervised.hyperparameters.n_epochs is 51", "from 1 to 50"],
        ),
        (
            {"method": Method("dpo", dpo=DPOMethod(5))},  # type: ignore[arg-type]  # that is the test
            ["method.dpo.hyperparameters should be an object"],
        ),
        (
            {"method": Method("dpo", dpo={"hyperparameters": {"beta": 3}})},  # type: ignore[arg-type]  # as above
            ["method.dpo.hyperparameters.beta is 3"],
        ),
        (
            {"method": Method("reinforcement", reinforcement=ReinforcementMethod("grader"))},  # type: ignore[arg-type]
            ["method.reinforcement.grader should be an object"],
        ),
        ({"hyperparameters": SupervisedHyperparameters(batch_size=0)}, ["hyperparameters.batch_size is 0"]),
        ({"hyperparameters": {"n_epochs": [1]}}, ["hyperparameters.n_epochs should be"]),
        ({"hyperparameters": {"n_epochs": 3.5}}, ["hyperparameters.n_epochs should be"]),
        ({"hyperparameters": {"n_epochs": iter("3")}}, ["hyperparameters.n_epochs should be"]),
        ({"hyperparameters": [("n_epochs", 3)]}, ["hyperparameters is [('n_epochs', 3)]"]),
        ({"hyperparameters": {"learning_rate_multiplier": float("nan")}}, ["learning_rate_multiplier is nan"]),
    ],
    ids=lambda value: "" if isinstance(value, list) else next(iter(value)),
)
def test_what_is_out_of_range_is_refused_by_name(said: dict[str, Any], texts: list[str]) -> None:
    message = refused(**said)
    for text in texts:
        assert text in message


@pytest.mark.parametrize("name", ["seed", "suffix", "method", "metadata"])
def test_extra_body_does_not_repeat_what_was_said(name: str) -> None:
    said: dict[str, Any] = {"seed": 1, "suffix": "s", "method": Method.supervised(), "metadata": {}}
    assert refused(**{name: said[name]}, extra_body={name: None}) == f"extra_body repeats {name}; say it once"


def test_extra_body_says_what_was_not_said_and_is_sent_unchecked() -> None:
    assert body(extra_body={"suffix": "x" * 99, "validation_file": None}) == {
        "model": "m",
        "training_file": "file-1",
        "suffix": "x" * 99,
        "validation_file": None,
    }
    assert "model" in refused(extra_body={"model": "other"})


def test_unknown_fields_of_what_is_passed_as_an_object_are_sent() -> None:
    hyperparameters = {"n_epochs": 3, "lora_r": 16}
    assert body(hyperparameters=hyperparameters)["hyperparameters"] == hyperparameters
    method = {"type": "distillation", "distillation": {"teacher": "m"}}
    assert body(method=method)["method"] == method


def test_a_method_of_another_job_can_be_sent_again() -> None:
    document = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3, "x": None}}, "dpo": None}
    assert body(method=from_dict(Method, document))["method"] == document
    built = Method("supervised", supervised=SupervisedMethod(SupervisedHyperparameters(n_epochs=3)))
    assert body(method=built)["method"] == {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 3}},
    }


def test_what_the_caller_passed_is_not_changed() -> None:
    extra, metadata = {"a": [1]}, {"k": "v"}
    sent = body(extra_body=extra, metadata=metadata)
    sent["more"] = 1
    assert sent["metadata"] is not metadata
    assert extra == {"a": [1]}
