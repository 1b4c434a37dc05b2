"""Models: those that can be tuned, and those that were."""

from ._base import WireObject, model

__all__ = ["Model"]


@model
class Model(WireObject):
    """One model that the server offers (schema Model). `created` is a Unix time in seconds.

    Azure has neither `created` nor `owned_by`, and says other things instead: see `extra`.
    """

    id: str
    created: int | None = None
    owned_by: str | None = None
    shutdown_date: str | None = None
    object: str | None = None
