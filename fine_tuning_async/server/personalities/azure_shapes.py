"""Azure's shapes of the API's objects: keys left out, its own added, its own words for states."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .reshaping import Document, Shape

STATUSES: Mapping[str, str] = MappingProxyType({"validating_files": "pending", "cancelled": "canceled"})
"""Azure's words for the states of a job, where it has its own."""

# Recorded jobs have none of the first at all, and the others only where there is something to say.
_UNKNOWN = frozenset({"organization_id", "user_provided_suffix", "usage_metrics", "shared_with_openai", "eval_id"})
_ONLY_IF_SET = frozenset(
    {
        *("error", "fine_tuned_model", "finished_at", "result_files", "trained_tokens", "estimated_finish"),
        *("validation_file", "hyperparameters", "integrations", "metadata"),
    }
)
_AUTOMATIC: Mapping[str, object] = MappingProxyType({"learning_rate_multiplier": 1.0})
"""What stands for `auto` where it is not -1."""


def _job(job: Document) -> Document:
    shown = {
        name: value
        for name, value in job.items()
        if name not in _UNKNOWN and not (name in _ONLY_IF_SET and value in (None, []))
    }
    shown["status"] = STATUSES.get(str(job["status"]), job["status"])
    if job["user_provided_suffix"] is not None:
        shown["suffix"] = job["user_provided_suffix"]
    for name in ("hyperparameters", "method"):
        if name in shown:
            shown[name] = _numbered(shown[name])
    return shown


def _numbered(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {name: _numbered(each, name) for name, each in value.items()}
    return _AUTOMATIC.get(name, -1) if value == "auto" else value


def _event(event: Document) -> Document:
    return {name: value for name, value in event.items() if name != "data" or value}


def _file(file: Document) -> Document:
    return {name: value for name, value in file.items() if value is not None}


def _model(model: Document) -> Document:
    name = str(model["id"])
    base, made, rest = name.partition(".ft-")
    uses = {"fine_tune": not made, "inference": True, "completion": True, "chat_completion": True}
    shown: Document = {
        "object": "model",
        "id": name,
        "created_at": model["created"],
        "status": "succeeded",
        "capabilities": {**uses, "embeddings": False},
        "lifecycle_status": "generally-available",
        "deprecation": {"inference": 2_000_000_000},
    }
    return shown | ({"model": base, "fine_tune": f"ftjob-{rest[:32]}"} if made else {})


def _list(page: Document) -> Document:
    return {name: value for name, value in page.items() if name not in {"first_id", "last_id"}}


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "fine_tuning.job": _job,
        "fine_tuning.job.event": _event,
        "file": _file,
        "model": _model,
        "list": _list,
    }
)
"""A shape for each kind of object that Azure shows in another way."""
