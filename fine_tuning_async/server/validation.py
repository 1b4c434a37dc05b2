"""The checks of a request to create a job."""

from __future__ import annotations

from . import checks
from .answers import Problem, bad_request
from .methods import check_hyperparameters, check_method
from .wishes import Wish

_PREFIXES = ("gpt-", "o1", "o3", "o4-mini", "ft:")
_BASES = ("babbage-002", "davinci-002")

# The API answers with the dated model that an alias stands for.
ALIASES = {
    "gpt-3.5-turbo": "gpt-3.5-turbo-0125",
    "gpt-4": "gpt-4-0613",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "o4-mini": "o4-mini-2025-04-16",
}

_MOST_PAIRS, _LONGEST_KEY, _LONGEST_VALUE = 16, 64, 512
_LONGEST_SUFFIX = 64
_MOST_INTEGRATIONS = 5
_MOST_TAGS = 1_000
_LARGEST_SEED = 2**31 - 1


def check_create(body: dict[str, object]) -> Wish:
    """Check the body of a create request, as far as that goes without looking at stored files.

    Fields that are not known are let through: other servers of this API have fields of their own.

    Raises:
        Problem: The request is refused.
    """
    model = _check_model(body)
    training_file = _check_training_file(body)
    validation_file = body.get("validation_file")
    method, settings = _check_settings(body)
    return Wish(
        model=model,
        training_file=training_file,
        validation_file=None if validation_file is None else checks.text(validation_file, "validation_file"),
        suffix=_check_suffix(body.get("suffix")),
        seed=_check_seed(body.get("seed")),
        method=method,
        settings=settings,
        integrations=_check_integrations(body.get("integrations")),
        metadata=_check_metadata(body.get("metadata")),
    )


def check_purpose(purpose: str | None, file_id: str, param: str) -> None:
    """Refuse a file that is not there, which has no purpose, or is there for something else."""
    if purpose is None:
        raise bad_request(f"invalid {param}: {file_id}", param)
    if purpose != "fine-tune":
        message = f"invalid {param}: {file_id} has purpose '{purpose}', but 'fine-tune' is needed"
        raise bad_request(message, param)


def _check_model(body: dict[str, object]) -> str:
    if body.get("model") is None:
        raise checks.missing("model")
    model = checks.text(body["model"], "model")
    if model not in _BASES and not model.startswith(_PREFIXES):
        message = f"Model {model[:200]} is not available for fine-tuning or does not exist."
        raise Problem(400, message, param="model", code="model_not_available")
    return ALIASES.get(model, model)


def _check_training_file(body: dict[str, object]) -> str:
    if body.get("training_file") is None:
        raise checks.missing("training_file")
    return checks.text(body["training_file"], "training_file")


def _check_settings(body: dict[str, object]) -> tuple[str, dict[str, object]]:
    """Check `method`, or the older `hyperparameters` that only a supervised training has."""
    older = check_hyperparameters("supervised", body.get("hyperparameters", {}), "hyperparameters")
    if "method" not in body:
        return "supervised", {"hyperparameters": older}
    if body.get("hyperparameters"):
        message = "Give hyperparameters in 'method' or in 'hyperparameters', which is deprecated, but not in both."
        raise bad_request(message, "hyperparameters", "invalid_value")
    return check_method(body["method"])


def _check_suffix(value: object) -> str | None:
    return None if value is None else checks.text(value, "suffix", least=1, most=_LONGEST_SUFFIX)


def _check_seed(value: object) -> int | None:
    return None if value is None else checks.integer(value, "seed", least=0, most=_LARGEST_SEED)


def _check_integrations(value: object) -> list[object]:
    found = checks.array([] if value is None else value, "integrations", most=_MOST_INTEGRATIONS)
    for index, item in enumerate(found):
        param = f"integrations[{index}]"
        integration = checks.mapping(item, param)
        checks.one_of(integration.get("type"), f"{param}.type", ("wandb",))
        _check_wandb(integration.get("wandb"), f"{param}.wandb")
    return found


def _check_wandb(value: object, param: str) -> None:
    settings = checks.mapping(value, param)
    checks.text(settings.get("project"), f"{param}.project", least=1)
    for name in ("name", "entity"):
        if settings.get(name) is not None:
            checks.text(settings[name], f"{param}.{name}")
    for index, tag in enumerate(checks.array(settings.get("tags", []), f"{param}.tags", most=_MOST_TAGS)):
        checks.text(tag, f"{param}.tags[{index}]")


def _check_metadata(value: object) -> dict[str, str] | None:
    if value is None:
        return None
    pairs = checks.mapping(value, "metadata")
    if len(pairs) > _MOST_PAIRS:
        message = f"Invalid 'metadata': too many properties. Expected at most {_MOST_PAIRS}, got {len(pairs)}."
        raise bad_request(message, "metadata", "object_above_max_properties")
    for key in pairs:
        checks.text(key, "metadata", most=_LONGEST_KEY)
    return {key: checks.text(text, f"metadata.{key}", most=_LONGEST_VALUE) for key, text in pairs.items()}
