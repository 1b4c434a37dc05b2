"""The server's records in the API's own JSON."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .records import Job
    from .store.uploads import StoredUpload

NOTHING: Mapping[str, object] = MappingProxyType({})
"""The data of most events."""


def job_view(job: Job, organization: str) -> bytes:
    """Render a job with the keys, in the order, of recorded answers."""
    plain = job.hyperparameters if job.method == "supervised" else None
    shown = {
        "object": "fine_tuning.job",
        "id": job.id,
        "model": job.model,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "fine_tuned_model": job.fine_tuned_model,
        "organization_id": organization,
        "result_files": job.result_files,
        "status": job.status,
        "validation_file": job.validation_file,
        "training_file": job.training_file,
        "hyperparameters": plain,
        "trained_tokens": job.trained_tokens,
        "error": job.error,
        "user_provided_suffix": job.suffix,
        "seed": job.seed,
        "estimated_finish": job.estimated_finish,
        "integrations": job.integrations,
        "metadata": job.metadata,
        "usage_metrics": None,
        "shared_with_openai": False,
        "eval_id": None,
        "method": {"type": job.method, job.method: job.settings},
        **job.extra,
    }
    return orjson.dumps(shown)


def event_view(
    event_id: str, at: float, message: str, *, level: str, kind: str, data: Mapping[str, object] | None
) -> bytes:
    """Render an event."""
    shown = {
        "object": "fine_tuning.job.event",
        "id": event_id,
        "created_at": int(at),
        "level": level,
        "message": message,
        "data": data if data is None else dict(data),
        "type": kind,
    }
    return orjson.dumps(shown)


def checkpoint_view(
    checkpoint_id: str,
    at: float,
    job: Job,
    model: str,
    metrics: Mapping[str, float | str],
    artefact: str | None = None,
) -> bytes:
    """Render a checkpoint of `job` that bears the name `model`; with what its trainer calls it, if known."""
    shown = {
        "object": "fine_tuning.job.checkpoint",
        "id": checkpoint_id,
        "created_at": int(at),
        "fine_tuned_model_checkpoint": model,
        "fine_tuning_job_id": job.id,
        "metrics": metrics,
        "step_number": job.step,
        **_named(artefact),
    }
    return orjson.dumps(shown)


def file_view(
    file_id: str, *, purpose: str, filename: str, size: int, created_at: int, expires_at: int | None
) -> bytes:
    """Render a file."""
    shown = {
        "object": "file",
        "id": file_id,
        "purpose": purpose,
        "filename": filename,
        "bytes": size,
        "created_at": created_at,
        "expires_at": expires_at,
        "status": "processed",
        "status_details": None,
    }
    return orjson.dumps(shown)


def upload_view(upload: StoredUpload, status: str, file: bytes | None = None) -> bytes:
    """Render an upload; one that is completed with the view of its file."""
    shown: dict[str, object] = {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.size,
        "created_at": upload.created_at,
        "filename": upload.filename,
        "purpose": upload.purpose,
        "status": status,
        "expires_at": upload.expires_at,
    }
    if file is not None:
        shown["file"] = orjson.Fragment(file)
    return orjson.dumps(shown)


def part_view(part_id: str, created_at: int, upload_id: str) -> bytes:
    """Render a part of an upload."""
    shown = {"id": part_id, "object": "upload.part", "created_at": created_at, "upload_id": upload_id}
    return orjson.dumps(shown)


def permission_view(permission_id: str, created_at: int, project_id: str) -> bytes:
    """Render the permission of a project to use a checkpoint."""
    shown = {
        "object": "checkpoint.permission",
        "id": permission_id,
        "created_at": created_at,
        "project_id": project_id,
    }
    return orjson.dumps(shown)


def model_view(model: str, created: int, owner: str, artefact: str | None = None) -> bytes:
    """Render a model; with what its trainer calls it, if that is known."""
    shown = {"id": model, "object": "model", "created": created, "owned_by": owner, **_named(artefact)}
    return orjson.dumps(shown)


def _named(artefact: str | None) -> dict[str, str]:
    return {} if artefact is None else {"artefact": artefact}
