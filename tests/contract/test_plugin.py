"""The pytest plugin, in suites of its users under each of the plugins that run async tests."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib.metadata import entry_points
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import FineTuningClient, ServerError, testing
from fine_tuning_async.server import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fine_tuning_async.server import LocalServer

    Run = Callable[..., pytest.RunResult]

pytest_plugins = ["pytester"]

PLUGIN = "fine_tuning_async.testing"
EXAMPLE = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n'

STORY = f"""
import asyncio
import pytest

FILE = {EXAMPLE!r} * 12

async def story(server, client):
    assert server.requests == []
    assert await client.list_jobs().collect() == []
    file = await client.upload_file(FILE)
    job = await client.create_job("gpt-4o-mini", file.id, idempotency_key=None)
    server.advance(minutes=20)
    assert (await client.retrieve_job(job.id)).status == "succeeded"
    assert [each.method for each in server.requests] == ["GET", "POST", "POST", "GET"]
    assert server.requests[2].json["model"] == "gpt-4o-mini"
"""
TWICE = """
async def test_first(fine_tuning_server, fine_tuning_client):
    await story(fine_tuning_server, fine_tuning_client)

async def test_second(fine_tuning_client, fine_tuning_server):
    await story(fine_tuning_server, fine_tuning_client)
"""
ON_ASYNCIO = "pytestmark = pytest.mark.asyncio\n"
ON_ANYIO = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
HELD_LOOP = """
@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"

@pytest.fixture(scope="module", autouse=True)
async def held():
    yield

pytestmark = pytest.mark.anyio
"""


ASYNCIO = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function")
STRICT = (*ASYNCIO, "--asyncio-mode=strict")
AUTO = (*ASYNCIO, "--asyncio-mode=auto")
ONE_LOOP = (*AUTO, "-o", "asyncio_default_test_loop_scope=session")
ANYIO = ("-p", "anyio.pytest_plugin")


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a suite that has the plugin and those that are named; it is strict about markers and warnings."""
    monkeypatch.setenv(
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1"
    )  # finding and loading the others takes most of the time

    def run(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(dedent(source))
        return pytester.runpytest_inprocess("-p", PLUGIN, "-W", "error", "--strict-markers", "-rs", *options)

    return run


def test_the_plugin_is_found_by_installing_the_package() -> None:
    (found,) = entry_points(group="pytest11", name=PLUGIN)
    assert found.load() is testing


# -- modes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "options"),
    [
        (ON_ASYNCIO + TWICE, STRICT),
        (TWICE, AUTO),
        (TWICE, ONE_LOOP),
        (ON_ANYIO + TWICE, [*STRICT, *ANYIO]),
        (HELD_LOOP + TWICE, ANYIO),
    ],
    ids=["strict", "auto", "auto, one loop", "anyio", "anyio, one loop"],
)
def test_a_client_that_was_never_closed_leaves_nothing_behind(
    inner: Run, source: str, options: Sequence[str]
) -> None:
    before = set(threading.enumerate())
    inner(STORY + source, *options).assert_outcomes(passed=2)
    assert set(threading.enumerate()) == before, "the server has stopped"


def test_a_client_may_be_closed_by_the_test_or_used_in_loops_of_its_own(inner: Run) -> None:
    inner(
        STORY
        + """
        import threading

        def test_closed_by_the_test(fine_tuning_server, fine_tuning_client):
            async def main():
                async with fine_tuning_client as client:
                    await story(fine_tuning_server, client)
            asyncio.run(main())

        def test_a_loop_that_has_ended(fine_tuning_server, fine_tuning_client):
            asyncio.run(story(fine_tuning_server, fine_tuning_client))

        def test_a_loop_that_stands_still(fine_tuning_server, fine_tuning_client, loop):
            loop.run_until_complete(story(fine_tuning_server, fine_tuning_client))

        def test_a_loop_that_runs_in_a_thread(fine_tuning_server, fine_tuning_client, loop, request):
            thread = threading.Thread(target=loop.run_forever)
            thread.start()
            told = story(fine_tuning_server, fine_tuning_client)
            asyncio.run_coroutine_threadsafe(told, loop).result()
            request.node.thread = thread

        @pytest.fixture
        def loop(request):
            loop = asyncio.new_event_loop()
            yield loop
            if loop.is_running():
                loop.call_soon_threadsafe(loop.stop)
                request.node.thread.join()
            loop.close()
        """.replace("\n        ", "\n").replace("fine_tuning_client, loop", "loop, fine_tuning_client"),
    ).assert_outcomes(passed=4)


