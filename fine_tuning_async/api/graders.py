"""Graders: scoring one sample, before a training is scored by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from fine_tuning_async import _codec, models
from fine_tuning_async._wire import Replay, Request
from fine_tuning_async.errors import InvalidArgumentError

from . import _documents
from ._base import BaseAPI

if TYPE_CHECKING:
    from fine_tuning_async.models import Grader, GraderRun

__all__ = ["GradersAPI"]

GRADERS = "/fine_tuning/alpha/graders"


class GradersAPI(BaseAPI):
    """The operations on graders."""

    async def run_grader(
        self,
        grader: Grader | Mapping[str, object],
        model_sample: str,
        *,
        item: Mapping[str, object] | None = None,
    ) -> GraderRun:
        """Score a sample (operationId runGrader).

        A grader may ask a model, which costs money. So this is sent again only where the server certainly did not
        act; after any other failure, call it again if you accept that.

        Args:
            grader: A grader, or the JSON object of one.
            model_sample: What a model said: `sample.output_text` in templates, and `sample.output_json` if it is
                JSON.
            item: A line of a data set, for `item` in templates.

        Returns:
            The reward. It is 0 too where the grader could not score; `metadata.errors` says so.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            BadRequestError: The server does not accept the grader.
        """
        if not isinstance(model_sample, str):
            raise InvalidArgumentError(f"model_sample is a {type(model_sample).__name__}; it must be a string")
        if item is not None and not isinstance(item, Mapping):
            raise InvalidArgumentError(f"item is a {type(item).__name__}; it must be a mapping")
        body: dict[str, object] = {"grader": _document(grader), "model_sample": model_sample}
        if item is not None:
            body["item"] = dict(item)
        request = Request(method="POST", path=f"{GRADERS}/run", json=body, replay=Replay.ONCE)
        return await self._fetch(request, models.GraderRun)

    async def validate_grader(self, grader: Grader | Mapping[str, object]) -> Grader:
        """Have a grader checked, without running it (operationId validateGrader).

        Args:
            grader: A grader, or the JSON object of one.

        Returns:
            The grader as the server sees it, with what it added; the one that was sent, if the server says no more
            than that it is valid.

        Raises:
            InvalidArgumentError: The grader cannot be sent.
            BadRequestError: The server does not accept it; `param` says what of it.
        """
        document = _document(grader)
        # It changes nothing on the server, and is a POST only for the sake of its body.
        path = f"{GRADERS}/validate"
        request = Request(method="POST", path=path, json={"grader": document}, replay=Replay.SAFE)
        answer = await self._fetch(request, models.GraderValidation)
        if answer.grader is None:
            answer = _codec.structure(models.GraderValidation, {"grader": document})
        return cast("Grader", answer.grader)


def _document(grader: Grader | Mapping[str, object]) -> dict[str, object]:
    document = _documents.checked_document(
        models.Grader, grader, "grader", what="a grader, such as a StringCheckGrader,"
    )
    if not isinstance(document.get("type"), str):
        raise InvalidArgumentError("grader has no type; it must name one, such as 'string_check'")
    return document
