"""An archive, served: code that is written against the API reads its history as it did before."""

from __future__ import annotations

import asyncio
import io
import socket
from contextlib import asynccontextmanager, redirect_stdout
from typing import TYPE_CHECKING

import aiohttp
import pytest

from fine_tuning_async import (
    NO_METADATA,
    APIError,
    Archive,
    BadRequestError,
    FineTuningClient,
    NotFoundError,
    PermissionDeniedError,
    archive_account,
)
from fine_tuning_async.server import ArchiveServer, NotRunningError, StartError, serve_archive
from tests.contract.test_archive import MODEL, account, create

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path


@asynccontextmanager
async def shown(directory: Path) -> AsyncIterator[FineTuningClient]:
    """A client of an archive that is served."""
    async with ArchiveServer(directory) as server, FineTuningClient("any", base_url=server.url) as client:
        yield client


async def everything(client: FineTuningClient) -> dict[str, object]:
    """All that a client can see of an account, in small pages and with every filter and order."""
    jobs = await client.list_jobs(limit=2).collect()
    seen: dict[str, object] = {
        "jobs": jobs,
        "jobs by metadata": await client.list_jobs(metadata={"number": "1"}).collect(),
        "jobs without metadata": await client.list_jobs(metadata=NO_METADATA, limit=1).collect(),
        "files": await client.list_files(limit=2).collect(),
        "files, oldest first": await client.list_files(limit=3, order="asc").collect(),
        "results": await client.list_files(purpose="fine-tune-results").collect(),
        "models": {each.id: each async for each in client.list_models()},
    }
    for job in jobs:
        seen[job.id] = await client.retrieve_job(job.id)
        seen[f"events of {job.id}"] = await client.list_events(job.id, limit=30).collect()
        checkpoints = await client.list_checkpoints(job.id, limit=2).collect()
        seen[f"checkpoints of {job.id}"] = checkpoints
        seen[f"figures of {job.id}"] = await client.training_metrics(job)
        for each in checkpoints:
            name = each.fine_tuned_model_checkpoint
            seen[f"permissions of {name}"] = await client.list_checkpoint_permissions(name, limit=1).collect()
            seen[f"permissions of {name}, oldest first"] = await client.list_checkpoint_permissions(
                name, order="ascending", project_id="proj_b"
            ).collect()
            seen[name] = await client.retrieve_model(name)
    for file in await client.list_files().collect():
        seen[file.id] = await client.retrieve_file(file.id)
        async with client.stream_file(file.id) as chunks:
            seen[f"content of {file.id}"] = b"".join([chunk async for chunk in chunks])
    return seen


async def test_an_archive_is_read_like_the_account_that_it_was_made_of(tmp_path: Path) -> None:
    async with account(3) as (server, client):
        plain = await client.create_job(MODEL, (await create(client, 7)).training_file or "")
        server.finish(plain.id)
        name = (await client.retrieve_job(plain.id)).fine_tuned_model or ""
        await client.create_checkpoint_permissions(name, ["proj_a", "proj_b", "proj_c"])
        await archive_account(client, tmp_path)
        before = await everything(client)
    async with shown(tmp_path) as client:
        assert await everything(client) == before


async def test_an_archive_of_an_archive_is_the_same_archive(tmp_path: Path) -> None:
    async with account(2) as (_, client):
        await archive_account(client, tmp_path / "first")
    async with shown(tmp_path / "first") as client:
        await archive_account(client, tmp_path / "second")
    with Archive(tmp_path / "first") as first, Archive(tmp_path / "second") as second:
        assert list(first.lines()) == list(second.lines())


