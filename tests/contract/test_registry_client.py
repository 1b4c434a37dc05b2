"""The client's files, models and permissions against the local server, and what it refuses before sending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import (
    BadRequestError,
    CheckpointPermission,
    FineTuningClient,
    InvalidArgumentError,
    Model,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    ResponseFormatError,
)
from tests.contract.personas import PAGING_FILES, local
from tests.misbehaving import answer
from tests.serving import scripted

if TYPE_CHECKING:
    from fine_tuning_async.server import LocalServer
    from tests.contract.personas import Persona

EXAMPLES = b"\n".join(
    [b'{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'] * 10
)


async def trained(client: FineTuningClient, server: LocalServer) -> str:
    file = await client.upload_file(EXAMPLES)
    job = await client.create_job("gpt-4o-mini", file.id)
    server.finish(job.id)
    model = (await client.retrieve_job(job.id)).fine_tuned_model
    assert model is not None
    return model


# ------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("persona", PAGING_FILES, ids=lambda persona: persona.name)
async def test_files_are_listed_as_asked_for(persona: Persona) -> None:
    async with local(persona) as (client, server):
        purposes = ("batch", "fine-tune", "batch")
        files = [persona.settled(await client.upload_file(b"x", purpose=each)) for each in purposes]
        assert await client.list_files().collect() == files[::-1]
        assert await client.list_files(order="asc").collect() == files
        assert await client.list_files(order="desc", after=files[2].id).collect() == files[1::-1]
        assert await client.list_files(purpose="batch").collect() == [files[2], files[0]]
        assert await client.list_files(order="asc", limit=1, max_items=2).collect() == files[:2]
        last = dict(server.requests[-1].query)
        assert last == {"order": "asc", "limit": "1", "after": files[0].id}
        assert await client.list_files(purpose="fine-tune", limit=1, order="asc").collect() == [files[1]]


async def test_a_file_is_retrieved_and_deleted(persona: Persona) -> None:
    async with local(persona) as (client, _):
        file = await client.upload_file(EXAMPLES, filename="train.jsonl")
        assert await client.retrieve_file(file.id) == persona.settled(file)
        gone = await client.delete_file(file.id)
        assert (gone.id, gone.deleted) == (file.id, True)
        assert gone.object == ("file" if persona.answers_deletes else None)
        with pytest.raises(NotFoundError) as caught:
            await client.retrieve_file(file.id)
        assert caught.value.param == persona.param("id")
        assert f"No such File object: {file.id}" in caught.value.message
        with pytest.raises(NotFoundError):
            await client.delete_file(file.id)
        assert await client.list_files().collect() == []


async def test_all_files_are_listed_once_by_every_server(persona: Persona) -> None:
    async with local(persona) as (client, _):
        purposes = ("batch", "fine-tune", "batch")
        files = [persona.settled(await client.upload_file(b"x", purpose=each)) for each in purposes]
        assert await client.list_files().collect() == files[::-1]
        assert [each async for each in client.list_files(purpose="batch")] == [files[2], files[0]]


@pytest.mark.parametrize("persona", PAGING_FILES, ids=lambda persona: persona.name)
async def test_a_cursor_that_names_no_file_is_the_servers_to_refuse(persona: Persona) -> None:
    async with local(persona) as (client, _):
        with pytest.raises(BadRequestError, match="after"):
            await client.list_files(after="file-none")


# ------------------------------------------------------------------------------------------- models


async def test_all_models_are_listed_by_one_request(persona: Persona) -> None:
    async with local(persona) as (client, server):
        name = await trained(client, server)
        before = len(server.requests)
        models = [each async for each in client.list_models()]
        assert all(isinstance(each, Model) for each in models)
        assert models[-1].id == name
        owners = ("local", "system") if persona.dates_models else (None, None)
        assert (models[-1].owned_by, models[0].owned_by) == owners
        page = await client.list_models()
        assert (page.has_more, page.next_cursor) == (None, None)
        assert page.data == models == await client.list_models().collect()
        assert [len(each.data) async for each in client.list_models().pages()] == [len(models)]
        assert len(server.requests) == before + 4
        assert all(each.query == persona.query() for each in server.requests[before:])


async def test_a_list_of_models_that_is_empty_ends() -> None:
    async with scripted(answer(200, {}, b'{"object": "list", "data": []}')) as (client, server):
        assert await client.list_models().collect() == []
        assert len(server.requests) == 1


async def test_models_on_several_pages_are_followed_where_the_server_says_so() -> None:
    first = answer(200, {}, b'{"data": [{"id": "a"}], "has_more": true}')
    last = answer(200, {}, b'{"data": [{"id": "b"}], "has_more": false}')
    async with scripted(first, last) as (client, server):
        assert [each.id async for each in client.list_models()] == ["a", "b"]
        assert server.requests[-1].target == "/models?after=a"
    async with scripted(first) as (client, _):
        with pytest.raises(PaginationError):
            await client.list_models().collect()


async def test_what_azure_says_of_a_model_is_kept() -> None:
    body = b'{"data": [{"id": "m", "object": "model", "created_at": 5, "capabilities": {"fine_tune": true}}]}'
    async with scripted(answer(200, {}, body)) as (client, _):
        (model,) = (await client.list_models()).data
    assert (model.created, model.owned_by) == (None, None)
    assert model.extra == {"created_at": 5, "capabilities": {"fine_tune": True}}


async def test_a_list_of_models_that_is_none_is_refused() -> None:
    async with scripted(answer(200, {}, b'[{"id": "m"}]')) as (client, _):
        with pytest.raises(ResponseFormatError, match="no list"):
            await client.list_models()


async def test_a_model_is_retrieved_and_deleted(persona: Persona) -> None:
    async with local(persona) as (client, server):
        name = await trained(client, server)
        model = await client.retrieve_model(name)
        assert (model.id, model.object) == (name, "model")
        gone = await client.delete_model(name)
        assert (gone.id, gone.deleted) == (name, True)
        assert gone.object == ("model" if persona.answers_deletes else None)
        for call in (client.retrieve_model, client.delete_model):
            with pytest.raises(NotFoundError) as caught:
                await call(name)
            assert caught.value.code == persona.code(404, "model_not_found")
            assert caught.value.param == persona.param("model")
        assert name not in [each.id async for each in client.list_models()]
        with pytest.raises(PermissionDeniedError):
            await client.delete_model("gpt-4o-mini")


@pytest.mark.parametrize("name", ["Qwen/Qwen3-4B", "ft:gpt-4o:org/x:a?b#c:1", "/models/llama", "a%2Fb"])
async def test_a_name_with_slashes_arrives_as_one_segment(name: str, persona: Persona) -> None:
    async with local(persona) as (client, server):
        for call in (client.retrieve_model, client.delete_model):
            with pytest.raises(NotFoundError) as caught:
                await call(name)
            assert f"The model '{name}' does not exist" in caught.value.message.replace('"', "'")
        with pytest.raises(NotFoundError) as caught:
            await client.list_checkpoint_permissions(name)
        assert caught.value.code == persona.code(404, "model_not_found")
        assert len(server.requests) == 3


# ------------------------------------------------------------------------------------------- permissions


async def test_permissions_are_given_listed_and_taken_back(persona: Persona) -> None:
    async with local(persona) as (client, server):
        name = await trained(client, server)
        granted = await client.create_checkpoint_permissions(name, ["proj_a", "proj_b", "proj_a"])
        assert all(isinstance(each, CheckpointPermission) for each in granted)
        assert [each.project_id for each in granted] == ["proj_a", "proj_b"]
        assert server.requests[-1].json == {"project_ids": ["proj_a", "proj_b"]}
        assert granted[0].created.timestamp() == granted[0].created_at
        assert await client.create_checkpoint_permissions(name, ("proj_b",)) == granted[1:]

        listed = client.list_checkpoint_permissions
        assert await listed(name).collect() == granted[::-1]
        assert await listed(name, order="ascending").collect() == granted
        assert await listed(name, order="ascending", limit=1).collect() == granted
        assert await listed(name, order="descending", after=granted[1].id).collect() == granted[:1]
        assert await listed(name, project_id="proj_b").collect() == granted[1:]
        assert await listed(name, max_items=1).collect() == granted[1:]

        gone = await client.delete_checkpoint_permission(name, granted[0].id)
        assert (gone.id, gone.deleted) == (granted[0].id, True)
        assert gone.object == ("checkpoint.permission" if persona.answers_deletes else None)
        assert await listed(name).collect() == granted[1:]
        with pytest.raises(NotFoundError, match=granted[0].id):
            await client.delete_checkpoint_permission(name, granted[0].id)


async def test_every_checkpoint_of_a_job_can_be_shared(persona: Persona) -> None:
    async with local(persona) as (client, server):
        await trained(client, server)
        (job,) = (await client.list_jobs()).data
        async for checkpoint in client.list_checkpoints(job.id):
            name = checkpoint.fine_tuned_model_checkpoint
            assert len(await client.create_checkpoint_permissions(name, ["proj_a"])) == 1


async def test_a_checkpoint_that_does_not_exist_is_not_found(persona: Persona) -> None:
    async with local(persona) as (client, _):
        with pytest.raises(NotFoundError):
            await client.create_checkpoint_permissions("ft:none", ["proj_a"])
        with pytest.raises(NotFoundError):
            await client.list_checkpoint_permissions("ft:none")
        with pytest.raises(NotFoundError):
            await client.delete_checkpoint_permission("ft:none", "cp_1")


# ------------------------------------------------------------------------------------------- what is refused

BAD_IDS: list[object] = ["", ".", "..", "../x", "a/../b", "a b", "a\n", "\x00", "\ud800", None, 5, b"id", ["id"]]
TAKES_AN_ID: list[tuple[str, str, tuple[object, ...]]] = [
    ("retrieve_file", "file_id", ()),
    ("delete_file", "file_id", ()),
    ("retrieve_model", "model", ()),
    ("delete_model", "model", ()),
    ("create_checkpoint_permissions", "checkpoint", (["proj_a"],)),
    ("list_checkpoint_permissions", "checkpoint", ()),
    ("delete_checkpoint_permission", "checkpoint", ("cp_1",)),
]


async def refused(name: str, *values: object, **options: object) -> str:
    """Return what the client says, having sent nothing."""
    async with scripted(answer()) as (client, server):
        with pytest.raises(InvalidArgumentError) as caught:
            await getattr(client, name)(*values, **options)
        assert server.requests == []
    return str(caught.value)


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize(("name", "argument", "rest"), TAKES_AN_ID)
async def test_what_cannot_be_an_id_is_refused(
    name: str, argument: str, rest: tuple[object, ...], bad: object
) -> None:
    assert (await refused(name, bad, *rest)).startswith(f"{argument} is ")


@pytest.mark.parametrize("bad", [*BAD_IDS, "cp/1"])
async def test_what_cannot_be_the_id_of_a_permission_is_refused(bad: object) -> None:
    said = await refused("delete_checkpoint_permission", "ft:m:org::1", bad)
    assert said.startswith("permission_id is ")


@pytest.mark.parametrize("bad", ["file/1"])
async def test_only_models_may_have_a_slash(bad: str) -> None:
    assert (await refused("delete_file", bad)).startswith(f"file_id is '{bad}'")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "ascending"}, "order is 'ascending'; it must be one of 'asc', 'desc'"),
        ({"order": ""}, "order is ''; it must be one of 'asc', 'desc'"),
        ({"order": ["asc"]}, "order is ['asc']; it must be one of 'asc', 'desc'"),
        ({"limit": 0}, "limit is 0; it must be a whole number from 1 to 10000"),
        ({"limit": 10_001}, "limit is 10001; it must be a whole number from 1 to 10000"),
        ({"limit": True}, "limit is True; it must be a whole number from 1 to 10000"),
        ({"limit": "5"}, "limit is '5'; it must be a whole number from 1 to 10000"),
        ({"purpose": ""}, "purpose is ''; it must be a string of 1 to 64 characters"),
        ({"purpose": 5}, "purpose is 5; it must be a string of 1 to 64 characters"),
        ({"after": ""}, "after is ''; it must be the id of the last item already seen, or None"),
        ({"max_items": -1}, "max_items is -1; it must be a whole number of at least 0, or None"),
    ],
)
async def test_a_list_of_files_is_held_to_its_ranges(options: dict[str, object], message: str) -> None:
    assert await refused("list_files", **options) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "asc"}, "order is 'asc'; it must be one of 'ascending', 'descending'"),
        ({"limit": 0}, "limit is 0; it must be a whole number of at least 1, the size of a page"),
        ({"project_id": ""}, "project_id is ''; it must be a string of 1 to 1000 characters"),
        ({"project_id": 5}, "project_id is 5; it must be a string of 1 to 1000 characters"),
        ({"after": 5}, "after is 5; it must be the id of the last item already seen, or None"),
        ({"max_items": 1.5}, "max_items is 1.5; it must be a whole number of at least 0, or None"),
    ],
)
async def test_a_list_of_permissions_is_held_to_its_ranges(options: dict[str, object], message: str) -> None:
    assert await refused("list_checkpoint_permissions", "ft:m:org::1", **options) == message


@pytest.mark.parametrize(
    ("projects", "said"),
    [
        ("proj_a", "project_ids is 'proj_a'; it must be a list of project ids"),
        ([], "project_ids is []; it must be a list of project ids, with at least one"),
        (None, "project_ids is None; it must be a list"),
        ({"proj_a": 1}, "project_ids is {'proj_a': 1}; it must be a list"),
        (["proj_a", ""], "project_ids[1] is ''; it must be a string of 1 to 1000 characters"),
        (["proj_a", None], "project_ids[1] is None; it must be a string"),
    ],
)
async def test_a_grant_names_projects(projects: Any, said: str) -> None:
    assert (await refused("create_checkpoint_permissions", "ft:m:org::1", projects)).startswith(said)


async def test_a_list_asks_for_nothing_before_it_is_read() -> None:
    async with scripted(answer()) as (client, server):
        client.list_files(limit=10_000, order="asc", purpose="fine-tune")
        client.list_models()
        client.list_checkpoint_permissions("ft:m:org::1", order="descending")
        assert server.requests == []
