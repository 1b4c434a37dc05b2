"""The lines that the docs show for the official SDKs and for curl do what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.official.test_official_node import FOLDER, NODE, needs_node
from tests.contract.server.http_api import Api, chat_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = (Path(__file__).parents[3] / "docs" / "local-server.md").read_text("utf-8")
SECTION = PAGE.partition("\n## With the official SDKs\n")[2].partition("\n## ")[0]

pytestmark = pytest.mark.official


def shown(language: str, server: LocalServer) -> str:
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
    assert "http://127.0.0.1:8080/v1" in block
    return str(block).replace("http://127.0.0.1:8080/v1", server.url)


def printed(command: Sequence[str], folder: Path | str, program: str = "") -> str:
    done = subprocess.run(  # noqa: S603 - our own programs
        command, cwd=folder, input=program, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_lines_for_python_run(tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="the official SDK is not installed; it is in the extra bench")
    with LocalServer() as server:
        assert printed([sys.executable, "-"], tmp_path, shown("py", server)) == "validating_files\n"


@needs_node
def test_the_lines_for_node_run() -> None:
    with LocalServer() as server:
        # An import looks for the SDK from where the program lies.
        command = [NODE or "", "--input-type=module", "-"]
        assert printed(command, FOLDER, shown("js", server)) == "validating_files\n"


@pytest.mark.skipif(shutil.which("curl") is None or os.name == "nt", reason="there is no curl, or no shell")
def test_the_lines_for_a_shell_run(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(chat_lines(12))
    with LocalServer() as server:
        known = Api(server.url).training_file()
        script = shown("sh", server).replace("file-...", known).replace("curl", "curl -sSf")
        decoder, text, answers = json.JSONDecoder(), printed(["bash", "-eu"], tmp_path, script), []
        while text:
            answer, end = decoder.raw_decode(text)
            answers.append(answer)
            text = text[end:]
    assert [each["object"] for each in answers] == ["file", "fine_tuning.job", "list"]
    assert (answers[0]["bytes"], answers[1]["training_file"], answers[2]["data"]) == (
        len(chat_lines(12)),
        known,
        [],
    )
