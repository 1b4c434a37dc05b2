"""Models that the server offers, fine-tuned ones among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fine_tuning_async import models
from fine_tuning_async._urls import segment
from fine_tuning_async._wire import Request

from ._base import BaseAPI

if TYPE_CHECKING:
    from fine_tuning_async.models import Deletion, Model
    from fine_tuning_async.pagination import Paginator

__all__ = ["ModelRegistryAPI"]

MODELS = "/models"


class ModelRegistryAPI(BaseAPI):
    """The operations on `/models`."""

    def list_models(self) -> Paginator[Model]:
        """Return all models (operationId listModels), which the API answers in a single page."""
        return self._list(MODELS, models.Model, query={}, after=None, limit=None, max_items=None, paged=False)

    async def retrieve_model(self, model: str) -> Model:
        """Return a model (operationId retrieveModel).

        Raises:
            NotFoundError: There is no such model.
        """
        return await self._fetch(Request(method="GET", path=_path(model)), models.Model)

    async def delete_model(self, model: str) -> Deletion:
        """Delete a fine-tuned model, for good (operationId deleteModel).

        It is sent again after any failure that may pass; where it was perhaps done before, not to find the model
        is a success.

        Raises:
            NotFoundError: There is no such model.
            PermissionDeniedError: The model is not yours to delete.
        """
        return await self._delete(_path(model), model)


def _path(model: str) -> str:
    return f"{MODELS}/{segment(model, 'model', slash=True)}"
