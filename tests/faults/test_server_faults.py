"""Each fault of the local server as a bare client of aiohttp sees it, and what the server has done by then."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from fine_tuning_async.server import Fault, FaultError, LocalServer
from tests.serving import mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = {"Authorization": "Bearer k"}
JOBS = "/fine_tuning/jobs"
TURNS = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
EXAMPLES = b"\n".join([json.dumps({"messages": TURNS}).encode()] * 10)
PATIENCE = aiohttp.ClientTimeout(total=None, sock_read=30)


class Bare:
    """A client without a will of its own."""

    def __init__(self, server: LocalServer, url: str, session: aiohttp.ClientSession) -> None:
        self.server, self.url, self.session = server, url, session
        self.file_id = ""

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, self.url + path, json=body, headers=sent) as answer:
            return answer.status, answer.headers, await answer.read()

    async def upload(self) -> Any:
        form = aiohttp.FormData({"purpose": "fine-tune"})
        form.add_field("file", EXAMPLES, filename="f")
        async with self.session.post(f"{self.url}/files", data=form) as answer:
            return json.loads(await answer.read())

    async def create(self, **fields: object) -> Any:
        body = {"model": "gpt-4o-mini", "training_file": self.file_id, **fields}
        return await self.send("POST", JOBS, body)

    async def jobs(self) -> list[Any]:
        self.server.faults.clear()
        found: list[Any] = json.loads((await self.send("GET", JOBS))[2])["data"]
        return found


@asynccontextmanager
async def bare() -> AsyncIterator[Bare]:
    server = LocalServer()
    async with mounted(server.app) as url, aiohttp.ClientSession(headers=KEY, timeout=PATIENCE) as session:
        client = Bare(server, url, session)
        client.file_id = (await client.upload())["id"]
        yield client


LOST = [
    (Fault.reply_dropped(), aiohttp.ServerDisconnectedError, 1),
    (Fault.reply_dropped(after_work=False), aiohttp.ServerDisconnectedError, 0),
    (Fault.reset(after_work=True), aiohttp.ClientOSError, 1),
    (Fault.reset(), aiohttp.ClientOSError, 0),
    (Fault.cut(), aiohttp.ClientPayloadError, 1),
    (Fault.cut(0), aiohttp.ClientPayloadError, 1),
    (Fault.cut(10**9), aiohttp.ClientPayloadError, 1),
    (Fault.stalled(), aiohttp.SocketTimeoutError, 1),
    (Fault.stalled(0), aiohttp.SocketTimeoutError, 1),
    (Fault.reply_delayed(31), aiohttp.SocketTimeoutError, 1),
    (Fault.work_delayed(31), aiohttp.SocketTimeoutError, 1),
]


@pytest.mark.parametrize(("fault", "error", "made"), LOST)
async def test_a_lost_answer(fault: Fault, error: type[Exception], made: int) -> None:
    async with bare() as client:
        client.server.faults.once(fault)
        with pytest.raises(error) as caught:
            await client.create()
        assert (
            error is aiohttp.ServerDisconnectedError or type(caught.value) is not aiohttp.ServerDisconnectedError
        )
        await asyncio.sleep(5)  # a work that is late is done all the same
        assert len(await client.jobs()) == made


ANSWERED = [
    (Fault.status(), 500, 0),
    (Fault.status(503, after_work=True), 503, 1),
    (Fault.status(403), 403, 0),
    (Fault.rate_limited(7), 429, 0),
    (Fault.malformed(), 200, 1),
    (Fault.malformed("<html>", content_type="text/html"), 200, 1),
]


@pytest.mark.parametrize(("fault", "status", "made"), ANSWERED)
async def test_another_answer_than_was_meant(fault: Fault, status: int, made: int) -> None:
    async with bare() as client:
        client.server.faults.once(fault, method="POST")
        told, headers, body = await client.create()
        assert (told, "x-request-id" in headers) == (status, True)
        assert fault.kind == "malformed" or json.loads(body)["error"]["message"]
        assert client.server.requests[-1].fault == fault.kind
        assert client.server.requests[-1].status == status
        assert len(await client.jobs()) == made


async def test_what_is_said_in_a_refusal() -> None:
    async with bare() as client:
        faults = client.server.faults
        faults.once(Fault.rate_limited(7))
        faults.once(Fault.rate_limited(milliseconds=1500, code="insufficient_quota"))
        faults.once(Fault.status(400, code="model_not_available"))
        faults.once(Fault.malformed("<html>", content_type="text/html"))
        told = [await client.send("GET", JOBS) for _ in range(4)]
    assert [each[1].get("Retry-After") for each in told] == ["7", None, None, None]
    assert [each[1].get("retry-after-ms") for each in told] == [None, "1500", None, None]
    codes = [json.loads(each[2])["error"]["code"] for each in told[:3]]
    assert codes == ["rate_limit_exceeded", "insufficient_quota", "model_not_available"]
    assert (told[3][1]["Content-Type"], told[3][2]) == ("text/html", b"<html>")


async def test_a_trickle_takes_its_time_and_is_whole() -> None:
    async with bare() as client:
        clock = asyncio.get_running_loop().time
        whole = (await client.send("GET", f"/files/{client.file_id}/content"))[2]
        client.server.faults.once(Fault.trickled(2.0, size=100))
        start = clock()
        assert (await client.send("GET", f"/files/{client.file_id}/content"))[2] == whole == EXAMPLES
        assert clock() - start == pytest.approx(2.0 * -(-len(EXAMPLES) // 100))


@pytest.mark.parametrize("fault", [Fault.reply_delayed(20), Fault.work_delayed(20)])
async def test_a_delay_is_counted_on_the_time_of_the_loop(fault: Fault) -> None:
    async with bare() as client:
        start = asyncio.get_running_loop().time()
        client.server.faults.once(fault)
        assert (await client.create())[0] == 200
        assert asyncio.get_running_loop().time() - start == pytest.approx(20)


async def test_a_delay_lies_before_the_work_or_behind_it() -> None:
    async with bare() as client:
        made = []
        for fault in (Fault.work_delayed(20), Fault.reply_delayed(20)):
            client.server.faults.once(fault)
            creating = asyncio.create_task(client.create())
            await asyncio.sleep(10)
            made.append(len(await client.jobs()))
            await creating
    assert made == [0, 2], "the first was not made yet; the second was, though not answered"


async def test_delayed_work_is_done_when_the_client_has_left_long_ago() -> None:
    async with bare() as client:
        client.server.faults.once(Fault.work_delayed(60))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await client.create(metadata={"a": "b"})
        assert await client.jobs() == []
        await asyncio.sleep(60)
        assert [each["metadata"] for each in await client.jobs()] == [{"a": "b"}]


async def test_an_upload_whose_client_has_left_before_the_work_leaves_nothing() -> None:
    async with bare() as client:
        client.server.faults.once(Fault.work_delayed(60), path="/files")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await client.upload()
        await asyncio.sleep(60)
        assert len(json.loads((await client.send("GET", "/files"))[2])["data"]) == 1


async def test_a_time_within_a_range_is_drawn_from_the_seed() -> None:
    async with bare() as client:
        taken = []
        for seed in (1, 1, 2):
            client.server.faults.clear()
            client.server.faults.add(Fault.reply_delayed(1, up_to=9), seed=seed)
            for _ in range(2):
                start = asyncio.get_running_loop().time()
                await client.send("GET", JOBS)
                taken.append(round(asyncio.get_running_loop().time() - start, 6))
    assert all(1 <= each <= 9 for each in taken)
    assert taken[:2] == taken[2:4]
    assert len(set(taken)) == 4


@pytest.mark.parametrize(("value", "said"), [(True, [True, True]), (False, [False, False]), (None, [None, None])])
async def test_a_wrong_has_more(value: bool | None, said: list[bool | None]) -> None:
    async with bare() as client:
        for _ in range(3):
            await client.create()
        client.server.faults.add(Fault.has_more(value))
        pages = [json.loads((await client.send("GET", f"{JOBS}?limit={n}"))[2]) for n in (2, 100)]
        assert [page.get("has_more") for page in pages] == said
        assert [len(page["data"]) for page in pages] == [2, 3]
        one = json.loads((await client.send("GET", f"{JOBS}/{pages[0]['data'][0]['id']}"))[2])
        assert "has_more" not in one, "what is no page stays as it is"


async def test_an_ignored_parameter_and_an_ignored_header() -> None:
    async with bare() as client:
        for team in "ab":
            await client.create(metadata={"team": team})
        newest = (await client.jobs())[0]["id"]
        faults = client.server.faults
        with faults.add(Fault.query_ignored("after")), faults.add(Fault.query_ignored("metadata")):
            page = json.loads((await client.send("GET", f"{JOBS}?after={newest}&metadata[team]=a&limit=1"))[2])
        assert (page["data"][0]["id"], page["has_more"]) == (newest, True)
        with faults.add(Fault.header_ignored("idempotency-key")):
            for _ in range(2):
                await client.send("POST", JOBS, {"model": "gpt-4o", "training_file": client.file_id},
                                  Idempotency_Key="one")  # fmt: skip
        assert len(await client.jobs()) == 4
        assert isinstance(client.server.requests[-2].json, dict), "the log has the body all the same"
        assert client.server.requests[-2].headers["idempotency-key"] == "one", "and what was sent"


async def test_breaks_exclude_each_other_and_everything_else_adds_up() -> None:
    async with bare() as client:
        faults, clock = client.server.faults, asyncio.get_running_loop().time
        drawn = faults.rate({Fault.status(502): 1.0})
        first = faults.once(Fault.status(500, after_work=True), method="POST")
        second = faults.once(Fault.rate_limited())
        faults.add(Fault.work_delayed(3))
        faults.add(Fault.reply_delayed(4))
        start = clock()
        assert (await client.create())[0] == 500, "scripted before drawn, the older before the newer"
        assert clock() - start == pytest.approx(7)
        assert client.server.requests[-1].fault == "work_delayed+reply_delayed+status"
        assert (await client.create())[0] == 429
        assert (await client.create())[0] == 502
        assert (sum(first.hits.values()), sum(second.hits.values()), drawn.hits) == (1, 1, {Fault.status(502): 1})
        assert drawn.seen == 3
        assert first not in faults.active


async def test_a_dropped_reply_may_be_late_too() -> None:
    async with bare() as client:
        client.server.faults.once(Fault.reply_dropped())
        client.server.faults.once(Fault.reply_delayed(12))
        start = asyncio.get_running_loop().time()
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.create()
        assert asyncio.get_running_loop().time() - start == pytest.approx(12)


async def test_a_lost_answer_is_in_the_log_before_the_client_knows() -> None:
    async with bare() as client:
        for fault in (Fault.reset(), Fault.reply_dropped()):
            client.server.faults.once(fault)
            with pytest.raises(aiohttp.ClientError):
                await client.create()
            last = client.server.requests[-1]
            assert (last.method, last.path, last.status, last.fault) == ("POST", f"/v1{JOBS}", 0, fault.kind)
            assert isinstance(last.json, dict)
        await client.jobs()
        assert client.server.requests[-1].fault is None


@pytest.mark.parametrize(
    ("scope", "hit"),
    [
        ({}, "ABCD"),
        ({"method": "get"}, "ABC"),
        ({"path": JOBS}, "AD"),
        ({"path": "/fine_tuning/jobs/*"}, "B"),
        ({"path": "/fine_tuning/**"}, "ABCD"),
        ({"path": "/fine_tuning/jobs/*/events"}, "C"),
        ({"path": "/files/*"}, ""),
        ({"path": JOBS, "skip": 1}, "D"),
        ({"method": "GET", "skip": 1, "times": 1}, "B"),
        ({"path": "/fine.tuning/jobs"}, ""),
    ],
)
@pytest.mark.parametrize("base", ["/v1", "/openai/v1"])
async def test_whom_a_fault_hits(scope: dict[str, Any], hit: str, base: str) -> None:
    async with bare() as client:
        client.url = client.url.replace("/v1", base)
        client.server.faults.add(Fault.status(418), **scope)
        sent = [("GET", JOBS), ("GET", f"{JOBS}/x"), ("GET", f"{JOBS}/x/events"), ("POST", JOBS)]
        statuses = [(await client.send(method, path))[0] for method, path in sent]
    assert "".join(name for name, status in zip("ABCD", statuses, strict=True) if status == 418) == hit


async def test_rates_depend_on_the_seed_and_nothing_else() -> None:
    rates = {Fault.status(500): 0.2, Fault.status(502): 0.1, Fault.rate_limited(): 0.1}
    told: list[list[int]] = []
    for seed in (7, 7, 8):
        async with bare() as client:
            client.server.faults.rate(rates, seed=seed, path=JOBS)
            told.append([])
            for number in range(300):
                told[-1].append((await client.send("GET", JOBS))[0])
                if number % 3 == 0:
                    assert (await client.send("GET", "/models"))[0] == 200
    assert told[0] == told[1] != told[2]
    for statuses in told:
        assert 0.1 < statuses.count(500) / 300 < 0.3
        assert 0.04 < statuses.count(502) / 300 < 0.16
        assert 0.04 < statuses.count(429) / 300 < 0.16


async def test_rules_are_removed_and_forgotten() -> None:
    async with bare() as client:
        faults = client.server.faults
        with faults.add(Fault.status()) as script:
            assert faults.active == [script]
            assert (await client.send("GET", JOBS))[0] == 500
        script.remove()
        assert faults.active == []
        assert (script.seen, script.hits) == (1, {Fault.status(): 1})
        faults.rate({Fault.status(): 1.0})
        client.server.reset()
        assert faults.active == []
        assert (await client.send("GET", JOBS))[0] == 200


BAD = [
    (lambda: Fault.status(200), "status"),
    (lambda: Fault.status(True), "status"),
    (lambda: Fault.status(after_work=1), "after_work"),  # type: ignore[arg-type]
    (lambda: Fault.status(code=5), "code"),  # type: ignore[arg-type]
    (lambda: Fault.work_delayed(-1), "seconds"),
    (lambda: Fault.reply_delayed(float("nan")), "seconds"),
    (lambda: Fault.reply_delayed(5, up_to=4), "up_to"),
    (lambda: Fault.cut(-1), "after"),
    (lambda: Fault.stalled(1.5), "after"),  # type: ignore[arg-type]
    (lambda: Fault.trickled(size=0), "size"),
    (lambda: Fault.malformed(b"x"), "body"),  # type: ignore[arg-type]
    (lambda: Fault.malformed("x", content_type="a\r\nb"), "content_type"),
    (lambda: Fault.has_more("yes"), "value"),  # type: ignore[arg-type]
    (lambda: Fault.query_ignored(""), "name"),
    (lambda: LocalServer().faults.add(Fault.cut, method="GET"), "fault"),  # type: ignore[arg-type]
    (lambda: LocalServer().faults.add(Fault.cut(), method="G T"), "method"),
    (lambda: LocalServer().faults.add(Fault.cut(), path="files"), "path"),
    (lambda: LocalServer().faults.add(Fault.cut(), times=0), "times"),
    (lambda: LocalServer().faults.add(Fault.cut(), skip=-1), "skip"),
    (lambda: LocalServer().faults.rate({}), "rates"),
    (lambda: LocalServer().faults.rate({Fault.cut(): 1.1}), "rates"),
    (lambda: LocalServer().faults.rate({Fault.cut(): 0.6, Fault.cut(3): 0.6}), "rates"),
    (lambda: LocalServer().faults.rate({Fault.cut(): 0.6}, seed="x"), "seed"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("make", "param"), BAD)
def test_what_cannot_be_is_refused_at_once(make: Any, param: str) -> None:
    with pytest.raises(FaultError, match=r"must be|no fault|sum to") as caught:
        make()
    assert caught.value.param == param
    assert isinstance(caught.value, ValueError)


def test_ten_tenths_are_one() -> None:
    LocalServer().faults.rate({Fault.cut(n): 0.1 for n in range(10)})


def test_a_fault_shows_how_it_was_made() -> None:
    assert repr(Fault.status(503, after_work=True)) == "Fault.status(status=503, after_work=True, code=None)"
    assert Fault.cut() == Fault.cut(None) != Fault.cut(1)
    script = LocalServer().faults.once(Fault.cut(), method="post", path="/files")
    assert repr(script) == "<Script {Fault.cut(after=None): 1} on POST /files, hit 0 of 0>"
