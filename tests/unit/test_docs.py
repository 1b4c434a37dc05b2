"""The documentation: its programs run and print what it says, its links lead somewhere, it leaves nothing out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fine_tuning_async
import fine_tuning_async.server
from fine_tuning_async import FineTuningError
from fine_tuning_async._delivery import DELIVERY
from fine_tuning_async.errors import error_class
from fine_tuning_async.retry import is_ambiguous
from tests.benchmarks.works import WORKS
from tests.heavy.__main__ import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = sorted(DOCS.glob("reference/*.md"))
PAGES = {path.name: path.read_text("utf-8") for path in sorted(DOCS.glob("*.md"))}

# A program, and what it prints, if that is said right behind it.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
BLOCKS = {page: [match.groups() for match in BLOCK.finditer(text)] for page, text in PAGES.items()}

# A block that begins with a comment of nothing but a file's name is that file, in a project whose tests are run.
FILE = re.compile(r"^```\w+\n# (\w+\.(?:py|toml))\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROJECTS = {page: dict(FILE.findall(text)) for page, text in PAGES.items() if FILE.search(text)}
PROGRAMS = {
    page: [(program, output) for program, output in blocks if not re.match(r"# \w+\.py\n", program)]
    for page, blocks in BLOCKS.items()
}

# One process for a page, where each program has a namespace of its own. It is forked off one that has imported the
# package already, which takes longer than most programs.
RUN_PAGES = """
import gc, io, json, os, signal, sys, traceback
from contextlib import redirect_stderr, redirect_stdout

import fine_tuning_async.archive, fine_tuning_async.client, fine_tuning_async.server

def run(program, name):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            exec(compile(program, name, "exec"), {"__name__": "__main__"})
        except BaseException:
            traceback.print_exc()
        gc.collect()
    return out.getvalue(), err.getvalue()

