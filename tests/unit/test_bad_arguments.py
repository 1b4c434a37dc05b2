"""What cannot be used is refused before anything is sent, by an error that names the argument."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from fine_tuning_async import FineTuningClient, InvalidArgumentError, WebhookInbox, check_dataset
from tests.deliveries import SECRET, body_of, signed

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "http://127.0.0.1:9"


async def later(*_: object) -> None:
    """Stand for a callable that has to be awaited."""


@pytest.mark.parametrize("filename", [5, b"a", "", "a" * 1_001, io.BytesIO()])
async def test_a_filename_is_a_string(filename: Any) -> None:
    async with FineTuningClient("k", base_url=NOWHERE) as client:
        with pytest.raises(InvalidArgumentError, match="filename is"):
            await client.upload_file(b"{}", filename=filename)


@pytest.mark.parametrize("progress", [5, "print", later])
async def test_progress_is_a_plain_function(progress: Any, tmp_path: Path) -> None:
    async with FineTuningClient("k", base_url=NOWHERE) as client:
        with pytest.raises(InvalidArgumentError, match="progress is"):
            await client.upload_file(b"{}", progress=progress)
        with pytest.raises(InvalidArgumentError, match="progress is"):
            await client.download_file("file-1", tmp_path / "file", progress=progress)


class Odd(io.BytesIO):
    """A file that is none in one way or another."""

    def __init__(self, fault: str) -> None:
        super().__init__(b"x" * 10)
        self.fault = fault
        if fault == "behind its end":
            self.seek(15)

    def readable(self) -> bool:
        return self.fault != "not open for reading"

    def tell(self) -> Any:
        return None if self.fault == "read twice" else super().tell()

    def read(self, size: int | None = -1, /) -> bytes:
        return b"y" * 99 if self.fault == "gave 99 bytes where 10" else super().read(size)


@pytest.mark.parametrize("fault", ["behind its end", "not open for reading", "read twice"])
async def test_a_file_that_cannot_be_sent_as_it_is_is_refused(fault: str) -> None:
    async with FineTuningClient("k", base_url=NOWHERE) as client:
        with pytest.raises(InvalidArgumentError, match=fault):
            await client.upload_file(Odd(fault))


@pytest.mark.parametrize("params", [{"a": None}, {"a": True}, {"a": ["b"]}, {1: "b"}, {"a": {}}, {"a": b"b"}])
async def test_what_goes_into_a_query_is_a_string(params: Any) -> None:
    async with FineTuningClient("k", base_url=NOWHERE) as client:
        with pytest.raises(InvalidArgumentError, match="params"):
            await client.request("GET", "/jobs", params=params)


@pytest.mark.parametrize("path", [None, 5, b"a.jsonl", [], io.BytesIO()])
def test_a_data_set_is_a_path(path: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="is no path"):
        check_dataset(path, method="supervised")
    (tmp_path / "good").write_bytes(b"{}")
    if path is not None:
        with pytest.raises(InvalidArgumentError, match="is no path"):
            check_dataset(tmp_path / "good", method="supervised", validation_path=path)


FRAMING = ["Content-Length", "content-encoding", "Transfer-Encoding", "Expect", "Trailer", "Upgrade"]


@pytest.mark.parametrize("name", FRAMING)
async def test_headers_that_say_how_a_request_is_sent_are_refused(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="the client's own"):
        FineTuningClient("k", base_url=NOWHERE, headers={name: "3"})
    async with FineTuningClient("k", base_url=NOWHERE) as client:
        with pytest.raises(InvalidArgumentError, match="the client's own"):
            client.with_options(headers={name: "3"})
        with pytest.raises(InvalidArgumentError, match="the client's own"):
            await client.request("POST", "/jobs", json={}, headers={name: "3"})


@pytest.mark.parametrize("headers", [[], "", 0])
def test_headers_are_a_mapping_even_where_they_are_empty(headers: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="headers is a"):
        FineTuningClient("k", base_url=NOWHERE, headers=headers)


@pytest.mark.parametrize("name", ["max_body", "remember"])
@pytest.mark.parametrize("value", [0, -1, True, 1.5, float("nan"), "9", None])
def test_the_numbers_of_an_inbox_are_whole(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name} is"):
        WebhookInbox(SECRET, **{name: value})


async def test_a_callback_of_an_inbox_that_is_not_async_is_told_so() -> None:
    inbox = WebhookInbox(SECRET, on_event=repr)  # type: ignore[arg-type]
    body = body_of()
    with pytest.raises(InvalidArgumentError, match="on_event is not async"):
        await inbox.deliver(body, signed(body))


def test_an_inbox_calls_what_can_be_called() -> None:
    with pytest.raises(InvalidArgumentError, match="on_event is 5"):
        WebhookInbox(SECRET, on_event=5)  # type: ignore[arg-type]
