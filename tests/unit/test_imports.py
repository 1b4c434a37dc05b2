"""What is imported when: a client needs little; what only some calls need comes with the first of them."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from graphlib import TopologicalSorter
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from tests.unit.test_architecture import MODULES, PACKAGE, _imports, _named, _tree

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

# -- our own modules ---------------------------------------------------------------------------------------------


def dotted(path: Path) -> str:
    """The name of a module, and of a package that of its `__init__`."""
    return f"{PACKAGE}.{_named(path)}".removesuffix(".__init__")


DECLARED = {
    f"{dotted(path)}.{each.value}"
    for path in MODULES
    for call in ast.walk(_tree(path))
    if isinstance(call, ast.Call) and ast.unparse(call.func) == "lazily"
    for each in call.args
    if isinstance(each, ast.Constant) and isinstance(each.value, str)
}
MAKING_A_CLIENT = """
import json, sys
from fine_tuning_async import FineTuningClient
FineTuningClient("k")
ours = [module for name, module in sys.modules.items() if name.startswith("fine_tuning_async")]
classes = {each for module in ours for each in vars(module).values() if isinstance(each, type)}
made = [each.__name__ for each in classes if "__attrs_attrs__" in vars(each)]
print(json.dumps([sorted(sys.modules), sorted(made)]))
"""


@pytest.fixture(scope="module")
def made() -> tuple[list[str], list[str]]:
    """The modules that are there once a client is made, and the attrs classes in those of ours."""
    command = [sys.executable, "-c", MAKING_A_CLIENT]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    modules, classes = json.loads(done.stdout)
    return modules, classes


def test_a_client_is_made_without_what_only_some_calls_need(made: tuple[list[str], list[str]]) -> None:
    early = [name for name in made[0] if any(f"{name}.".startswith(f"{each}.") for each in DECLARED)]
    assert len(DECLARED) > 10
    assert not early, "import the module, as in `from . import _parts`, and say `_parts.PartedUpload` in the call"


def test_a_client_is_made_without_libraries_that_few_calls_need(made: tuple[list[str], list[str]]) -> None:
    assert not {"cattrs", "csv", "sqlite3", "standardwebhooks"} & {*made[0]}


def test_a_client_is_made_of_few_classes_that_are_compiled_anew_each_time(
    made: tuple[list[str], list[str]],
) -> None:
    # attrs writes the methods of a class when it is made: no bytecode spares that, and it takes as long as to
    # import a module or two.
    assert len(made[1]) <= 11, made[1]


def test_whatever_is_declared_is_there() -> None:
    names = {dotted(path) for path in MODULES}
    assert names >= DECLARED


def test_no_module_imports_itself_by_way_of_others() -> None:
    """What is imported late could hide it."""
    graph = {}
    for path in MODULES:
        needed = {each for each in _imports(_tree(path), path, typing=False) if each.startswith(PACKAGE)}
        # A package stands for its modules, and is there before them.
        graph[dotted(path)] = {each for each in needed if not f"{dotted(path)}.".startswith(f"{each}.")}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(MODULES)


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import fine_tuning_async", "aiohttp cattrs attrs msgspec orjson asyncio"),
        (
            "import fine_tuning_async; dir(fine_tuning_async); fine_tuning_async.__version__",
            "aiohttp cattrs attrs",
        ),
        ("from fine_tuning_async import FineTuningError, RateLimitError", "aiohttp cattrs orjson"),
        ("from fine_tuning_async import RetryPolicy", "aiohttp cattrs"),
        ("from fine_tuning_async import FineTuningJob, Method", "aiohttp cattrs"),
        ("from fine_tuning_async import File", f"{PACKAGE}.models.jobs {PACKAGE}.models.graders"),
        ("from fine_tuning_async import from_dict", "aiohttp"),
        ("from fine_tuning_async import WebhookInbox, unwrap; WebhookInbox('whsec_AAAA')", "aiohttp"),
        ("import fine_tuning_async.testing", "aiohttp cattrs attrs msgspec orjson sqlite3"),
        ("from fine_tuning_async import check_dataset", "aiohttp cattrs asyncio tiktoken"),
    ],
)
def test_importing_costs_no_more_than_what_is_used(statement: str, absent: str) -> None:
    code = f"import sys; {statement}; print([name for name in {absent.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    assert done.stdout.strip() == "[]"


# -- a package of its own ----------------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that declares its module `later`, of which nothing is written yet."""
    folder = tmp_path / "declaring"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        f'from {PACKAGE}._lazy import lazily\n\nlazily(__name__, "later")\n', encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("declaring", "declaring.later"):
        monkeypatch.setitem(sys.modules, name, None)  # so that it is gone in the end
        monkeypatch.delitem(sys.modules, name)
    return folder


def written(package: Path, source: str) -> ModuleType:
    """Write the module, and import it in the ordinary way."""
    (package / "later.py").write_text(source, encoding="utf-8")
    names: dict[str, ModuleType] = {}
    exec("from declaring import later", names)  # noqa: S102 - our own words
    return names["later"]


def test_a_module_is_imported_when_something_of_it_is_used(package: Path) -> None:
    later = written(package, "value = object()\n")
    assert "declaring.later" not in sys.modules
    value = later.value
    module = importlib.import_module("declaring.later")
    assert value is module.value is later.value
    assert sys.modules["declaring"].later is module


def test_a_name_that_it_lacks_is_told_as_by_the_module_itself(package: Path) -> None:
    later = written(package, "value = 1\n")
    with pytest.raises(AttributeError, match=r"module 'declaring\.later' has no attribute 'valeu'"):
        later.valeu  # noqa: B018 - the access is the test
    assert later.value == 1


def test_a_module_that_cannot_be_imported_is_tried_again(package: Path) -> None:
    later = written(package, "raise OSError('too many open files')\n")
    for _ in range(2):
        with pytest.raises(OSError, match="too many open files"):
            later.value  # noqa: B018 - the access is the test
    written(package, "value = 'now it can'\n")
    importlib.invalidate_caches()
    assert later.value == "now it can"


def test_threads_that_use_it_at_once_all_get_it_whole(package: Path) -> None:
    later = written(package, "import declaring\ndeclaring.begun.set()\ndeclaring.go_on.wait(5)\nvalue = 1\n")
    declaring = sys.modules["declaring"]
    declaring.begun, declaring.go_on = begun, go_on = Event(), Event()  # type: ignore[attr-defined]
    got: list[int] = []
    threads = [Thread(target=lambda: got.append(later.value)) for _ in range(3)]
    threads[0].start()
    assert begun.wait(5)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert got == [1, 1, 1]
