"""The `files` commands against the local server."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

import pytest

from tests.contract.cli.in_process import TRAINING, Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from fine_tuning_async.server import LocalServer
    from tests.contract.cli.in_process import Command


@pytest.fixture
def file_id(server: LocalServer, command: Command, here: Path) -> str:
    return command("files", "upload", "train.jsonl", "--columns", "id").out.split()[-1]


def test_a_file_goes_up_and_comes_down_again(command: Command, file_id: str, here: Path) -> None:
    done = command("files", "download", file_id, "-o", "copy.jsonl")
    assert (done.code, done.out, done.err) == (0, "", "fine-tuning: wrote copy.jsonl\n")
    assert (here / "copy.jsonl").read_text() == TRAINING


def test_several_files_go_up_at_once(server: LocalServer, command: Command, here: Path) -> None:
    (here / "other.jsonl").write_text(TRAINING)
    done = command("files", "upload", "train.jsonl", "other.jsonl", "--columns", "filename,purpose,bytes")
    assert done.rows == [
        ["filename", "purpose", "bytes"],
        ["train.jsonl", "fine-tune", str(len(TRAINING))],
        ["other.jsonl", "fine-tune", str(len(TRAINING))],
    ]
    done = command("files", "upload", "train.jsonl", "--filename", "as.jsonl", "--expires-after", "3600", "--json")
    assert done.documents[0]["filename"] == "as.jsonl"
    assert done.documents[0]["expires_at"]
    assert command("files", "upload", "train.jsonl", "other.jsonl", "--filename", "as.jsonl").code == 2


def test_files_are_listed_shown_and_deleted(command: Command, file_id: str) -> None:
    assert command("files", "list", "--columns", "id").out.split() == ["id", file_id]
    assert command("files", "list", "--purpose", "fine-tune-results").err == "fine-tuning: there are none\n"
    assert command("files", "get", file_id, "--json").documents[0]["filename"] == "train.jsonl"
    done = command("files", "delete", file_id)
    assert done.rows == [["id", "deleted"], [file_id, "true"]]
    assert command("files", "get", file_id).code == 4
    assert command("files", "delete", file_id).code == 4


def test_without_a_name_a_download_takes_that_of_the_server_and_replaces_nothing(
    command: Command, file_id: str, here: Path
) -> None:
    done = command("files", "download", file_id)
    assert done.code == 2
    assert "'train.jsonl' exists" in done.err
    (here / "train.jsonl").unlink()
    assert command("files", "download", file_id).code == 0
    (here / "train.jsonl").write_text("old")
    assert command("files", "download", file_id, "--force").code == 0
    assert (here / "train.jsonl").read_text() == TRAINING


@pytest.mark.parametrize(("name", "kept"), [("../up.jsonl", "up.jsonl"), ("..", None)])
def test_a_name_from_the_server_leads_nowhere_else(
    name: str, kept: str | None, server: LocalServer, command: Command, here: Path
) -> None:
    file_id = command("files", "upload", "train.jsonl", "--filename", name, "--columns", "id").out.split()[-1]
    assert command("files", "download", file_id).code == 0
    assert sorted(path.name for path in here.iterdir()) == sorted([kept or file_id, "train.jsonl"])
    assert not (here.parent / "up.jsonl").exists()


def test_a_content_can_go_to_stdout(command: Command, file_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stdout = io.TextIOWrapper(io.BytesIO())
        patch.setattr(sys, "stdout", stdout)
        assert command("files", "download", file_id, "-o", "-").code == 0
        stdout.seek(0)
        assert stdout.read() == TRAINING


def test_a_terminal_shows_how_much_was_sent(
    server: LocalServer, command: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        assert command("files", "upload", "train.jsonl").code == 0
    assert re.search(r"uploading train\.jsonl .*1\.1/1\.1 kB", terminal.getvalue())


def test_a_check_tells_good_from_bad_by_its_exit_code(command: Command, here: Path) -> None:
    good = command("files", "check", "train.jsonl")
    assert (good.code, good.err) == (0, "")
    assert "12 examples, 0 problems" in good.out
    bad = command("files", "check", "train.jsonl", "--method", "dpo", "--json")
    assert bad.code == 1
    (report,) = bad.documents
    assert report["ok"] is False
    assert report["by_kind"]["wrong_format"]["count"] == 12
    assert report["problems"][0]["line"] == 1


def test_a_check_looks_at_the_validation_file_too(command: Command, here: Path) -> None:
    done = command("files", "check", "train.jsonl", "--validation-file", "train.jsonl")
    assert done.code == 0
    assert "validation file train.jsonl" in done.out


@pytest.mark.parametrize(
    "words",
    [
        ("files", "check", "none.jsonl"),
        ("files", "upload", "none.jsonl"),
        ("files", "upload", "."),
        ("files", "upload", "train.jsonl", "none.jsonl"),
        ("files", "upload"),
        ("files", "list", "--order", "up"),
        ("files", "upload", "train.jsonl", "--expires-after", "1"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_sent(
    words: tuple[str, ...], server: LocalServer, command: Command, here: Path
) -> None:
    done = command(*words)
    assert (done.code, done.out, server.requests) == (2, "", [])
    assert done.err.count("\n") == 1
