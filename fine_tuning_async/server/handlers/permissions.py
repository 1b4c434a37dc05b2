"""Answers about checkpoint permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.server import checks
from fine_tuning_async.server.answers import Problem, answer_deleted, answer_slice, bad_request
from fine_tuning_async.server.context import SERVICE, read_object
from fine_tuning_async.server.refusals import checkpoint_not_found
from fine_tuning_async.server.store.lists import Slice
from fine_tuning_async.server.views import permission_view
from fine_tuning_async.server.wellformed import storable

from .queries import choice, page_size, position

if TYPE_CHECKING:
    from aiohttp import web

    from fine_tuning_async.server.service import Service
    from fine_tuning_async.server.store.lists import Row

_MOST = 100


async def create(request: web.Request) -> web.Response:
    """Let projects use a checkpoint; one that may already keeps the permission that it has."""
    projects = _projects(await read_object(request))
    service = request.app[SERVICE]
    with service.session() as now:
        checkpoint = _checkpoint(service, request)
        rows = [_grant(service, checkpoint, each, int(now)) for each in projects]
    return answer_slice(Slice(rows, has_more=False), with_ends=True)


async def list_permissions(request: web.Request) -> web.Response:
    """Answer with a page of a checkpoint's permissions, of one project or of all."""
    limit = page_size(request, default=10, most=_MOST)
    order = choice(request, "order", ("descending", "ascending"))
    project_id = request.query.get("project_id")
    service = request.app[SERVICE]
    with service.session():
        checkpoint, lists = _checkpoint(service, request), service.store.lists
        after = position(request, lambda each: lists.permission_position(checkpoint, each))
        wanted = None if project_id is None else storable(project_id)
        found = lists.permissions(checkpoint, wanted, after, limit, newest_first=order == "descending")
    return answer_slice(found, with_ends=True)


async def delete(request: web.Request) -> web.Response:
    """Delete a permission."""
    permission_id = request.match_info["permission_id"]
    service = request.app[SERVICE]
    with service.session():
        removed = service.store.permissions.remove(_checkpoint(service, request), storable(permission_id))
    if not removed:
        raise Problem(404, f"No such checkpoint permission: {permission_id}", param="permission_id")
    return answer_deleted("checkpoint.permission", permission_id)


def _checkpoint(service: Service, request: web.Request) -> str:
    """Return the checkpoint that the path names."""
    checkpoint = storable(request.match_info["checkpoint"])
    if service.store.models.view(checkpoint) is None:
        raise checkpoint_not_found(checkpoint)
    return checkpoint


def _projects(body: dict[str, object]) -> list[str]:
    """Return the projects that the body names, each once."""
    checks.only(body, "", ("project_ids",))
    if body.get("project_ids") is None:
        raise checks.missing("project_ids")
    given = checks.array(body["project_ids"], "project_ids", most=_MOST)
    if not given:
        message = "Invalid 'project_ids': empty array. Expected an array with minimum length 1."
        raise bad_request(message, "project_ids", "empty_array")
    projects = [checks.text(each, f"project_ids[{index}]", least=1) for index, each in enumerate(given)]
    return list(dict.fromkeys(projects))


def _grant(service: Service, checkpoint: str, project_id: str, now: int) -> Row:
    permissions = service.store.permissions
    row = permissions.find(checkpoint, project_id)
    if row is None:
        permission_id = service.mint.make("cp_", permissions.next_seq())
        row = permission_id, permission_view(permission_id, now, project_id)
        permissions.add(checkpoint, project_id, row)
    return row
