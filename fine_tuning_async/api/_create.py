"""Builds the body of a create, checked against the specification's ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from fine_tuning_async.errors import InvalidArgumentError
from fine_tuning_async.models import Integration, Method, SupervisedHyperparameters, WireObject
from fine_tuning_async.models._limits import Items, Limit, Text, Whole, check_metadata, require

from ._documents import checked_document

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["create_body"]

M = TypeVar("M", bound=WireObject)

# Schema CreateFineTuningJobRequest.
SUFFIX = Text(1, 64)
SEED = Whole(0, 2**31 - 1, auto=False)
INTEGRATIONS = Items(5)
NAME = Text(1, 1_000)


def create_body(
    *,
    model: str,
    training_file: str,
    validation_file: str | None,
    method: Method | Mapping[str, object] | None,
    suffix: str | None,
    seed: int | None,
    integrations: Sequence[Integration | Mapping[str, object]] | None,
    metadata: Mapping[str, str] | None,
    hyperparameters: SupervisedHyperparameters | Mapping[str, object] | None,
    extra_body: Mapping[str, object] | None,
) -> dict[str, object]:
    """Return the JSON object to be sent; what is None is left out, and `extra_body` is added.

    Raises:
        InvalidArgumentError: A value is out of range, or `extra_body` repeats a field.
    """
    require(NAME, model, "model")
    require(NAME, training_file, "training_file")
    given = {
        "validation_file": validation_file,
        "method": method,
        "suffix": suffix,
        "seed": seed,
        "integrations": integrations,
        "metadata": metadata,
        "hyperparameters": hyperparameters,
    }
    body: dict[str, object] = {"model": model, "training_file": training_file}
    body |= {name: _CHECKED[name](value, name) for name, value in given.items() if value is not None}
    return body if extra_body is None else _extended(body, extra_body)


def _extended(body: dict[str, object], more: Mapping[str, object]) -> dict[str, object]:
    if not isinstance(more, Mapping):
        raise InvalidArgumentError(f"extra_body is a {type(more).__name__}; it must be a mapping")
    if repeated := body.keys() & more.keys():
        raise InvalidArgumentError(f"extra_body repeats {', '.join(sorted(repeated))}; say it once")
    return {**body, **more}


def _within(limit: Limit, value: object, name: str) -> object:
    require(limit, value, name)
    return value


def _document(cls: type[M], value: M | Mapping[str, object], name: str) -> dict[str, object]:
    return checked_document(cls, value, name, what=f"{'an' if cls is Integration else 'a'} {cls.__name__}")


def _integrations(values: Sequence[Integration | Mapping[str, object]], name: str) -> list[object]:
    require(INTEGRATIONS, values, name)
    return [_document(Integration, each, f"{name}[{index}]") for index, each in enumerate(values)]


def _metadata(metadata: Mapping[str, str], name: str) -> dict[str, str]:
    check_metadata(metadata, name)
    return dict(metadata)


# What is sent for each field that may be left out: the value, if it may be sent.
_CHECKED: dict[str, Callable[[Any, str], object]] = {
    "validation_file": partial(_within, NAME),
    "method": partial(_document, Method),
    "suffix": partial(_within, SUFFIX),
    "seed": partial(_within, SEED),
    "integrations": _integrations,
    "metadata": _metadata,
    "hyperparameters": partial(_document, SupervisedHyperparameters),
}
