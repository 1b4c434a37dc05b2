"""What the check lets pass trains on the local server, and what it refuses fails there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import FineTuningClient, Method, StringCheckGrader, check_dataset
from fine_tuning_async.server import LocalServer
from tests.dataset_rows import BAD, FINE, GOOD, ODD, as_line

if TYPE_CHECKING:
    from pathlib import Path

GRADER = StringCheckGrader(name="g", input="{{sample.output_text}}", reference="a", operation="eq")
METHODS = {
    "supervised": Method.supervised(),
    "dpo": Method.dpo(),
    "reinforcement": Method.reinforcement(GRADER),
    "completion": Method.supervised(),
}


@pytest.mark.real_time
@pytest.mark.parametrize("method", METHODS)
async def test_jobs_fail_for_what_the_check_finds_and_for_nothing_else(tmp_path: Path, method: str) -> None:
    contents = {
        name: b"\n".join([as_line(GOOD[method])] * (count - 1) + [row])
        for name, count, row in [
            *((f"{number}", 10, as_line(row)) for number, (_, row, *_) in enumerate([*FINE, *BAD, *ODD])),
            ("too few", 9, as_line(GOOD[method])),
            ("empty", 1, b""),
        ]
    }
    async with LocalServer() as server, FineTuningClient("any key", base_url=server.url) as client:
        for name, content in contents.items():
            path = tmp_path / "train.jsonl"
            path.write_bytes(content)
            report = check_dataset(path, method=method)
            status = await _trained(server, client, content, method)
            assert status == ("succeeded" if report.ok else "failed"), (name, str(report))


async def _trained(server: LocalServer, client: FineTuningClient, content: bytes, method: str) -> str:
    model = "babbage-002" if method == "completion" else "gpt-4o-mini"
    extra: dict[str, Any] = {"method": METHODS[method]} if method != "completion" else {}
    file = await client.upload_file(content)
    job = await client.create_job(model, file.id, **extra)
    server.finish(job.id)
    return (await client.retrieve_job(job.id)).status


@pytest.mark.real_time
@pytest.mark.parametrize("content", [b"", b"\n \n", as_line(GOOD["supervised"]), b"{}"])
async def test_a_validation_file_is_judged_alike(tmp_path: Path, content: bytes) -> None:
    training, validation = tmp_path / "train.jsonl", tmp_path / "valid.jsonl"
    training.write_bytes(b"\n".join([as_line(GOOD["supervised"])] * 10))
    validation.write_bytes(content)
    report = check_dataset(training, method="supervised", validation_path=validation)
    async with LocalServer() as server, FineTuningClient("any key", base_url=server.url) as client:
        files = [(await client.upload_file(path)).id for path in (training, validation)]
        job = await client.create_job("gpt-4o-mini", files[0], validation_file=files[1])
        server.finish(job.id)
        assert (await client.retrieve_job(job.id)).status == ("succeeded" if report.ok else "failed")
