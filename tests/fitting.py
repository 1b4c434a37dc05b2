"""Makes generated requests fit the server's state, so that only what is bad in them lets them fail."""

from __future__ import annotations

import hashlib
import re
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.contract.server.http_api import BOUNDARY, Api
from tests.specification import complaints

if TYPE_CHECKING:
    from collections.abc import Callable

    from fine_tuning_async.server import LocalServer

PART = b'{"messages": []}\n'
_MODELS = ("gpt-4o-mini", "gpt-4.1-nano", "babbage-002", "davinci-002", "gpt-3.5-turbo")
_PERMISSIONS = "/fine_tuning/checkpoints/{}/permissions"


class Fitter:
    """Gives each request things to work on, which are there and in a state that lets it succeed.

    Args:
        server: The server, on a clock that stands still.
    """

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        self.api = Api(server.url)
        self._number = count()
        self._ends: dict[str, str] = {}

    def path(self, operation: str, given: dict[str, Any], *, linked: bool) -> dict[str, Any]:
        """Return path parameters for those that were generated; `linked` ones stay where the server knows them."""
        if operation == "resumeFineTuningJob":
            self.server.advance(5)  # what was pausing is paused
        if not given or (linked and self._knows(given)):
            return given
        made = {
            "file_id": self.file,
            "fine_tuning_job_id": _JOBS.get(operation, Fitter.job).__get__(self),
            "upload_id": self.upload,
            "model": self.fresh_model if operation == "deleteModel" else self.model,
        }
        if "fine_tuned_model_checkpoint" in given:
            return self._checkpoint(given)
        return {name: made[name]() for name in given}

    def query(self, operation: str, given: dict[str, Any], path: dict[str, Any]) -> dict[str, Any]:
        """Return query parameters whose cursor names something."""
        if not isinstance(given.get("after"), str):
            return given
        cursor = self._cursor(operation, path)
        return {**given, "after": cursor} if cursor else {k: v for k, v in given.items() if k != "after"}

    def body(self, operation: str, given: Any, path: dict[str, Any]) -> Any:
        """Return a body that names what is there."""
        if not isinstance(given, dict):
            return given
        if operation == "createFineTuningJob":
            return self._create(given)
        if operation == "createUpload":
            # The size of what can be uploaded, in most cases, so that it can be completed.
            right = isinstance(given.get("bytes"), int) and given["bytes"] > 0 and next(self._number) % 4
            return {**given, "bytes": len(PART)} if right else given
        if operation == "completeUpload":
            return self._complete(given, str(path["upload_id"]))
        if operation in {"runGrader", "validateGrader"}:
            return {**given, "grader": _sensible(given["grader"])} if "grader" in given else given
        return given

    def file(self) -> str:
        """Make a training file."""
        return self.api.training_file()

    def job(self) -> str:
        """Make a job that has just begun."""
        return str(self.api.create(self._shared("file", self.file))["id"])

    def paused(self) -> str:
        """Make a job that is paused."""
        job_id = self.job()
        self.api.post(f"/fine_tuning/jobs/{job_id}/pause")
        self.server.advance(5)
        return job_id

    def done(self) -> str:
        """Return a job that succeeded, with events and checkpoints; jobs are never deleted."""
        return self._shared("done", self._finished)

    def model(self) -> str:
        """Return a model that was made here."""
        return self._shared("model", self.fresh_model)

    def fresh_model(self) -> str:
        """Make a model."""
        return str(self.api.job(self._finished())["fine_tuned_model"])

    def upload(self) -> str:
        """Make an upload of one part."""
        asked = {"bytes": len(PART), "filename": "f", "mime_type": "text/jsonl", "purpose": "fine-tune"}
        return str(self.api.post("/uploads", asked).json["id"])

    def part(self, upload_id: str) -> str:
        """Make the part of an upload."""
        form = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="data"; filename="p"\r\n\r\n'.encode()
        form += PART + f"\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return str(self.api.call("POST", f"/uploads/{quote(upload_id, safe='')}/parts", form, kind).json.get("id"))

    def permission(self, model: str) -> str:
        """Make a permission to use a model."""
        asked = {"project_ids": [f"proj_{next(self._number)}"]}
        return str(self.api.post(_PERMISSIONS.format(model), asked).json["first_id"])

    def _finished(self) -> str:
        quick = {"n_epochs": 4, "batch_size": 5, "learning_rate_multiplier": 1}
        job_id = str(self.api.create(self._shared("file", self.file), hyperparameters=quick)["id"])
        self.server.finish(job_id)
        return job_id

    def _shared(self, kind: str, make: Callable[[], str]) -> str:
        """Return what was made before, if it is still there."""
        noun = {"file": "file_id", "done": "fine_tuning_job_id", "model": "model"}[kind]
        if kind not in self._ends or not self._knows({noun: self._ends[kind]}):
            self._ends[kind] = make()
        return self._ends[kind]

    def _knows(self, given: dict[str, Any]) -> bool:
        for name, shape in _SHAPES.items():
            if name in given and not shape.fullmatch(str(given[name])):
                return False
        if "upload_id" in given:
            return True
        name, value = next(iter(given.items()))
        noun = {"file_id": "files", "fine_tuning_job_id": "fine_tuning/jobs"}.get(name, "models")
        return bool(value) and self.api.get(f"/{noun}/{quote(str(value), safe='')}").status == 200

    def _checkpoint(self, given: dict[str, Any]) -> dict[str, Any]:
        found = {"fine_tuned_model_checkpoint": self.model()}
        if "permission_id" in given:
            found["permission_id"] = self.permission(self.model())
        return found

    def _cursor(self, operation: str, path: dict[str, Any]) -> str | None:
        if operation == "listFiles":
            return self._shared("file", self.file)
        if operation == "listPaginatedFineTuningJobs":
            return self.done()
        checkpoint = path.get("fine_tuned_model_checkpoint")
        if checkpoint is not None:
            return self.permission(checkpoint)
        end = {"listFineTuningEvents": "events", "listFineTuningJobCheckpoints": "checkpoints"}[operation]
        job_id = quote(str(path["fine_tuning_job_id"]), safe="")
        page = self.api.get(f"/fine_tuning/jobs/{job_id}/{end}?limit=1").json
        return str(page["data"][0]["id"]) if page.get("data") else None

    def _create(self, given: dict[str, Any]) -> dict[str, Any]:
        found = dict(given)
        if isinstance(given.get("model"), str):
            found["model"] = _MODELS[next(self._number) % len(_MODELS)]
        for name in ("training_file", "validation_file"):
            if isinstance(given.get(name), str):
                found[name] = self._shared("file", self.file)
        if "method" in found and "hyperparameters" in found:
            # They exclude each other. What is bad stays.
            schema = "#/components/schemas/CreateFineTuningJobRequest/properties/hyperparameters"
            found.pop("method" if complaints(schema, found["hyperparameters"]) else "hyperparameters")
        reinforcement = (
            found.get("method") and isinstance(found["method"], dict) and found["method"].get("reinforcement")
        )
        if isinstance(reinforcement, dict) and "grader" in reinforcement:
            sensible = {**reinforcement, "grader": _sensible(reinforcement["grader"])}
            found["method"] = {**found["method"], "reinforcement": sensible}
        return found

    def _complete(self, given: dict[str, Any], upload_id: str) -> dict[str, Any]:
        found = dict(given)
        if isinstance(given.get("part_ids"), list) and all(isinstance(each, str) for each in given["part_ids"]):
            found["part_ids"] = [self.part(upload_id)]
        if not complaints("#/components/schemas/CompleteUploadRequest/properties/md5", given.get("md5")):
            found["md5"] = hashlib.md5(PART, usedforsecurity=False).hexdigest()
        return found


