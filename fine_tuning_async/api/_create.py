"""Builds the body of a create, checked against the specification's ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

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
    fields = {
        "validation_file": _within(NAME, validation_file, "validation_file"),
        "method": _document(Method, method, "method"),
        "suffix": _within(SUFFIX, suffix, "suffix"),
        "seed": _within(SEED, seed, "seed"),
        "integrations": _integrations(integrations),
        "metadata": _metadata(metadata),
        "hyperparameters": _document(SupervisedHyperparameters, hyperparameters, "hyperparameters"),
    }
    body: dict[str, object] = {"model": model, "training_file": training_file}
    body |= {name: value for name, value in fields.items() if value is not None}
    if extra_body is not None and not isinstance(extra_body, Mapping):
        raise InvalidArgumentError(f"extra_body is a {type(extra_body).__name__}; it must be a mapping")
    if repeated := body.keys() & (extra_body or {}).keys():
        raise InvalidArgumentError(f"extra_body repeats {', '.join(sorted(repeated))}; say it once")
    return {**body, **(extra_body or {})}


def _within(limit: Limit, value: object, name: str) -> object:
    if value is not None:
        require(limit, value, name)
    return value


def _integrations(values: Sequence[Integration | Mapping[str, object]] | None) -> list[object] | None:
    if values is None:
        return None
    require(INTEGRATIONS, values, "integrations")
    return [_document(Integration, each, f"integrations[{index}]") for index, each in enumerate(values)]


def _metadata(metadata: Mapping[str, str] | None) -> dict[str, str] | None:
    if metadata is None:
        return None
    check_metadata(metadata)
    return dict(metadata)


def _document(cls: type[M], value: M | Mapping[str, object] | None, name: str) -> dict[str, object] | None:
    what = f"{'an' if cls is Integration else 'a'} {cls.__name__}"
    return None if value is None else checked_document(cls, value, name, what=what)