def test_a_client_that_outlives_a_test_keeps_its_connection(inner: Run) -> None:
    inner(
        STORY
        + """
from fine_tuning_async import BadRequestError, FineTuningClient

HELD = []

async def test_first(fine_tuning_server):
    HELD.append(FineTuningClient())
    await story(fine_tuning_server, HELD[0])

async def test_second(fine_tuning_server):
    async with HELD[0] as client:
        with pytest.raises(BadRequestError):
            await client.create_job("gpt-4o-mini", "file-gone")  # a POST, on a connection that is open
        assert len(fine_tuning_server.requests) == 1
""",
        *ONE_LOOP,
    ).assert_outcomes(passed=2)


def test_a_class_of_unittest_is_led_to_the_server(inner: Run) -> None:
    inner(
        """
        import asyncio
        import unittest

        import pytest
        from fine_tuning_async import FineTuningClient

        @pytest.mark.usefixtures("fine_tuning_server")
        class TestService(unittest.TestCase):
            def test_jobs(self):
                async def main():
                    async with FineTuningClient() as client:
                        return await client.list_jobs().collect()

                self.assertEqual(asyncio.run(main()), [])
        """
    ).assert_outcomes(passed=1)


def test_on_trio_the_client_is_skipped_and_the_server_works(inner: Run) -> None:
    result = inner(
        """
        import urllib.request

        import anyio
        import pytest

        pytestmark = pytest.mark.anyio

        @pytest.fixture(params=["asyncio", ("trio", {"restrict_keyboard_interrupt_to_checkpoints": True})])
        def anyio_backend(request):
            return request.param

        async def test_client(fine_tuning_client):
            assert await fine_tuning_client.list_jobs().collect() == []

        async def test_server(fine_tuning_server):
            question = urllib.request.Request(
                fine_tuning_server.url + "/models", headers={"Authorization": "Bearer key"}
            )
            with await anyio.to_thread.run_sync(urllib.request.urlopen, question) as answer:
                assert answer.status == 200
        """,
        *ANYIO,
    )
    result.assert_outcomes(passed=3, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*aiohttp, which runs on asyncio only*"])


# -- options -----------------------------------------------------------------------------------------------------


def test_each_test_has_what_its_nearest_marker_says_or_else_the_ini_file(inner: Run) -> None:
    inner(
        """
        import pytest

        def told(server):
            return server.url.rpartition(":")[2].lstrip("0123456789"), server.advance_per_poll

        def test_ini(fine_tuning_server):
            assert told(fine_tuning_server) == ("", 30)

        @pytest.mark.fine_tuning(like="gateway", advance_per_poll=5)
        class TestMarked:
            def test_class(self, fine_tuning_server):
                assert told(fine_tuning_server) == ("/gateway/v1", 5)

            @pytest.mark.fine_tuning(like="openai")
            def test_nearest(self, fine_tuning_server, fine_tuning_client):
                assert told(fine_tuning_server) == ("/v1", 5)

        def test_ini_again(fine_tuning_server):
            assert told(fine_tuning_server) == ("", 30)
        """,
        *("-o", "fine_tuning_like=azure", "-o", "fine_tuning_advance_per_poll=30"),
    ).assert_outcomes(passed=4)


def test_ids_are_drawn_from_the_seed_and_begin_anew(inner: Run) -> None:
    inner(
        STORY
        + """
FOUND = {}

@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.fine_tuning(seed=seed)) for seed in (1, 2)])
async def test_ids(fine_tuning_client, seed, turn):
    file = await fine_tuning_client.upload_file(FILE)
    assert FOUND.setdefault(seed, file.id) == file.id

def test_seeds():
    assert len(set(FOUND.values())) == 2
""",
        *AUTO,
    ).assert_outcomes(passed=5)


@pytest.mark.parametrize(
    ("marker", "options", "message"),
    [
        ("'azure'", [], "takes its options by name"),
        ("lik='azure'", [], "no option 'lik'; there are like, seed, advance_per_poll, environment"),
        ("like='azur'", [], "like of the marker fine_tuning must be openai, azure or gateway, not 'azur'"),
        ("like=[]", [], "must be openai, azure or gateway, not []"),
        ("seed=True", [], "a whole number, not True"),
        ("advance_per_poll=-1", [], "0 or above, not -1"),
        ("advance_per_poll=float('nan')", [], "0 or above, not nan"),
        ("environment=1", [], "true or false, not 1"),
        ("", ["fine_tuning_seed=x"], "fine_tuning_seed in the ini file must be a whole number, not 'x'"),
        ("", ["fine_tuning_environment=no"], "fine_tuning_environment in the ini file must be true or false"),
    ],
)
def test_an_option_that_cannot_be_is_refused_with_what_is_wrong(
    inner: Run, marker: str, options: list[str], message: str
) -> None:
    source = f"import pytest\n\n@pytest.mark.fine_tuning({marker})\ndef test(fine_tuning_server): pass\n"
    result = inner(source, *(each for option in options for each in ("-o", option)))
    result.assert_outcomes(errors=1)
    assert message in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


# -- environment -------------------------------------------------------------------------------------------------


def test_clients_made_inside_a_service_are_led_to_the_server_and_nowhere_else(
    inner: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a real key")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a real key")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-real")
    inner(
        """
        import os

        import pytest
        from fine_tuning_async import FineTuningClient, InvalidArgumentError

        async def test_openai(fine_tuning_server):
            async with FineTuningClient() as client:
                assert await client.list_jobs().collect() == []
            (seen,) = fine_tuning_server.requests
            assert "openai-organization" not in seen.headers
            with pytest.raises(InvalidArgumentError, match="no endpoint"):
                FineTuningClient.azure(api_key="key")

        @pytest.mark.fine_tuning(like="azure")
        async def test_azure(fine_tuning_server):
            async with FineTuningClient.azure() as client:
                assert await client.list_jobs().collect() == []
            assert len(fine_tuning_server.requests) == 1
            with pytest.raises(InvalidArgumentError, match="OPENAI_API_KEY"):
                FineTuningClient()

        @pytest.mark.fine_tuning(environment=False)
        async def test_left_alone(fine_tuning_server, fine_tuning_client):
            assert await fine_tuning_client.list_jobs().collect() == []
            (seen,) = fine_tuning_server.requests
            assert "openai-organization" not in seen.headers
            assert os.environ["OPENAI_API_KEY"] == "a real key"
            assert "OPENAI_BASE_URL" not in os.environ

        def test_restored():
            assert os.environ["OPENAI_API_KEY"] == os.environ["AZURE_OPENAI_API_KEY"] == "a real key"
            assert os.environ["OPENAI_ORG_ID"] == "org-real"
            assert "OPENAI_BASE_URL" not in os.environ
        """,
        *AUTO,
    ).assert_outcomes(passed=4)


# -- in this very suite ------------------------------------------------------------------------------------------


@pytest.mark.real_time
@pytest.mark.fine_tuning(advance_per_poll=600)
async def test_a_wait_ends_by_itself(fine_tuning_client: FineTuningClient) -> None:
    file = await fine_tuning_client.upload_file(EXAMPLE * 12)
    job = await fine_tuning_client.create_job("gpt-4o-mini", file.id)
    assert (await fine_tuning_client.wait_for_job(job.id)).status == "succeeded"


@pytest.mark.real_time
async def test_faults_end_with_their_block(
    fine_tuning_server: LocalServer, fine_tuning_client: FineTuningClient
) -> None:
    with fine_tuning_server.faults.add(Fault.status(503), method="GET"), pytest.raises(ServerError):
        await fine_tuning_client.list_jobs()
    assert (await fine_tuning_client.list_jobs()).data == []
    assert [each.status for each in fine_tuning_server.requests] == [503] * 4 + [200]


# -- what it costs who does not use it ---------------------------------------------------------------------------


def test_a_suite_that_does_not_use_it_imports_nothing_for_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n\n@pytest.mark.fine_tuning(seed=1)\ndef test(): pass\n")
    code = f"""
        import sys, pytest
        assert pytest.main(["-q", "-p", {PLUGIN!r}, "--strict-markers"]) == 0
        ours = [name for name in sys.modules if name.startswith("fine_tuning_async")]
        print(sorted(ours), "aiohttp" in sys.modules, "cattrs" in sys.modules, "sqlite3" in sys.modules)
    """
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", dedent(code)],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # loading all others takes most of the time
        capture_output=True,
        text=True,
        cwd=pytester.path,
        check=True,
    )
    imported = ["fine_tuning_async", "fine_tuning_async._lazy", "fine_tuning_async._version", PLUGIN]
    imported += [f"{PLUGIN}._environment", f"{PLUGIN}._settings"]
    assert done.stdout.splitlines()[-1] == f"{imported} False False False"
