"""Answers about models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async.server.answers import Problem, answer, answer_deleted
from fine_tuning_async.server.context import SERVICE
from fine_tuning_async.server.refusals import model_not_found
from fine_tuning_async.server.validation import ALIASES
from fine_tuning_async.server.views import model_view
from fine_tuning_async.server.wellformed import storable

if TYPE_CHECKING:
    from aiohttp import web

_CREATED = 1_721_172_741
_BASES = {
    name: model_view(name, _CREATED, "system")
    for name in sorted({*ALIASES, *ALIASES.values(), "babbage-002", "davinci-002"})
}


async def list_models(request: web.Request) -> web.Response:
    """Answer with every model, base models first."""
    service = request.app[SERVICE]
    with service.session():
        views = [*_BASES.values(), *service.store.models.views()]
    return answer(b'{"object":"list","data":[' + b",".join(views) + b"]}")


async def retrieve(request: web.Request) -> web.Response:
    """Answer with one model."""
    model = request.match_info["model"]
    service = request.app[SERVICE]
    with service.session():
        view = _BASES.get(model) or service.store.models.view(storable(model))
    if view is None:
        raise model_not_found(model)
    return answer(view)


async def delete(request: web.Request) -> web.Response:
    """Delete a fine-tuned model; base models belong to everybody."""
    model = request.match_info["model"]
    if model in _BASES:
        message = f"You have insufficient permissions to delete the model '{model}'."
        raise Problem(403, message, param="model", code="insufficient_permissions")
    service = request.app[SERVICE]
    with service.session():
        removed = service.store.models.remove(storable(model))
    if not removed:
        raise model_not_found(model)
    return answer_deleted("model", model)
