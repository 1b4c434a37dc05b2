"""Nothing of the API's specification is missing, in the client and on the local server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from fine_tuning_async import FineTuningClient
from fine_tuning_async.server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SPECIFICATION = Path(__file__).parents[3] / "shared" / "spec" / "openai-fine-tuning.openapi.json"
needs_specification = pytest.mark.skipif(
    not SPECIFICATION.exists(), reason="the specification is not beside the repository"
)

METHODS = {
    "listFiles": "list_files",
    "createFile": "upload_file",
    "retrieveFile": "retrieve_file",
    "deleteFile": "delete_file",
    "downloadFile": "download_file",
    "createUpload": "upload_file",
    "addUploadPart": "upload_file",
    "completeUpload": "upload_file",
    "cancelUpload": "upload_file",
    "createFineTuningJob": "create_job",
    "listPaginatedFineTuningJobs": "list_jobs",
    "retrieveFineTuningJob": "retrieve_job",
    "cancelFineTuningJob": "cancel_job",
    "pauseFineTuningJob": "pause_job",
    "resumeFineTuningJob": "resume_job",
    "listFineTuningEvents": "list_events",
    "listFineTuningJobCheckpoints": "list_checkpoints",
    "createFineTuningCheckpointPermission": "create_checkpoint_permissions",
    "listFineTuningCheckpointPermissions": "list_checkpoint_permissions",
    "deleteFineTuningCheckpointPermission": "delete_checkpoint_permission",
    "runGrader": "run_grader",
    "validateGrader": "validate_grader",
    "listModels": "list_models",
    "retrieveModel": "retrieve_model",
    "deleteModel": "delete_model",
}
"""For each operation the method of the client that calls it."""

_VERBS = ("get", "post", "put", "patch", "delete")


class Operation(NamedTuple):
    id: str
    method: str
    path: str


def _operations() -> Iterator[Operation]:
    paths = json.loads(SPECIFICATION.read_text())["paths"] if SPECIFICATION.exists() else {}
    for path, item in paths.items():
        for verb in _VERBS:
            if verb in item:
                yield Operation(item[verb]["operationId"], verb.upper(), _unnamed(path))


def _unnamed(path: str) -> str:
    """Leave the names of a path's variables out, which each side chooses for itself."""
    return re.sub(r"{[^}]*}", "{}", path)


def _routes() -> set[tuple[str, str]]:
    """Return the methods and paths that the local server has handlers for."""
    table = LocalServer().app.router.routes()
    return {(each.method, _unnamed(each.resource.canonical)) for each in table if each.resource is not None}


OPERATIONS = list(_operations())
ROUTES = _routes()
BASES = sorted({path.removesuffix("/files") for _, path in ROUTES if path.endswith("/files")})


@needs_specification
def test_the_table_has_every_operation_of_the_specification_and_no_other() -> None:
    assert {each.id for each in OPERATIONS} == METHODS.keys()


@pytest.mark.parametrize(("operation", "method"), METHODS.items())
def test_every_operation_has_a_method_that_names_it(operation: str, method: str) -> None:
    named = getattr(FineTuningClient, method, None)
    assert callable(named), f"FineTuningClient has no {method} for {operation}"
    assert re.search(rf"\b{operation}\b", named.__doc__ or ""), f"{method} does not say that it calls {operation}"


def test_no_method_names_an_operation_that_is_not_there() -> None:
    named = {
        name: re.findall(r"operationIds? ([a-z]\w+)", getattr(FineTuningClient, name).__doc__ or "")
        for name in dir(FineTuningClient)
        if not name.startswith("_")
    }
    assert {each for found in named.values() for each in found} <= METHODS.keys()


def test_the_local_server_has_the_base_paths_of_openai_and_azure() -> None:
    assert {"/v1", "/openai/v1"} <= {*BASES}


@needs_specification
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_the_local_server_has_a_route_for_every_operation(operation: Operation, base: str) -> None:
    assert (operation.method, base + operation.path) in ROUTES
