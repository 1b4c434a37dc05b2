"""The options of `jobs create`, named as the API's fields."""

from pathlib import Path
from typing import Annotated, Literal, TypedDict

from attrs import frozen
from cyclopts import Group, Parameter

from fine_tuning_async.cli.arguments import Fraction, Whole, json_object, json_value, pairs
from fine_tuning_async.cli.failure import Misuse

MODEL = "gpt-4.1-nano-2025-04-14"  # the cheapest that OpenAI lets be tuned

OF_SUPERVISED = ("n_epochs", "batch_size", "learning_rate_multiplier")
OF_METHODS: dict[str, tuple[str, ...]] = {
    "supervised": OF_SUPERVISED,
    "dpo": (*OF_SUPERVISED, "beta"),
    "reinforcement": (
        *OF_SUPERVISED,
        *("compute_multiplier", "eval_interval", "eval_samples", "reasoning_effort"),
        *("grader", "response_format"),
    ),
}


class Fields(TypedDict):
    """The fields of a create but its files, as arguments of `create_job`."""

    model: str
    method: dict[str, object] | None
    suffix: str | None
    seed: int | None
    metadata: dict[str, str] | None
    integrations: list[dict[str, object]] | None
    extra_body: dict[str, object] | None


@Parameter(name="*", group=Group("Training", sort_key=0))
@frozen(kw_only=True)
class Training:
    """How a job trains; what is left out is the server's choice."""

    method: Literal["supervised", "dpo", "reinforcement"] = "supervised"
    n_epochs: Annotated[Whole | None, Parameter(help="1 to 50.")] = None
    batch_size: Annotated[Whole | None, Parameter(help="1 to 256.")] = None
    learning_rate_multiplier: Fraction | None = None
    beta: Annotated[Fraction | None, Parameter(help="For dpo: above 0, at most 2.")] = None
    grader: Annotated[
        str | None, Parameter(help="For reinforcement: a grader in JSON, or a file with one in it.")
    ] = None
    response_format: Annotated[str | None, Parameter(help="For reinforcement: JSON, or a file with it.")] = None
    compute_multiplier: Annotated[Fraction | None, Parameter(help="For reinforcement.")] = None
    eval_interval: Annotated[Whole | None, Parameter(help="For reinforcement.")] = None
    eval_samples: Annotated[Whole | None, Parameter(help="For reinforcement.")] = None
    reasoning_effort: Annotated[
        Literal["default", "low", "medium", "high"] | None, Parameter(help="For reinforcement.")
    ] = None

    def as_field(self) -> dict[str, object] | None:
        """Return the field `method` of a create; None where the server would choose all of it.

        Raises:
            Misuse: An option is of another method, or a grader is missing.
            InvalidArgumentError: A value is out of range.
        """
        given = {
            name: value
            for name in dict.fromkeys(name for names in OF_METHODS.values() for name in names)
            if (value := getattr(self, name)) is not None
        }
        if wrong := [name for name in given if name not in OF_METHODS[self.method]]:
            options = " and ".join(f"--{name.replace('_', '-')}" for name in wrong)
            raise Misuse(f"{options} cannot be used with --method {self.method}")
        settings: dict[str, object] = {
            name: json_object(given.pop(name), f"--{name.replace('_', '-')}")
            for name in ("grader", "response_format")
            if name in given
        }
        if self.method == "reinforcement" and "grader" not in settings:
            raise Misuse("--method reinforcement needs a --grader")
        if self.method == "supervised" and not given:
            return None
        if given:
            settings["hyperparameters"] = given
        return {"type": self.method, self.method: settings}


@Parameter(name="*", group=Group("Job", sort_key=-1))
@frozen(kw_only=True)
class Wish:
    """What job is to be created."""

    training_file: Annotated[
        str,
        Parameter(name=("--training-file", "--file"), help="A file to upload, or the id of one that is uploaded."),
    ]
    validation_file: Annotated[str | None, Parameter(help="Likewise.")] = None
    model: Annotated[str, Parameter(help="The base model, or one that was fine-tuned before.")] = MODEL
    suffix: Annotated[str | None, Parameter(help="1 to 64 characters that the new model's name will have.")] = None
    seed: int | None = None
    metadata: Annotated[tuple[str, ...], Parameter(help="KEY=VALUE; may be given several times.")] = ()
    integrations: Annotated[str | None, Parameter(help="A JSON list, or a file with one in it.")] = None
    extra_body: Annotated[
        str | None, Parameter(help="A JSON object with fields that your server knows beyond these, or a file.")
    ] = None

    def as_fields(self, training: Training) -> Fields:
        """Return the fields of a create but its files.

        Raises:
            Misuse: A value cannot be read.
        """
        integrations = json_value(self.integrations, "--integrations")
        if not isinstance(integrations, list | None):
            raise Misuse("--integrations is to be a JSON list, and is not")
        return {
            "model": self.model,
            "method": training.as_field(),
            "suffix": self.suffix,
            "seed": self.seed,
            "metadata": pairs(self.metadata, "--metadata"),
            "integrations": integrations,
            "extra_body": json_object(self.extra_body, "--extra-body"),
        }


def local_file(text: str) -> Path | None:
    """Return the path of a file that is to be uploaded; None for the id of one that is.

    Raises:
        Misuse: It is neither: it looks like a path, and there is no such file.
    """
    path = Path(text)
    if path.is_file():
        return path
    if path.suffix or len(path.parts) != 1:
        raise Misuse(f"there is no file {text!r}")
    return None