for line in iter(sys.stdin.readline, ""):
    folder, report, complaints, programs = json.loads(line)
    page = os.fork()
    if not page:
        signal.alarm(60)
        os.chdir(folder)
        os.dup2(os.open(complaints, os.O_WRONLY | os.O_CREAT), 2)
        results = [run(program, f"program {number}") for number, program in enumerate(programs, 1)]
        with open(report, "w") as file:
            json.dump(results, file)
        break
    print(os.waitstatus_to_exitcode(os.waitpid(page, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def runner() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-X", "utf8", "-W", "error", "-c", RUN_PAGES]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8") as process:  # noqa: S603 - our own words
        yield process


def run(page: str, runner: subprocess.Popen[str], tmp_path: Path) -> list[tuple[str, str]]:
    """Run the programs of a page; return what each wrote to stdout and to stderr."""
    folder, report, complaints = tmp_path / "folder", tmp_path / "report", tmp_path / "complaints"
    folder.mkdir()
    assert runner.stdin is not None
    assert runner.stdout is not None
    programs = [program for program, _ in PROGRAMS[page]]
    runner.stdin.write(json.dumps([str(folder), str(report), str(complaints), programs]) + "\n")
    runner.stdin.flush()
    code = runner.stdout.readline()
    assert (code, complaints.read_text("utf-8")) == ("0\n", "")
    assert not list(folder.iterdir())
    return [(out, err) for out, err in json.loads(report.read_text("utf-8"))]


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, named as GitHub and MyST do."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(text: str, header: str) -> list[list[str]]:
    """Return the cells of the one table that has this header."""
    (rows,) = re.findall(rf"^{re.escape(header)}\n\|[-|]+\|\n((?:\|.*\|\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


@pytest.mark.parametrize("page", [page for page, programs in PROGRAMS.items() if programs])
def test_each_program_runs_as_it_stands_and_prints_what_the_page_says(
    page: str, runner: subprocess.Popen[str], tmp_path: Path
) -> None:
    results = run(page, runner, tmp_path)
    assert not "".join(err for _, err in results)
    for (_, expected), (out, _) in zip(PROGRAMS[page], results, strict=True):
        assert expected is None or out == expected


@pytest.mark.parametrize("page", PROJECTS)
def test_each_project_passes_its_own_tests(page: str, tmp_path: Path) -> None:
    for name, content in PROJECTS[page].items():
        (tmp_path / name).write_text(content, "utf-8")
    plugins = ["-p", "pytest_asyncio.plugin", "-p", "fine_tuning_async.testing"]
    done = subprocess.run(  # noqa: S603 - our own programs
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *plugins],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # loading all others takes most of the time
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    tests = sum(content.count("def test_") for content in PROJECTS[page].values())
    assert f"{tests} passed in" in done.stdout, done.stdout + done.stderr


def test_no_block_of_python_is_overlooked() -> None:
    for page, text in PAGES.items():
        files = [name for name in PROJECTS.get(page, ()) if name.endswith(".py")]
        assert text.count("```python") == len(PROGRAMS[page]) + len(files), page


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_page_and_a_heading(page: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(PAGES[page]))
    local = [link for link in links if "://" not in link]
    targets = [(link, *link.partition("#")[::2]) for link in local]
    lost = [
        link
        for link, target, anchor in targets
        if not (DOCS / (target or page)).is_file() or (anchor and anchor not in anchors(PAGES[target or page]))
    ]
    assert not lost


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose((ROOT / "README.md").read_text("utf-8")))
    assert links
    assert not [link for link in links if not (ROOT / link).is_file()]


def test_every_page_is_reached_from_the_index() -> None:
    assert {name for name in PAGES if f"]({name}" in PAGES["index.md"]} == PAGES.keys() - {"index.md"}


def test_every_page_is_in_the_sidebar_once() -> None:
    trees = re.findall(r"^```\{toctree\}\n(?::[^\n]*\n)*\n(.*?)```", PAGES["index.md"], re.DOTALL | re.MULTILINE)
    listed = sorted(name for tree in trees for name in tree.split())
    pages = [path.relative_to(DOCS).with_suffix("").as_posix() for path in [*DOCS.glob("*.md"), *REFERENCE]]
    assert listed == sorted({*pages} - {"index"})


@pytest.mark.parametrize("module", [fine_tuning_async, fine_tuning_async.server])
def test_the_reference_has_every_public_name_once(module: ModuleType) -> None:
    text = "\n".join(path.read_text("utf-8") for path in REFERENCE)
    blocks = re.findall(rf"^.. currentmodule:: {module.__name__}\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    told = [
        name for block in blocks for name in re.findall(r"^.. (?:auto\w+|py:\w+):: (\w+)", block, re.MULTILINE)
    ]
    assert sorted(told) == sorted({*module.__all__} - {"__version__"})


def test_every_public_name_is_mentioned() -> None:
    everything = (ROOT / "README.md").read_text("utf-8") + "".join(PAGES.values())
    assert fine_tuning_async.__all__
    assert not set(fine_tuning_async.__all__) - set(re.findall(r"\w+", everything))


def test_the_table_of_failures_is_the_one_that_the_client_goes_by() -> None:
    words = {False: "no", True: "yes", None: "unknown"}
    told = table(PAGES["reliability.md"], "| Error of aiohttp | Request sent | Message |")
    assert told == [[f"`{kind.__name__}`", words[sent], text] for kind, sent, text in DELIVERY]


def test_the_statuses_that_leave_a_create_in_doubt_are_those_that_the_client_goes_by() -> None:
    rows = dict(row[:2] for row in table(PAGES["one-job.md"], "| Kind | Which | What happens |"))
    below, above = (set(map(int, re.findall(r"\d{3}", text))) for text in rows["ambiguous"].split("500 and above"))
    errors = {status: error_class(status)("", status=status, message="", headers={}) for status in range(300, 600)}
    doubtful = {status for status, error in errors.items() if is_ambiguous(error)}
    assert below == {status for status in doubtful if status < 500}
    assert above == {status for status in range(500, 600) if status not in doubtful}


def test_every_measurement_that_is_named_can_be_made() -> None:
    text = "\n".join(PAGES.values())
    named = re.findall(r"python -m (tests[.\w]*)((?: [a-z_]+)*)", text)
    assert {"tests.heavy", "tests.benchmarks", "tests.benchmarks.uploads"} <= {module for module, _ in named}
    for module, words in named:
        assert find_spec(module) is not None, module
        known = {"tests.heavy": set(RUNS), "tests.benchmarks": set(WORKS)}.get(module, set())
        assert set(words.split()) <= known, words


def test_every_run_and_every_row_is_explained() -> None:
    runs = table(PAGES["reliability.md"], "| Run | What happens | What came of it |")
    assert {row[0].strip("`") for row in runs} - {"the same"} == set(RUNS)
    rows = table(PAGES["performance.md"], "| Name | What is done | Figure |")
    assert {row[0].strip("`") for row in rows} == set(WORKS)


def test_what_to_do_is_said_for_every_error() -> None:
    told = table(PAGES["errors.md"], "| Class | Means | Do |")
    named = [getattr(fine_tuning_async, name) for name in fine_tuning_async.__all__]
    public = {each.__name__ for each in named if isinstance(each, type) and issubclass(each, FineTuningError)}
    assert {row[0].strip("`") for row in told} == public - {"FineTuningError"}
    assert all(row[2] for row in told)


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    (drawn,) = re.findall(r"^```text\n(FineTuningError\n.*?)```", PAGES["errors.md"], re.DOTALL | re.MULTILINE)
    parents: list[str] = []
    for line in drawn.splitlines():
        name = line.lstrip("├└│─ ")
        depth = (len(line) - len(name)) // 4
        del parents[depth:]
        bases = getattr(fine_tuning_async, name).__bases__
        assert not parents or parents[-1] in {base.__name__ for base in bases}
        parents.append(name)
