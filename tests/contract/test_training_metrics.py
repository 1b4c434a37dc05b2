"""A job's result files as figures, whatever form a server gives them."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async import (
    FineTuningClient,
    FineTuningJob,
    InvalidArgumentError,
    NotFoundError,
    ResponseFormatError,
    TrainingStep,
    from_dict,
    to_dict,
)
from tests.contract.personas import local
from tests.misbehaving import MisbehavingServer, answer

if TYPE_CHECKING:
    from tests.contract.personas import Persona
    from tests.misbehaving import Exchange

EXAMPLE = b'{"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": "4"}]}\n'
HEADER = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
PLAIN = HEADER + b"\n1,0.5,0.25,,\n2,0.25,1,-1,-1.0\n\n3,1e-3,0.0,2.5,0.75\n"
STEPS = [
    TrainingStep(step=1, train_loss=0.5, train_accuracy=0.25),
    TrainingStep(step=2, train_loss=0.25, train_accuracy=1),
    TrainingStep(step=3, train_loss=0.001, train_accuracy=0, valid_loss=2.5, valid_mean_token_accuracy=0.75),
]
JOB = {"id": "ftjob-1", "created_at": 1, "model": "m", "status": "succeeded"}
BOM = b"\xef\xbb\xbf"


class Api:
    """Answers with one job, and with contents by the id of the file."""

    def __init__(self, files: dict[str, bytes], result_files: list[str] | None) -> None:
        self.files = files
        self.job = {**JOB, "result_files": result_files}

    async def __call__(self, exchange: Exchange) -> None:
        target = (await exchange.receive()).target
        if target == "/fine_tuning/jobs/ftjob-1":
            await answer(200, {}, json.dumps(self.job).encode())(exchange)
        else:
            content = self.files.get(target.split("/")[2])
            await answer(404 if content is None else 200, {}, content or b"")(exchange)


async def steps(content: bytes) -> list[TrainingStep]:
    async with (
        MisbehavingServer(Api({"file-1": content}, ["file-1"])) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        return await client.training_metrics("ftjob-1")


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.rstrip(),
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"\n", b"\r"),
        BOM + PLAIN,
        base64.b64encode(PLAIN),
        base64.b64encode(PLAIN) + b"\n",
        base64.b64encode(PLAIN).rstrip(b"="),
        base64.encodebytes(PLAIN * 1),
        base64.b64encode(BOM + PLAIN.replace(b"\n", b"\r\n")),
        BOM + base64.b64encode(PLAIN),
        PLAIN.replace(b",", b", "),
        PLAIN.replace(HEADER, HEADER.title()),
        PLAIN.replace(HEADER, b",".join(b'"%b"' % each for each in HEADER.split(b","))),
    ],
)
async def test_every_form_gives_the_same_figures(content: bytes) -> None:
    found = await steps(content)
    assert found == STEPS
    assert [type(each.step) for each in found] == [int] * 3


async def test_columns_beyond_the_known_are_kept() -> None:
    (step,) = await steps(b"note,step,reward,train_loss,empty,Lora\nwarm up,7,-1,0.5,,0x1\n")
    assert (step.step, step.train_loss, step.valid_loss) == (7, 0.5, None)
    assert step.extra == {"note": "warm up", "reward": -1, "empty": None, "Lora": "0x1"}
    assert to_dict(step) == {
        "note": "warm up",
        "step": 7,
        "reward": -1,
        "train_loss": 0.5,
        "empty": None,
        "Lora": "0x1",
    }


async def test_a_training_that_ran_away_has_figures_too() -> None:
    (step,) = await steps(HEADER + b"\n1,nan,inf,-2,\n")
    assert step.train_loss is not None
    assert math.isnan(step.train_loss)
    assert (step.train_accuracy, step.valid_loss) == (math.inf, -2)


@pytest.mark.parametrize("content", [b"", b"\n", HEADER, HEADER + b"\n", BOM, base64.b64encode(HEADER + b"\n")])
async def test_a_file_without_rows_has_no_steps(content: bytes) -> None:
    assert await steps(content) == []


async def test_a_row_may_be_shorter_than_the_header() -> None:
    assert await steps(HEADER + b"\n1,0.5\n") == [TrainingStep(step=1, train_loss=0.5)]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"<html>Sign in</html>", "file-1 is no result file"),
        (b'{"step": 1}', "no result file"),
        (b"\x00\xff\xfe binary", "no result file"),
        (base64.b64encode(b"something else"), "no result file"),
        (HEADER + b"\n1,high,0.5,,\n", "train_loss .*'high' in line 2 of file-1"),
        (HEADER + b"\n1.5,1,0.5,,\n", "line 2 of file-1 .*step should be a whole number"),
        (HEADER + b"\n1_0,1,0.5,,\n", "step"),
        (HEADER + b"\n1,1,0.5,,,,\n", "7 cells .* line 2"),
        (HEADER + b",step\n1,1,0.5,,,2\n", "one name"),
        (HEADER + b'\n1,"0.5,0.5\n', "no CSV"),
    ],
)
async def test_what_is_no_result_file_says_where_it_is_wrong(content: bytes, match: str) -> None:
    with pytest.raises(ResponseFormatError, match=match):
        await steps(content)


async def test_several_files_come_one_after_another() -> None:
    more = HEADER + b"\n4,0.1,0.9,,\n"
    async with (
        MisbehavingServer(Api({"file-1": PLAIN, "file-2": more}, ["file-1", "file-2"])) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        assert [each.step for each in await client.training_metrics("ftjob-1")] == [1, 2, 3, 4]


@pytest.mark.parametrize("files", [None, []])
async def test_a_job_without_result_files_has_no_steps(files: list[str] | None) -> None:
    async with MisbehavingServer(Api({}, files)) as server, FineTuningClient("k", base_url=server.url) as client:
        assert await client.training_metrics("ftjob-1") == []


async def test_a_job_is_asked_for_only_where_it_shows_no_files() -> None:
    async with (
        MisbehavingServer(Api({"file-1": PLAIN}, ["file-1"])) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        assert (
            await client.training_metrics(from_dict(FineTuningJob, {**JOB, "result_files": ["file-1"]})) == STEPS
        )
        assert [each.target for each in server.requests] == ["/files/file-1/content"]
        # What create returned, long ago.
        assert await client.training_metrics(from_dict(FineTuningJob, JOB)) == STEPS


async def test_a_result_file_that_is_gone_is_an_error() -> None:
    async with (
        MisbehavingServer(Api({}, ["file-1"])) as server,
        FineTuningClient("k", base_url=server.url) as client,
    ):
        with pytest.raises(NotFoundError):
            await client.training_metrics("ftjob-1")
        with pytest.raises(InvalidArgumentError, match="job_id"):
            await client.training_metrics("")


async def test_a_giant_result_file_does_not_fill_the_memory() -> None:
    rows = b"1,0.5,0.25,,\n" * (70 * 2**20 // 13)
    with pytest.raises(ResponseFormatError, match="larger than 64 MiB"):
        await steps(HEADER + b"\n" + rows)


async def test_the_local_servers_result_file_is_read(persona: Persona) -> None:
    async with local(persona) as (client, server):
        file = await client.upload_file(EXAMPLE * 12)
        job = await client.create_job("gpt-4o-mini", file.id, validation_file=file.id)
        assert await client.training_metrics(job) == []
        server.finish(job.id)
        found = await client.training_metrics(job)
        assert [each.step for each in found] == list(range(1, len(found) + 1))
        assert len(found) > 10
        assert all(each.train_loss and each.train_accuracy for each in found)
        assert any(each.valid_loss for each in found)
        assert found[0].extra == {}
