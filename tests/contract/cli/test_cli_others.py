"""The `models`, `checkpoints` and `graders` commands against the local server, and shell completion."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from fine_tuning_async.server import LocalServer
    from tests.contract.cli.in_process import Command

GRADER = (
    '{"type": "string_check", "name": "same", "input": "{{sample.output_text}}", "reference": "{{item.want}}", '
    '"operation": "eq"}'
)


@pytest.fixture
def checkpoint(server: LocalServer, command: Command, job_id: str) -> str:
    server.finish(job_id)
    return command("jobs", "checkpoints", job_id, "--columns", "fine_tuned_model_checkpoint").out.split()[-1]


def test_models_are_listed_shown_and_deleted(server: LocalServer, command: Command, checkpoint: str) -> None:
    assert [checkpoint] in command("models", "list", "--columns", "id").rows
    assert command("models", "get", checkpoint, "--json").documents[0]["id"] == checkpoint
    assert command("models", "delete", checkpoint).rows[1] == [checkpoint, "true"]
    assert command("models", "get", checkpoint).code == 4
    assert command("models", "delete", "gpt-4o-mini").code == 3  # the system's, which nobody may delete


def test_a_checkpoint_is_shared_and_taken_back(server: LocalServer, command: Command, checkpoint: str) -> None:
    shared = command("checkpoints", "share", checkpoint, "proj_a", "proj_b", "--columns", "project_id,id")
    ids = dict(shared.rows[1:])
    assert ids.keys() == {"proj_a", "proj_b"}
    done = command("checkpoints", "shared", checkpoint, "--project-id", "proj_a", "--json")
    assert [each["id"] for each in done.documents] == [ids["proj_a"]]
    assert command("checkpoints", "unshare", checkpoint, ids["proj_a"]).rows[1] == [ids["proj_a"], "true"]
    command("checkpoints", "share", checkpoint, "proj_c")
    with server.faults.add(Fault.query_ignored("project_id")):
        done = command("checkpoints", "unshare", checkpoint, "--project-id", "proj_b")
    assert done.rows[1:] == [[ids["proj_b"], "true"]]
    assert command("checkpoints", "shared", checkpoint, "--columns", "project_id").out.split()[1:] == ["proj_c"]
    assert command("checkpoints", "unshare", checkpoint).code == 2


def test_a_grader_scores_a_sample(server: LocalServer, command: Command, here: Path) -> None:
    (here / "grader.json").write_text(GRADER)
    words = ("graders", "run", "grader.json", "--item", '{"want": "-4"}', "--columns", "reward", "--model-sample")
    assert command(*words, "-4").rows == [["reward"], ["1"]]
    assert command(*words, "5").rows == [["reward"], ["0"]]


def test_a_grader_that_could_not_score_says_so(server: LocalServer, command: Command) -> None:
    done = command("graders", "run", GRADER, "--model-sample", "4", "--json")
    assert done.code == 1
    assert done.documents[0]["reward"] == 0
    assert done.err == "fine-tuning: the grader could not score: invalid_variable_error\n"


def test_a_grader_is_validated(server: LocalServer, command: Command) -> None:
    assert command("graders", "validate", GRADER, "--json").documents[0]["operation"] == "eq"
    assert command("graders", "validate", GRADER.replace("eq", "almost")).code == 2
    assert command("graders", "validate", "{}").code == 2
    assert command("graders", "validate", "nowhere.json").code == 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_and_options(command: Command, tmp_path: Path) -> None:
    script = tmp_path / "completion"
    done = command("completion", "bash", "--output", str(script))
    assert (done.out, done.err) == ("", f"fine-tuning: wrote {script}\n")

    def completed(*words: str) -> list[str]:
        asking = f"source '{script}'; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _fine_tuning"
        code = f"{asking}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        run = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)  # noqa: S603, S607 - our own words
        return run.stdout.split()

    assert completed("fine-tuning", "jo") == ["jobs"]
    assert completed("fine-tuning", "jobs", "re") == ["resume"]
    assert "--idempotency-key" in completed("fine-tuning", "jobs", "create", "--i")


def test_a_completion_that_cannot_be_written_is_one_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = command("completion", "fish", "--install", "--output", str(tmp_path / "file" / "below"))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("fine-tuning: the completion cannot be written: ")
