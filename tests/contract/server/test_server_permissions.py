"""Checkpoint permissions over HTTP, with the checkpoints as models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import Api

if TYPE_CHECKING:
    from pathlib import Path


def trained(api: Api, server: LocalServer, epochs: int = 1) -> str:
    job = api.create(hyperparameters={"n_epochs": epochs})
    server.finish(job["id"])
    return str(api.job(job["id"])["fine_tuned_model"])


def path_of(model: str) -> str:
    return f"/fine_tuning/checkpoints/{model}/permissions"


def listed(api: Api, path: str, query: str = "") -> list[str]:
    return [each["project_id"] for each in api.get(f"{path}?{query}").json["data"]]


def test_a_permission_has_the_recorded_shape(api: Api, server: LocalServer) -> None:
    path = path_of(trained(api, server))
    page = api.post(path, {"project_ids": ["proj_a"]}).json
    assert list(page) == ["object", "data", "has_more", "first_id", "last_id"]
    (permission,) = page["data"]
    assert list(permission) == ["object", "id", "created_at", "project_id"]
    assert permission["object"] == "checkpoint.permission"
    assert permission["id"].startswith("cp_")
    assert len(permission["id"]) == 27
    assert (page["first_id"], page["last_id"]) == (permission["id"],) * 2
    assert api.get(path).json == page


def test_the_same_grant_twice_is_one_permission(api: Api, server: LocalServer) -> None:
    path = path_of(trained(api, server))
    first = api.post(path, {"project_ids": ["proj_a", "proj_a"]}).json["data"]
    server.advance(100)
    again = api.post(path, {"project_ids": ["proj_b", "proj_a"]}).json["data"]
    assert len(first) == 1
    assert again[1] == first[0]
    assert again[0]["created_at"] == first[0]["created_at"] + 100
    assert listed(api, path) == ["proj_b", "proj_a"]


def test_permissions_are_listed_in_either_order_page_by_page(api: Api, server: LocalServer) -> None:
    path, other = path_of(trained(api, server)), path_of(trained(api, server))
    projects = [f"proj_{number}" for number in range(12)]
    made = api.post(path, {"project_ids": projects}).json["data"]
    api.post(other, {"project_ids": ["proj_1", "proj_other"]})
    assert listed(api, path) == projects[:1:-1]
    assert listed(api, path, "limit=100") == projects[::-1]
    assert listed(api, path, "order=ascending") == projects[:10]
    assert listed(api, path, f"order=ascending&after={made[9]['id']}") == projects[10:]
    assert listed(api, path, f"after={made[2]['id']}") == projects[1::-1]
    assert listed(api, path, "project_id=proj_1") == ["proj_1"]
    assert listed(api, other) == ["proj_other", "proj_1"]
    page = api.get(f"{path}?limit=2").json
    assert (page["has_more"], page["first_id"], page["last_id"]) == (True, made[11]["id"], made[10]["id"])
    nobody = api.get(f"{path}?project_id=proj_none").json
    assert nobody == {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None}
    foreign = api.get(other).json["first_id"]
    for query in ("order=asc", "order=", "limit=0", "limit=101", "after=cp_none", f"after={foreign}"):
        assert api.get(f"{path}?{query}").status == 400


def test_a_permission_is_deleted_once_and_given_anew_under_another_id(api: Api, server: LocalServer) -> None:
    path, other = path_of(trained(api, server)), path_of(trained(api, server))
    permission_id = api.post(path, {"project_ids": ["proj_a"]}).json["first_id"]
    assert api.call("DELETE", f"{other}/{permission_id}").status == 404
    gone = api.call("DELETE", f"{path}/{permission_id}").json
    assert gone == {"id": permission_id, "object": "checkpoint.permission", "deleted": True}
    answer = api.call("DELETE", f"{path}/{permission_id}")
    assert (answer.status, answer.error["param"]) == (404, "permission_id")
    assert listed(api, path) == []
    assert api.post(path, {"project_ids": ["proj_a"]}).json["first_id"] != permission_id


def test_a_checkpoint_that_does_not_exist_has_no_permissions(api: Api) -> None:
    path = path_of("ft:123")
    answers = [
        api.get(path),
        api.post(path, {"project_ids": ["proj_a"]}),
        api.call("DELETE", f"{path}/cp_1"),
    ]
    for answer in answers:
        assert (answer.status, answer.error["code"]) == (404, "model_not_found")
        assert answer.error["message"] == "The model 'ft:123' does not exist"
    assert api.get(path_of("gpt-4o-mini")).status == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "project_ids"),
        ({"project_ids": None}, "project_ids"),
        ({"project_ids": "proj_a"}, "project_ids"),
        ({"project_ids": []}, "project_ids"),
        ({"project_ids": ["proj_a", ""]}, "project_ids[1]"),
        ({"project_ids": [5]}, "project_ids[0]"),
        ({"project_ids": ["x"] * 101}, "project_ids"),
    ],
)
def test_a_bad_grant_is_refused_and_gives_nothing(
    api: Api, server: LocalServer, body: dict[str, object], param: str
) -> None:
    path = path_of(trained(api, server))
    answer = api.post(path, body)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert listed(api, path) == []


def test_checkpoints_are_models_as_long_as_they_are_kept(api: Api, server: LocalServer) -> None:
    job = api.create(hyperparameters={"n_epochs": 5})
    server.finish(job["id"])
    kept = [
        each["fine_tuned_model_checkpoint"]
        for each in api.get(f"/fine_tuning/jobs/{job['id']}/checkpoints").json["data"]
    ]
    models = [each["id"] for each in api.get("/models").json["data"] if each["id"].startswith("ft:")]
    assert models == kept[::-1]
    assert len(models) == 3
    assert models[-1] == api.job(job["id"])["fine_tuned_model"]
    assert api.call("DELETE", f"/models/{models[0]}").json["deleted"]
    assert api.get(f"/models/{models[0]}").status == 404
    assert api.get(f"/models/{models[1]}").json["owned_by"] == "local"


def test_with_a_model_its_permissions_go(api: Api, server: LocalServer) -> None:
    model = trained(api, server)
    api.post(path_of(model), {"project_ids": ["proj_a"]})
    api.call("DELETE", f"/models/{model}")
    assert api.get(path_of(model)).status == 404


def test_permissions_outlive_the_process_and_are_forgotten_by_reset(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    with LocalServer(db=path) as server:
        api = Api(server.url)
        model = trained(api, server)
        page = api.post(path_of(model), {"project_ids": ["proj_a"]}).json
    with LocalServer(db=path) as server:
        api = Api(server.url)
        assert api.get(path_of(model)).json == page
        server.reset()
        assert trained(api, server) == model
        assert listed(api, path_of(model)) == []
        assert api.post(path_of(model), {"project_ids": ["proj_b"]}).json["first_id"] == page["first_id"]
