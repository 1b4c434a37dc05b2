"""The command's own words: help, version, refusals, exit codes."""

from __future__ import annotations

import errno
import io
import subprocess
import sys

import pytest

from fine_tuning_async import FineTuningError, __version__
from fine_tuning_async.cli.command import COMMANDS, run
from fine_tuning_async.cli.report import explain

NO_CYCLOPTS = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
from fine_tuning_async.__main__ import main
sys.argv = ["fine-tuning", {word!r}]
sys.exit(main())
"""


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-W", "error", *words], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 0
    said = capsys.readouterr()
    assert all(f"  {name}" in said.out for name in COMMANDS)
    assert said.err == ""


def test_help_fits_a_terminal_of_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"Usage: fine-tuning {name}" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["no answer; try again later", "No answer. Try again later."])
def test_the_notes_of_an_error_are_sentences_of_their_own(text: str) -> None:
    error = FineTuningError(text)
    error.add_note("It was tried 4 times.")
    error.add_note("Nothing was\ndone.")
    assert explain(error) == f"{text.removesuffix('.')}. It was tried 4 times. Nothing was done."
    assert explain(FineTuningError(text)) == text


class Full(io.StringIO):
    """A stream on a disk that is full."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["completion", "fish"], 0), (["--bogus"], 2)])
@pytest.mark.parametrize("closed", [["stdout"], ["stderr"], ["stdout", "stderr"]])
def test_streams_that_are_closed_change_no_exit_code(
    words: list[str], code: int, closed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    assert run(words) == code
    assert all(getattr(sys, name) is None for name in closed)


def test_a_complaint_that_cannot_be_written_changes_no_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    assert run(["--bogus"]) == 2


def test_help_may_be_asked_for_with_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "jobs", "list"]) == 0
    assert "Usage: fine-tuning jobs list" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"fine-tuning {__version__}\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["sevre"], 'Did you mean "serve"?'),
        (["--bogus"], "unknown option --bogus. See: fine-tuning --help"),
        (["--local", "jobs", "list"], "unknown option --local before the command; options come behind it."),
        (["demo", "extra"], "there is no place for 'extra'. See: fine-tuning demo --help"),
        (["serve", "--prot", "1"], "--prot"),
        (["jobs", "lis\x1b[31m\n"], r"lis\x1b[31m"),
        (["jobs", "get", "a", "b"], "See: fine-tuning jobs get --help"),
        (["completion", "tcsh"], '"bash", "zsh", "fish"'),
        (["serve", "--port"], "--port"),
        (["serve", "--port", "many"], "--port"),
        (["serve", "--port", "65536"], "must be 0 to 65535"),
        (["serve", "--like", "elsewhere"], "openai"),
        (["serve", "--speed", "-1"], "must be a number from 0 to 1,000,000"),
        (["serve", "--speed", "nan"], "must be a number from 0 to 1,000,000"),
        (["serve", "--speed", "inf"], "must be a number from 0 to 1,000,000"),
    ],
)
def test_wrong_usage_exits_with_2_after_one_line(
    words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert reason in said.err
    assert said.err.startswith("fine-tuning: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    heavy = {"aiohttp", "asyncio", "attr", "cattrs", "cyclopts", "rich", "fine_tuning_async.client"}
    code = "import sys; from fine_tuning_async.cli.command import run; run(sys.argv[1:]); print(*sys.modules)"
    done = python("-c", code, *words)
    assert done.returncode == 0, done.stderr
    assert heavy.isdisjoint(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["jobs", "list"], ["jobs", "create"], ["jobs", "cancel"], ["files", "upload"]])
def test_the_help_of_a_command_imports_neither_the_client_nor_its_siblings(words: list[str]) -> None:
    code = "import sys; from fine_tuning_async.cli.command import run; run(sys.argv[1:]); print(*sys.modules)"
    done = python("-c", code, *words, "--help")
    modules = set(done.stdout.splitlines()[-1].split())
    assert f"Usage: fine-tuning {' '.join(words)}" in done.stdout, done.stderr
    assert {"aiohttp", "fine_tuning_async.client", "fine_tuning_async.cli.plot.command"}.isdisjoint(modules)


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
@pytest.mark.parametrize("word", ["demo", "serve", "--help"])
def test_without_the_extra_one_line_says_how_to_install_it(missing: str, word: str) -> None:
    done = python("-c", NO_CYCLOPTS.format(missing=missing, word=word))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "pip install 'fine-tuning-async[cli]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_module_runs_as_the_command() -> None:
    done = python("-m", "fine_tuning_async", "--version")
    assert (done.returncode, done.stdout) == (0, f"fine-tuning {__version__}\n")
