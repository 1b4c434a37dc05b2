"""A client and a local server in one loop, with something of every kind for operations to work on."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from fine_tuning_async import FineTuningClient, FineTuningJob
from fine_tuning_async.server import LocalServer
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["EXAMPLES", "MODEL", "Stage", "serving", "staged"]

EXAMPLES = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n' * 12
MODEL = "gpt-4o-mini"


@frozen
class Stage:
    """What operations work on.

    Attributes:
        fresh: A job that was just created, one for each stage, as it may be cancelled or paused.
        done: A job that succeeded.
        file_id: A training file.
        path: The same, on the disk.
        folder: An empty directory.
    """

    client: FineTuningClient
    server: LocalServer
    fresh: FineTuningJob
    done: FineTuningJob
    file_id: str
    path: Path
    folder: Path


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[LocalServer, str]]:
    """A local server in the running loop, and its URL."""
    server = LocalServer()
    async with mounted(server.app) as url:
        yield server, url


@contextmanager
def _folder() -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory() as name:
        path, folder = Path(name, "train.jsonl"), Path(name, "empty")
        path.write_bytes(EXAMPLES)
        folder.mkdir()
        yield path, folder


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """A server with jobs and files, and a client that has not been used yet."""
    async with serving() as (server, url):
        async with FineTuningClient("sk-of-the-client", base_url=url) as helper:
            file = await helper.upload_file(EXAMPLES)
            done = await helper.create_job(MODEL, file.id)
            server.finish(done.id)
            done = await helper.retrieve_job(done.id)
            fresh = await helper.create_job(MODEL, file.id)
        with _folder() as (path, folder):
            async with FineTuningClient("sk-of-the-client", base_url=url) as client:
                yield Stage(client, server, fresh, done, file.id, path, folder)
