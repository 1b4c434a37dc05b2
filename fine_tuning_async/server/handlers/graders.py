"""Answers about graders, which are not kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from fine_tuning_async.server import checks
from fine_tuning_async.server.answers import answer
from fine_tuning_async.server.context import read_object
from fine_tuning_async.server.grading.reading import check_grader, read_grader
from fine_tuning_async.server.grading.running import run as run_grader

if TYPE_CHECKING:
    from aiohttp import web


async def run(request: web.Request) -> web.Response:
    """Score a sample by a grader.

    A grader of the wrong shape is refused. What goes wrong with this sample, a variable that it has not among it,
    is told beside a reward of 0.
    """
    body = await read_object(request)
    grader = read_grader(body.get("grader"), "grader")
    if body.get("model_sample") is None:
        raise checks.missing("model_sample")
    sample = checks.text(body["model_sample"], "model_sample")
    item = checks.mapping(body.get("item", {}), "item")
    # In a thread, because some metrics take their time, as does the first import of their libraries.
    return answer(orjson.dumps(await asyncio.to_thread(run_grader, grader, item, sample)))


async def validate(request: web.Request) -> web.Response:
    """Answer with the grader, if it is one."""
    body = await read_object(request)
    grader = await asyncio.to_thread(check_grader, body.get("grader"), "grader")
    return answer(orjson.dumps({"grader": grader}))
