"""What holds for every personality of the local server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from fine_tuning_async.server import LocalServer
from fine_tuning_async.server.personalities import PERSONALITIES, Like
from tests.contract.server.http_api import Api

if TYPE_CHECKING:
    from pathlib import Path

BASES = {"openai": "", "azure": "/openai/v1", "gateway": ""}
TIMES = {"created_at", "finished_at", "created", "estimated_finish"}


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: timeless(each) for name, each in value.items() if name not in TIMES}
    return [timeless(each) for each in value] if isinstance(value, list) else value


def story(like: Any, seed: int) -> list[Any]:
    """All that a server of this seed tells of a job."""
    with LocalServer(like=like, seed=seed) as server:
        api = Api(server.url + BASES[like])
        body = {"model": "gpt-4o-mini", "training_file": api.training_file(), "suffix": "s"}
        path = f"/fine_tuning/jobs/{api.post('/fine_tuning/jobs', body).json['id']}"
        server.advance(100)
        told = [api.get(path).json]
        server.advance(1_000)
        paths = ("/files", "/models", "/fine_tuning/jobs", path, f"{path}/events?limit=100", f"{path}/checkpoints")
        told += [api.get(each).json for each in paths]
        (results,) = api.get(path).json["result_files"]
        return [*timeless(told), api.get(f"/files/{results}/content").body]


@pytest.mark.parametrize("like", PERSONALITIES)
def test_the_same_seed_tells_the_same_story(like: str) -> None:
    first = story(like, 1)
    assert first == story(like, 1)
    assert first != story(like, 2)


def test_each_tells_it_in_its_own_way() -> None:
    assert len({repr(story(like, 1)) for like in PERSONALITIES}) == len(PERSONALITIES) == 3


def test_the_names_are_those_that_a_type_checker_knows() -> None:
    assert get_args(Like) == tuple(PERSONALITIES)


@pytest.mark.parametrize("like", ["", "Azure", "litellm", None, 5])
def test_another_is_refused(like: Any) -> None:
    with pytest.raises(ValueError, match="like must be one of openai, azure, gateway"):
        LocalServer(like=like)


@pytest.mark.parametrize("like", PERSONALITIES)
def test_what_it_keeps_outlives_it(like: Any, tmp_path: Path) -> None:
    db = tmp_path / "jobs.sqlite"
    body = {"model": "gpt-4o-mini", "trainingType": "standard"}
    with LocalServer(like=like, db=db) as server:
        api = Api(server.url + BASES[like])
        made = api.post("/fine_tuning/jobs", {**body, "training_file": api.training_file()}).json
    with LocalServer(like=like, db=db) as server:
        api = Api(server.url + BASES[like])
        assert api.job(made["id"]) == made
        server.finish(made["id"])
        assert api.job(made["id"]).get("trainingType") == (None if like == "openai" else "standard")
