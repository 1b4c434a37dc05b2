"""The official Node SDK, as it comes, uses every operation of the local server.

`npm install --prefix FOLDER openai` fetches it; FINE_TUNING_NODE_SDK=FOLDER tells the tests where it is.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import LocalServer
from tests.deliveries import SECRET
from tests.specification import SPEC, Witness, operations

if TYPE_CHECKING:
    from collections.abc import Sequence

NODE = shutil.which("node")
FOLDER = os.environ.get("FINE_TUNING_NODE_SDK", "")
STORY = Path(__file__).with_name("story.cjs")
PATIENCE = 120
"""Seconds in which it has ended, or hangs."""

needs_node = pytest.mark.skipif(
    NODE is None or not FOLDER,
    reason="npm install --prefix FOLDER openai, and set FINE_TUNING_NODE_SDK=FOLDER, to test the Node SDK",
)
pytestmark = [pytest.mark.official, needs_node]


def told(server: LocalServer, command: Sequence[str]) -> list[str]:
    """Let the story be told; return its lines, each an answer that the SDK got."""
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if url:
            server.add_webhook(url, secret=SECRET)
        try:
            output, errors = process.communicate("go\n", timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    return output.splitlines()


def test_it_tells_the_whole_story() -> None:
    witness = Witness()
    with LocalServer() as server:
        answers = list(map(json.loads, told(server, [NODE or "", str(STORY), FOLDER, server.url, SECRET])))
    assert len(answers) > 60
    if not SPEC.exists():
        return
    for method, path, status, kind, body in answers:
        witness.see(method, path, status, kind or "", base64.b64decode(body))
    assert operations().keys() - witness.succeeded == set(), "the story leaves these out"
