"""The commands that move contents up and down."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fine_tuning_async.cli.connection import Connection
from fine_tuning_async.cli.failure import Misuse
from fine_tuning_async.cli.nouns import FILES
from fine_tuning_async.cli.output import complain, harmless
from fine_tuning_async.cli.printing import Printing
from fine_tuning_async.cli.transfer import moving

if TYPE_CHECKING:
    from fine_tuning_async.client import FineTuningClient


async def upload(
    *path: Annotated[Path, Parameter(required=True)],
    purpose: str = "fine-tune",
    filename: str | None = None,
    expires_after: int | None = None,
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """Upload files; large ones in parts.

    Args:
        purpose: What they are for.
        filename: The name on the server; that of the file if left out.
        expires_after: Seconds after which the server deletes them, 3600 to 2592000.
    """
    if filename is not None and len(path) > 1:
        raise Misuse("--filename names one file, and there are several")
    for each in path:  # all of them before the first is sent
        if not each.exists() or each.is_dir():
            raise Misuse(f"{str(each)!r} is no file; nothing was uploaded")
    rows = printing.rows(FILES)
    async with connection.client() as client:
        for each in path:
            with moving("uploading", each.name) as progress:
                file = await client.upload_file(
                    each, purpose=purpose, filename=filename, expires_after=expires_after, progress=progress
                )
            rows.write([file])


async def download(
    file_id: str,
    /,
    *,
    output: Annotated[str | None, Parameter(name=("--output", "-o"), allow_leading_hyphen=True)] = None,
    force: bool = False,
    connection: Connection = Connection(),
) -> None:
    """Download the content of a file.

    Args:
        output: Where to write it; `-` for stdout. If left out, a file here, of the name that it has on the server.
        force: Replace a file that exists.
    """
    async with connection.client() as client:
        if output == "-":
            await _write_out(client, file_id)
            return
        target = Path(output) if output else await _named(client, file_id)
        if target.exists() and not force:
            raise Misuse(f"{str(target)!r} exists; name another with --output, or replace it with --force")
        with moving("downloading", target.name) as progress:
            await client.download_file(file_id, target, progress=progress)
        complain(harmless(f"wrote {target}"))


async def _named(client: "FineTuningClient", file_id: str) -> Path:
    """Return the name that a file has on the server, without any folder that it might lead to."""
    name = (await client.retrieve_file(file_id)).filename
    last = name.replace("\\", "/").rpartition("/")[2]
    return Path(last if last.isprintable() and last not in {"", ".", ".."} else file_id)


async def _write_out(client: "FineTuningClient", file_id: str) -> None:
    async with client.stream_file(file_id) as chunks:
        async for chunk in chunks:
            await asyncio.to_thread(sys.stdout.buffer.write, chunk)
    sys.stdout.flush()
