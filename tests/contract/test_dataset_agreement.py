"""A job of the local server fails for what the check finds in its file: on the same line, for the same reason.

The two share no code, so that each is a test of the other.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from fine_tuning_async import DatasetReport, FineTuningClient, Method, StringCheckGrader, check_dataset
from fine_tuning_async.server import LocalServer
from tests.dataset_rows import BAD, FINE, GOOD, ODD, as_line
from tests.properties.training_rows import training_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fine_tuning_async import FineTuningJob, JobError

REAL = sorted((Path(__file__).parents[3] / "shared" / "data" / "datasets").glob("*.jsonl"))
GRADER = StringCheckGrader(name="g", input="{{sample.output_text}}", reference="a", operation="eq")
# Trainings of one step, which nobody looks at.
CREATES: dict[str, tuple[str, dict[str, Any]]] = {
    "supervised": ("gpt-4o-mini", {"method": Method.supervised(n_epochs=1, batch_size=256)}),
    "dpo": ("gpt-4o-mini", {"method": Method.dpo(n_epochs=1, batch_size=256)}),
    "reinforcement": ("o4-mini", {"method": Method.reinforcement(GRADER, n_epochs=1, batch_size=256)}),
    "completion": ("babbage-002", {"method": Method.supervised(n_epochs=1, batch_size=256)}),
}
_FILE, _FORMAT = "invalid_training_file", "invalid_file_format"
SAID = {
    "not_utf8": (_FILE, "line is not valid UTF-8"),
    "invalid_json": (_FILE, "line contains invalid json"),
    "line_too_long": (_FILE, "line is longer than"),
    "not_an_object": (_FILE, "line is not a JSON object"),
    "wrong_format": (_FORMAT, r"is in the fine-tune-\w+ format, but"),
    "missing_key": (_FILE, "is missing key"),
    "extra_key": (_FORMAT, "contains an extra key"),
    "wrong_type": (_FILE, "not a string|not an object|a non-empty list|neither a string nor a list"),
    "empty_messages": (_FILE, "must have a non-empty list"),
    "missing_role": (_FILE, "Discriminator 'role' is missing"),
    "unknown_role": (_FILE, "has an unknown role"),
    "missing_content": (_FILE, "has no content"),
    "bad_content_part": (_FILE, "content part without a type|text part without a text"),
    "bad_image": (_FILE, "neither an http"),
    "bad_weight": (_FILE, "a weight that is neither 0 nor 1"),
    "special_token": (_FILE, "contains an invalid token"),
    "no_assistant_message": (_FILE, "message from the assistant"),
    "nothing_trained": (_FILE, "a weight other than 0"),
    "invalid_n_examples": ("invalid_n_examples", "example"),
}
"""For each kind of problem the code of the error that a job ends with, and words of its message."""


class Trainer:
    """Trains on files, all through one client of one server."""

    def __init__(self, runner: asyncio.Runner, server: LocalServer, client: FineTuningClient, path: Path) -> None:
        self._runner = runner
        self._server = server
        self._client = client
        self._path = path

    def assert_alike(self, content: bytes, method: str, validation: Path | None = None) -> None:
        """Check a file, train on it, and compare; of a validation file, only whether it is good."""
        self._path.write_bytes(content)
        report = check_dataset(self._path, method=method, validation_path=validation)
        job = self._runner.run(self._trained(content, method, validation))
        assert job.status == ("succeeded" if report.ok else "failed"), (str(report), job.error)
        if report.problems:
            assert job.error is not None
            assert_same_reason(report, job.error)

    async def _trained(self, content: bytes, method: str, validation: Path | None) -> FineTuningJob:
        model, more = CREATES[method]
        if validation is not None:
            more = {**more, "validation_file": (await self._client.upload_file(validation)).id}
        file = await self._client.upload_file(content)
        job = await self._client.create_job(model, file.id, **more)
        self._server.finish(job.id)
        return await self._client.retrieve_job(job.id)


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trainer]:
    path = tmp_path_factory.mktemp("training") / "train.jsonl"
    with asyncio.Runner() as runner, LocalServer() as server:
        client = FineTuningClient("any key", base_url=server.url)
        yield Trainer(runner, server, client, path)
        runner.run(client.close())


def assert_same_reason(report: DatasetReport, error: JobError) -> None:
    message = error.message or ""
    line = min((each.line for each in report.problems if each.line), default=None)
    number = re.search(r"Example (\d+)", message)
    if error.code == _FORMAT and number is None:
        assert "Input file" in message
    else:
        assert line == (int(number[1]) if number else None), (str(report), message)
    at = re.search(r"message (\d+)", message)
    assert any(
        error.code == SAID[each.code][0]
        and re.search(SAID[each.code][1], message)
        and (at is None or f"[{at[1]}]" in each.place)
        for each in report.problems
        if each.line == line
    ), (str(report), error.code, message)


@pytest.mark.parametrize("method", CREATES)
def test_any_file_fails_for_what_the_check_finds_and_for_nothing_else(trainer: Trainer, method: str) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(training_files(method))
    def upload(content: bytes) -> None:
        trainer.assert_alike(content, method)

    upload()


@pytest.mark.parametrize("method", CREATES)
def test_each_kind_of_row_fails_for_what_the_check_finds(trainer: Trainer, method: str) -> None:
    for row in [each[1] for each in [*FINE, *BAD, *ODD]]:
        trainer.assert_alike(b"\n".join([as_line(GOOD[method])] * 9 + [as_line(row)]), method)


@pytest.mark.parametrize("method", CREATES)
def test_too_few_rows_fail_as_the_check_finds(trainer: Trainer, method: str) -> None:
    for rows in (0, 9):
        trainer.assert_alike(b"\n".join([as_line(GOOD[method])] * rows), method)


@pytest.mark.parametrize("content", [b"", b"\n \n", as_line(GOOD["supervised"]), b"{}"])
def test_a_validation_file_is_judged_alike(trainer: Trainer, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "valid.jsonl"
    path.write_bytes(content)
    trainer.assert_alike(b"\n".join([as_line(GOOD["supervised"])] * 10), "supervised", path)


@pytest.mark.skipif(not REAL, reason="the collection of real training files is not beside the repository")
@pytest.mark.parametrize("method", CREATES)
def test_real_files_fail_for_what_the_check_finds(trainer: Trainer, method: str) -> None:
    for real in REAL:
        trainer.assert_alike(real.read_bytes(), method)
