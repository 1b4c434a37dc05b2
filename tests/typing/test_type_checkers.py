"""What a type checker says of the package's public face, in the file `usage.py` beside this one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_accepts_what_is_right_and_refuses_what_is_wrong() -> None:
    _run("mypy", "--strict", "--explicit-package-bases", "tests/typing/usage.py")


@pytest.mark.skipif(find_spec("pyright") is None, reason="pyright is not installed")
@pytest.mark.skipif(shutil.which("node") is None, reason="pyright would have to fetch node")
def test_pyright_accepts_what_is_right_and_refuses_what_is_wrong(tmp_path: Path) -> None:
    # Strict about ignores alone: the codes in the comments are mypy's, of which pyright reads but the first word.
    project = tmp_path / "pyrightconfig.json"
    rules = {
        "extraPaths": [str(ROOT)],
        "reportUnnecessaryTypeIgnoreComment": "error",
        "typeCheckingMode": "standard",
    }
    project.write_text(json.dumps(rules), "utf-8")
    where = "--project", str(project), "--pythonpath", sys.executable
    told = json.loads(_run("pyright", *where, "--outputjson", str(HERE / "usage.py")))
    assert told["summary"]["filesAnalyzed"] == 1
