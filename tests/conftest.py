"""Puts every async test on virtual time, clears its environment and fails it for what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from pytest_asyncio import is_async_test

from tests.virtual_time import VirtualTimeLoop, describe_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    LoopFactory = Callable[[], asyncio.AbstractEventLoop]

_FOREIGN_VARIABLE = re.compile(r"(AZURE_)?OPENAI_.*|(HTTPS?|WSS?|ALL|NO)_PROXY", re.IGNORECASE)
# An async generator that was left needs a few turns of the loop to wind up; so does a server's connection.
_TURNS_TO_WIND_UP = 20

# Kept across tests: an exception in a reference cycle comes to light only when a later test collects garbage.
_reported: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_time: run on the ordinary event loop, by the wall clock")
    config.addinivalue_line("markers", "debug_mode: run in asyncio's debug mode, which takes three times as long")


def pytest_collection_finish() -> None:
    # What is there now stays: a collection of garbage need not look at it again, and takes a tenth of the time.
    gc.collect()
    gc.freeze()


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, LoopFactory]:
    real = _is_marked(item, "real_time")
    name, factory = ("real", asyncio.new_event_loop) if real else ("virtual", VirtualTimeLoop)
    return {name: partial(_debugging, factory) if _is_marked(item, "debug_mode") else factory}


@pytest.fixture(autouse=True)
def _clean_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(_FOREIGN_VARIABLE.fullmatch, list(os.environ)):
            patch.delenv(name)
        yield


@pytest.fixture
def collect_garbage() -> Iterator[None]:
    """Collect garbage once the test and its loop are over, so that an unclosed resource fails this test."""
    yield
    gc.collect()


@pytest.fixture
async def _own_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    if not _has_own_loop(request.node):
        yield
        return
    thorough = "collect_garbage" in request.fixturenames
    if thorough:
        request.getfixturevalue("collect_garbage")  # before the loop, so that it is torn down after it
    loop: asyncio.AbstractEventLoop = request.getfixturevalue("_own_loop")
    loop.set_exception_handler(partial(_report, request.node.nodeid))
    yield
    problems = [f"left pending: {describe_task(task)}" for task in _leftovers(loop)]
    gc.collect(2 if thorough else 0)
    _fail_for(problems + _drain())


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_behind_at_all() -> Iterator[None]:
    yield
    gc.collect()
    _fail_for(_drain())


def _is_marked(item: pytest.Item, name: str) -> bool:
    return item.get_closest_marker(name) is not None


def _debugging(factory: LoopFactory) -> asyncio.AbstractEventLoop:
    loop = factory()
    loop.slow_callback_duration = 3600.0
    # The runner sets the mode that the command line asks for after it has called the factory.
    loop.call_soon(loop.set_debug, True)
    return loop


def _has_own_loop(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("asyncio")
    scope = marker.kwargs.get("loop_scope") if marker else None
    return is_async_test(item) and (scope or "function") == "function"


def _leftovers(loop: asyncio.AbstractEventLoop) -> set[asyncio.Task[Any]]:
    if asyncio.all_tasks(loop):
        loop.run_until_complete(_wind_up())
    return asyncio.all_tasks(loop)


async def _wind_up() -> None:
    for _ in range(_TURNS_TO_WIND_UP):
        await asyncio.sleep(0)


def _report(test: str, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    details = ", ".join(f"{name}={value!r}" for name, value in context.items() if name != "message")
    _reported.append(f"{context['message']} (in {test}): {details}")


def _drain() -> list[str]:
    problems = _reported.copy()
    _reported.clear()
    return problems


def _fail_for(problems: list[str]) -> None:
    if problems:
        pytest.fail("\n".join(["the event loop was not left clean:", *problems]), pytrace=False)
