"""The commands that read and delete what the server has of files."""

from typing import Annotated, Literal

from cyclopts import Parameter

from fine_tuning_async.cli.connection import Connection
from fine_tuning_async.cli.nouns import DELETIONS, FILES
from fine_tuning_async.cli.paging import Paging
from fine_tuning_async.cli.printing import Printing


async def list_files(
    *,
    purpose: str | None = None,
    order: Literal["asc", "desc"] | None = None,
    paging: Paging = Paging(),
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """List files, newest first.

    Args:
        purpose: Only files for this purpose, such as fine-tune or fine-tune-results.
        order: asc for the oldest first.
    """
    async with connection.client() as client:
        await printing.all(client.list_files(purpose=purpose, order=order, **paging.part()), FILES)


async def get(file_id: str, /, *, printing: Printing = Printing(), connection: Connection = Connection()) -> None:
    """Show what the server knows of a file; `files download` fetches its content."""
    async with connection.client() as client:
        printing.one(await client.retrieve_file(file_id), FILES)


async def delete(
    *file_id: Annotated[str, Parameter(required=True)],
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """Delete files, for good."""
    rows = printing.rows(DELETIONS)
    async with connection.client() as client:
        for each in file_id:
            rows.write([await client.delete_file(each)])