# There is no way to ask for one of these.
_SHAPES = {"upload_id": re.compile("upload_[0-9a-f]{32}"), "permission_id": re.compile("cp_[0-9a-zA-Z]{24}")}


def _sensible(grader: Any) -> Any:
    """Let the parts of a grader fit each other: names, formula, labels, range."""
    if not isinstance(grader, dict):
        return grader
    found = dict(grader)
    if found.get("type") == "multi":
        found["graders"] = _named(found.get("graders"))
        if isinstance(found.get("calculate_output"), str) and found["calculate_output"]:
            found["calculate_output"] = "part_0"
    labels = ("labels", "passing_labels")
    if not any(complaints(f"#/components/schemas/GraderLabelModel/properties/{n}", found.get(n)) for n in labels):
        found["passing_labels"] = found["labels"][:1]
    if not complaints("#/components/schemas/GraderScoreModel/properties/range", found.get("range")):
        found["range"] = [0, 1]
    return found


def _named(parts: Any) -> Any:
    """Let the formula find the parts under names that it can have."""
    if isinstance(parts, list):
        named = map(_sensible, parts)
        return [_renamed(each, f"part_{number}") for number, each in enumerate(named)]
    if isinstance(parts, dict) and isinstance(parts.get("type"), str):
        return _renamed(_sensible(parts), "part_0")
    if isinstance(parts, dict):
        return {f"part_{number}": _sensible(each) for number, each in enumerate(parts.values())}
    return parts


def _renamed(part: Any, name: str) -> Any:
    return (
        {**part, "name": name} if isinstance(part, dict) and _is_text(part.get("name")) and part["name"] else part
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_JOBS: dict[str, Callable[[Fitter], str]] = {
    "resumeFineTuningJob": Fitter.paused,
    "listFineTuningEvents": Fitter.done,
    "listFineTuningJobCheckpoints": Fitter.done,
}
