"""Files that earlier versions wrote: nothing in them is lost, and everything goes on."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async.server import LocalServer, StartError
from fine_tuning_async.server.store import Store
from fine_tuning_async.server.store.schema import APPLICATION, VERSION
from tests.contract.server import database_story
from tests.contract.server.http_api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = sorted(path.stem for path in database_story.FOLDER.glob("*.sql"))
LATER = "SELECT name, type, sql FROM sqlite_master ORDER BY name"


def columns(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
        return {
            name: connection.execute(f"PRAGMA table_info({name})").fetchall()
            + connection.execute(f"PRAGMA index_xinfo({name})").fetchall()
            for name in names
        }


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def path(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database_story.restore(name, tmp_path_factory.mktemp("old") / "jobs.db")


@pytest.fixture(scope="module")
def before(path: Path) -> dict[str, dict[str, Any]]:
    views = database_story.rows(path, "SELECT view FROM jobs")
    return {job["user_provided_suffix"]: job for job in (json.loads(view) for (view,) in views)}


@pytest.fixture(scope="module")
def api(path: Path, before: object) -> Iterator[Api]:
    with LocalServer(db=path, seed=database_story.SEED) as server:
        found = Api(server.url)
        yield found
        assert [record for record in server.requests if record.status >= 500] == []


def test_there_is_a_file_of_every_version() -> None:
    assert {int(each.split("-")[0]) for each in NAMES} == set(range(1, VERSION + 1))


def test_jobs_are_as_they_were(api: Api, before: dict[str, dict[str, Any]]) -> None:
    jobs = {job["user_provided_suffix"]: job for job in api.get("/fine_tuning/jobs").json["data"]}
    assert jobs.keys() == before.keys() == {"done", "failed", "cancelled", "running", "paused", "waiting"}
    moving = {"estimated_finish": None}  # what lies ahead is later: the jobs stood still meanwhile
    assert {suffix: job | moving for suffix, job in jobs.items()} == {
        suffix: job | moving for suffix, job in before.items()
    }


def test_contents_of_files_are_as_they_were(api: Api, before: dict[str, dict[str, Any]]) -> None:
    content = api.get(f"/files/{before['done']['training_file']}/content").body
    assert content == database_story.LINE * 10
    results = api.get(f"/files/{before['done']['result_files'][0]}/content").body
    assert results.startswith(b"step,train_loss")


def test_a_key_is_remembered(api: Api, before: dict[str, dict[str, Any]]) -> None:
    body = database_story.wish(before["done"]["training_file"], "done", metadata={"run": "1"})
    again = api.post("/fine_tuning/jobs", body, Idempotency_Key=database_story.KEY)
    assert again.json == before["done"]


def test_each_checkpoint_is_a_model_that_can_be_shared(api: Api, before: dict[str, dict[str, Any]]) -> None:
    for suffix in ("done", "running"):
        found = api.get(f"/fine_tuning/jobs/{before[suffix]['id']}/checkpoints").json["data"]
        assert found
        for checkpoint in found:
            model = checkpoint["fine_tuned_model_checkpoint"]
            assert api.get(f"/models/{model}").json["created"] == checkpoint["created_at"]
            path = f"/fine_tuning/checkpoints/{model}/permissions"
            given = api.post(path, {"project_ids": ["proj-1"]}).json["data"]
            assert api.get(path).json["data"] == given


def test_what_that_version_knew_of_uploads_and_webhooks_is_kept(api: Api, path: Path, name: str) -> None:
    with pytest.raises(StartError, match="another server"):
        Store(str(path))
    if name in {"3", "3-uploads", "4"}:
        files = api.get("/files").json["data"]
        (joined,) = [each for each in files if each["filename"] == "parts.jsonl"]
        assert api.get(f"/files/{joined['id']}/content").body == database_story.LINE * 10


def test_uploads_can_be_made(api: Api) -> None:
    body = {"bytes": 9, "filename": "x", "mime_type": "text/jsonl", "purpose": "fine-tune"}
    assert api.post("/uploads", body).status == 200


def test_deliveries_still_wait(name: str, tmp_path: Path) -> None:
    path = database_story.restore(name, tmp_path / "jobs.db")
    with closing(Store(str(path))) as store:
        found = [(record.url, record.state) for record in store.webhooks.records()]
    assert found == [(database_story.WEBHOOK, "pending")] * (3 if name in {"3", "3-webhooks", "4"} else 0)


def test_jobs_go_on_where_they_were(name: str, before: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    path = database_story.restore(name, tmp_path / "jobs.db")
    with LocalServer(db=path, seed=database_story.SEED) as server:
        api = Api(server.url)
        api.post(f"/fine_tuning/jobs/{before['paused']['id']}/resume")
        server.advance(minutes=10)
        for suffix, steps in (("running", 8), ("paused", 8), ("waiting", 2)):
            job = api.job(before[suffix]["id"])
            assert job["status"] == "succeeded"
            figures = [each["data"]["step"] for each in api.events(job["id"]) if each["type"] == "metrics"]
            assert figures == list(range(1, steps + 1)), suffix
            table = api.get(f"/files/{job['result_files'][0]}/content").body
            assert len(table.splitlines()) == steps + 1


def test_the_tables_become_those_of_a_new_file(name: str, tmp_path: Path) -> None:
    path, new = database_story.restore(name, tmp_path / "old.db"), tmp_path / "new.db"
    for each in (path, new, path):
        Store(str(each)).close()
    assert columns(path) == columns(new)
    marks = [database_story.rows(path, f"PRAGMA {mark}") for mark in ("application_id", "user_version")]
    assert marks == [[(APPLICATION,)], [(VERSION,)]]


def test_files_are_judged_again_by_todays_rules(name: str, tmp_path: Path) -> None:
    path = database_story.restore(name, tmp_path / "jobs.db")
    kept = "SELECT count(*) FROM verdicts"
    assert database_story.rows(path, kept) == [(1,)]
    Store(str(path)).close()
    assert database_story.rows(path, kept) == [(1 if name == str(VERSION) else 0,)]


def test_tables_that_change_have_a_new_version(tmp_path: Path) -> None:
    """If this fails, raise VERSION, teach migrations.py the step, and write the new version's file."""
    kept, new = database_story.restore(str(VERSION), tmp_path / "kept.db"), tmp_path / "new.db"
    Store(str(new)).close()
    assert database_story.rows(kept, LATER) == database_story.rows(new, LATER)


def test_a_file_is_written_as_those_that_are_kept_were(tmp_path: Path) -> None:
    said = database_story.write(tmp_path)
    kept = (database_story.FOLDER / f"{VERSION}.sql").read_text()
    inserts = [[line.split(" VALUES")[0] for line in text.splitlines()] for text in (said, kept)]
    assert inserts[0] == inserts[1]


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = database_story.restore("1", tmp_path / "jobs.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE jobs SET record = 'no JSON' WHERE seq = 1")
        connection.commit()
    was = database_story.dump(path)
    with pytest.raises(StartError, match="cannot use the database"):
        Store(str(path))
    assert database_story.dump(path) == was
