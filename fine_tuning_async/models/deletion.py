"""Deletions: what a server says of a thing that it removed."""

from ._base import WireObject, model

__all__ = ["Deletion"]


@model
class Deletion(WireObject):
    """The answer to a delete (schemas DeleteFileResponse, DeleteModelResponse and that of a permission).

    Where a server answers without a body, or was found to have deleted the thing before its answer was lost, it
    says `deleted` and the id alone.
    """

    id: str
    deleted: bool
    object: str | None = None
