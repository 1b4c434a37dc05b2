"""The `checkpoints` commands: which projects may use a checkpoint."""

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from .connection import Connection
from .failure import Misuse
from .nouns import DELETIONS, PERMISSIONS
from .paging import Paging
from .printing import Printing

if TYPE_CHECKING:
    from fine_tuning_async.client import FineTuningClient

app: App = App(
    name="checkpoints", help="Checkpoints, and who may use them. They need an admin key.", version_flags=()
)


@app.command(sort_key=0)
async def share(
    checkpoint: str,
    /,
    *project_id: Annotated[str, Parameter(required=True)],
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """Let projects use a checkpoint.

    Args:
        checkpoint: The name to use it by, as `jobs checkpoints` lists it.
    """
    rows = printing.rows(PERMISSIONS)
    async with connection.client() as client:
        rows.write(await client.create_checkpoint_permissions(checkpoint, project_id))


@app.command(sort_key=1)
async def shared(
    checkpoint: str,
    /,
    *,
    project_id: str | None = None,
    order: Literal["ascending", "descending"] | None = None,
    paging: Paging = Paging(),
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """List who may use a checkpoint, newest first.

    Args:
        checkpoint: The name to use it by.
        project_id: Only the permissions of this project.
        order: ascending for the oldest first.
    """
    async with connection.client() as client:
        listing = client.list_checkpoint_permissions(
            checkpoint, project_id=project_id, order=order, **paging.part()
        )
        await printing.all(listing, PERMISSIONS)


@app.command(sort_key=2)
async def unshare(
    checkpoint: str,
    /,
    *permission_id: str,
    project_id: tuple[str, ...] = (),
    printing: Printing = Printing(),
    connection: Connection = Connection(),
) -> None:
    """Take permissions back: by their ids, as `checkpoints shared` lists them, or all of a project's.

    Args:
        checkpoint: The name to use it by.
        project_id: A project, all of whose permissions are taken back; may be given several times.
    """
    if not permission_id and not project_id:
        raise Misuse(
            "name what is taken back: ids of permissions, as `checkpoints shared` lists them, or --project-id"
        )
    rows = printing.rows(DELETIONS)
    async with connection.client() as client:
        found = [each for project in project_id for each in await _of(client, checkpoint, project)]
        for each in dict.fromkeys([*permission_id, *found]):
            rows.write([await client.delete_checkpoint_permission(checkpoint, each)])


async def _of(client: "FineTuningClient", checkpoint: str, project: str) -> list[str]:
    listing = client.list_checkpoint_permissions(checkpoint, project_id=project)
    # Compared here as well: some servers ignore the filter.
    return [each.id async for each in listing if each.project_id == project]