WRITES: dict[str, Callable[[FineTuningClient], Awaitable[object]]] = {
    "create": lambda client: client.create_job(MODEL, "file-1"),
    "cancel": lambda client: client.cancel_job("ftjob-1"),
    "upload": lambda client: client.upload_file(b"{}\n"),
    "delete a file": lambda client: client.delete_file("file-1"),
    "delete a model": lambda client: client.delete_model("ft:x"),
    "grant": lambda client: client.create_checkpoint_permissions("ft:x", ["proj_a"]),
    "what there is not": lambda client: client.request("PUT", "/nothing"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_what_would_write_is_told_that_this_is_an_archive(
    write: Callable[[FineTuningClient], Awaitable[object]], tmp_path: Path
) -> None:
    async with account() as (_, client):
        await archive_account(client, tmp_path)
    async with shown(tmp_path) as client:
        with pytest.raises(APIError, match="This is an archive, and read-only") as caught:
            await write(client)
    assert (caught.value.status, caught.value.code) == (405, "archive_is_read_only")
    assert caught.value.headers["Allow"] == "GET, HEAD"
    assert caught.value.request_id


async def test_what_is_not_there_is_told_as_the_api_does(tmp_path: Path) -> None:
    async with account(1) as (_, client):
        job = (await client.list_jobs()).data[0]
        await client.delete_file(job.training_file or "")
        await archive_account(client, tmp_path, permissions=False)
    async with shown(tmp_path) as client:
        with pytest.raises(NotFoundError, match="Could not find fine tune: ftjob-x") as caught:
            await client.retrieve_job("ftjob-x")
        assert caught.value.code == "fine_tune_not_found"
        for listing in (client.list_events("ftjob-x"), client.list_checkpoints("ftjob-x")):
            with pytest.raises(NotFoundError, match="Could not find fine tune"):
                await listing
        with pytest.raises(NotFoundError, match="No such File object: file-x"):
            await client.retrieve_file("file-x")
        with pytest.raises(NotFoundError, match="not in this archive: the server had deleted it by then"):
            await client.download_file(job.training_file or "", tmp_path / "x")
        with pytest.raises(NotFoundError, match="The model 'x' does not exist"):
            await client.retrieve_model("x")
        with pytest.raises(NotFoundError, match="The model 'x' does not exist"):
            await client.list_checkpoint_permissions("x")
        with pytest.raises(PermissionDeniedError, match="are not in this archive"):
            await client.list_checkpoint_permissions(job.fine_tuned_model or "")
        with pytest.raises(BadRequestError, match="Invalid 'after'"):
            await client.list_jobs(after="ftjob-x")
        with pytest.raises(BadRequestError, match="Expected a value <= 100"):
            await client.list_jobs(limit=101)
        with pytest.raises(NotFoundError, match="Invalid URL"):
            await client.request("GET", "/nothing")


async def test_a_range_of_a_content_can_be_asked_for(tmp_path: Path) -> None:
    async with account(1) as (_, client):
        file = (await client.list_files(purpose="fine-tune")).data[0]
        await archive_account(client, tmp_path)
    async with ArchiveServer(tmp_path) as server, aiohttp.ClientSession() as session:
        url = f"{server.url}/files/{file.id}/content"
        async with session.get(url, headers={"Range": "bytes=2-9"}) as answer:
            assert (answer.status, await answer.read()) == (206, b"messages")
            assert answer.content_type == "application/octet-stream"


async def test_it_starts_where_there_is_an_archive_and_a_port_and_stops_cleanly(tmp_path: Path) -> None:
    server = ArchiveServer(tmp_path)
    with pytest.raises(StartError, match="there is no archive"):
        await server.__aenter__()
    (tmp_path / "archive.sqlite").write_text("no database")
    with pytest.raises(StartError, match="cannot be read"):
        await server.__aenter__()
    (tmp_path / "archive.sqlite").unlink()
    async with account() as (_, client):
        await archive_account(client, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(StartError, match="cannot listen on"):
        await ArchiveServer(tmp_path, port=taken.getsockname()[1]).__aenter__()
    async with server:
        url = server.url
        with pytest.raises(StartError, match="running already"):
            await server.__aenter__()
    with pytest.raises(NotRunningError):
        _ = server.url
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


async def test_it_says_at_once_where_it_listens_whoever_reads_that_from_a_pipe(tmp_path: Path) -> None:
    async with account() as (_, client):
        await archive_account(client, tmp_path)
    pipe = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(pipe)):
        serving = asyncio.create_task(serve_archive(tmp_path))
        for _ in range(60):
            if not pipe.getvalue():
                await asyncio.sleep(1)
        serving.cancel()
        await asyncio.wait([serving])
        assert pipe.getvalue().startswith(b"listening on http://127.0.0.1:")
