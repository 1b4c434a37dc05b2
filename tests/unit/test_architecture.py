"""The plan of the house, read from the syntax trees: who may import whom, and what stands at the door."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fine_tuning_async
from fine_tuning_async import models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PACKAGE = "fine_tuning_async"
ROOT = Path(fine_tuning_async.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# From the top of the house down: a room imports from its own line and from those above it.
ROOMS = (
    ("_version", "_lazy"),
    ("_values",),
    ("errors",),
    ("_document",),
    ("models",),
    ("_generate", "_hooks", "_mirror", "_codec", "_reading"),
    ("_urls", "_azure", "_headers", "_secret", "_wire", "_ranges"),
    ("retry",),
    ("_memory", "_sessions", "_middlewares", "_delivery", "_time_limit", "_arriving", "transport"),
    ("_credentials", "_reporting", "_pipeline", "_opening", "_downloads"),
    ("pagination",),
    ("api",),
    ("webhooks",),
    ("waiting",),
    ("datasets",),
    ("_options",),
    ("client",),
    ("archive",),
    ("server",),
    ("testing",),
    ("cli",),
    ("__init__",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
# Rooms whose modules are read by everyone, whatever line they stand on.
PLAIN = {"_version"}
CLIENT_ROOMS = {"_sessions", "_middlewares", "_delivery", "transport"}
SENDERS = {"server.delivery"}  # where the local server delivers webhooks


def _named(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


each_module = pytest.mark.parametrize("path", MODULES, ids=_named)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _imports(node: ast.AST, path: Path, *, typing: bool = True) -> Iterator[str]:
    """Every module that is imported, as a whole dotted name, functions' imports included."""
    for child in ast.iter_child_nodes(node):
        if not typing and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for each in child.orelse:
                yield from _imports(each, path, typing=typing)
        elif isinstance(child, ast.Import):
            yield from (each.name for each in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from _sources(child, path)
        else:
            yield from _imports(child, path, typing=typing)


def _sources(node: ast.ImportFrom, path: Path) -> Iterator[str]:
    if node.level:
        within = (PACKAGE, *path.relative_to(ROOT).parent.parts)
        base = ".".join(within[: len(within) - node.level + 1])
        module = f"{base}.{node.module}" if node.module else base
    else:
        module = node.module or ""
    # `from package import name` may name a module: then the module is what is imported.
    yield from ({module} | {f"{module}.{each.name}" for each in node.names if _is_module(f"{module}.{each.name}")})


def _is_module(name: str) -> bool:
    below = ROOT.joinpath(*name.split(".")[1:])
    return name.startswith(f"{PACKAGE}.") and (below.is_dir() or below.with_suffix(".py").exists())


def _rooms_of(path: Path) -> set[str]:
    """The rooms that a module imports from."""
    names = [name.split(".") for name in _imports(_tree(path), path) if name.split(".")[0] == PACKAGE]
    # Importing the bare package, beside a module of it, is what `from package import module` reads as.
    return {parts[1] for parts in names if len(parts) > 1} | {"__init__" for parts in names if len(parts) == 1}


# -- imports -----------------------------------------------------------------------------------------------------


@each_module
def test_every_module_has_a_room(path: Path) -> None:
    assert _room(path) in LEVEL, f"say in ROOMS where {_room(path)} stands"


@each_module
def test_imports_point_up_to_the_rooms_above(path: Path) -> None:
    room = _room(path)
    below = {each for each in _rooms_of(path) - {room} if LEVEL[each] > LEVEL[room]}
    if room != "__init__":
        below -= {"__init__"} if _imports_a_module_of_the_package(path) else set()
    assert not below, f"{room} imports {sorted(below)}, which stand below it"


def _imports_a_module_of_the_package(path: Path) -> bool:
    nodes = [each for each in ast.walk(_tree(path)) if isinstance(each, ast.ImportFrom)]
    bare = [each for each in nodes if {*_sources(each, path)} >= {PACKAGE}]
    return all(_is_module(f"{PACKAGE}.{name.name}") for each in bare for name in each.names)


@pytest.mark.parametrize("path", [each for each in MODULES if _room(each) == "server"], ids=_named)
def test_the_server_imports_nothing_of_the_client(path: Path) -> None:
    assert _rooms_of(path) <= {"server", *PLAIN}


@each_module
def test_the_client_of_aiohttp_is_touched_in_one_place(path: Path) -> None:
    if _room(path) in CLIENT_ROOMS or _named(path) in SENDERS:
        return
    names = {name for name in _imports(_tree(path), path, typing=False) if name.split(".")[0] == "aiohttp"}
    # A server's side of aiohttp is no client, and a server may well import the package for its parts.
    allowed = names if _room(path) in {"server", "webhooks", "testing"} else {"aiohttp.web"}
    assert names <= allowed
    if names:
        source = path.read_text("utf-8")
        assert not re.search(r"\b(ClientSession|ClientTimeout|TCPConnector)\b|aiohttp\.request\b", source)


@pytest.mark.parametrize(
    "room", ["errors", "models", "_document", "_generate", "_hooks", "_codec", "_wire", "_ranges", "retry"]
)
def test_pure_rooms_hold_no_await_clock_randomness_or_environment(room: str) -> None:
    for path in (each for each in MODULES if _room(each) == room):
        tree = _tree(path)
        forbidden = {"asyncio", "time", "random", "secrets", "os", "socket", "aiohttp", "threading"}
        assert not {name.split(".")[0] for name in _imports(tree, path)} & forbidden, path
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFunctionDef)], path
        assert not re.search(r"datetime\.now|utcnow|open\(", path.read_text("utf-8")), path


# -- form --------------------------------------------------------------------------------------------------------


@each_module
def test_every_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(_tree(path))
    assert docstring, "no docstring"
    assert docstring.splitlines()[0].endswith("."), "the first line is a sentence"


@pytest.mark.parametrize("folder", ["fine_tuning_async", "tests", "docs"])
def test_every_lint_ignore_gives_its_reason(folder: str) -> None:
    lines = (
        (path, line)
        for path in (ROOT.parent / folder).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
    )
    ignores = [(path.name, line.strip()) for path, line in lines if re.search(r"# (noqa)\b", line)]
    assert not [each for each in ignores if not re.search(r"# (noqa): [A-Z]+\d+(, [A-Z]+\d+)* - \S", each[1])]


@each_module
def test_every_module_lists_its_public_names_sorted(path: Path) -> None:
    module = importlib.import_module(f"{PACKAGE}.{_named(path)}".removesuffix(".__init__"))
    if _named(path) == "__main__" or not hasattr(module, "__all__"):
        assert not _public_definitions(path) or _named(path).startswith(("__main__", "_version", "cli", "server"))
        return
    names: list[str] = module.__all__
    assert len(set(names)) == len(names)
    assert names == sorted(names, key=_like_ruff)
    assert not [name for name in names if not hasattr(module, name)]


def _like_ruff(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest (RUF022)."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1, name) if name.lstrip("_")[:1].isupper() else (2, name)


def _public_definitions(path: Path) -> list[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [each.name for each in _tree(path).body if isinstance(each, kinds) and not each.name.startswith("_")]


@pytest.mark.parametrize("path", [each for each in MODULES if not _named(each).startswith("_")], ids=_named)
def test_no_public_signature_says_any(path: Path) -> None:
    told = [f"{name}: {text}" for name, text in _annotations(_tree(path)) if re.search(r"\bAny\b", text)]
    assert not told


def _annotations(node: ast.Module | ast.ClassDef) -> Iterator[tuple[str, str]]:
    """What the public functions, methods and attributes of a module say of their types."""
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and not ast.unparse(each.target).startswith("_"):
            yield ast.unparse(each.target), ast.unparse(each.annotation)
        elif isinstance(each, ast.ClassDef) and not each.name.startswith("_"):
            yield from _annotations(each)
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and not each.name.startswith("_"):
            arguments = [
                *each.args.posonlyargs,
                *each.args.args,
                *each.args.kwonlyargs,
                each.args.vararg,
                each.args.kwarg,
            ]
            spoken = [argument.annotation for argument in arguments if argument is not None]
            yield from ((each.name, ast.unparse(said)) for said in [*spoken, each.returns] if said is not None)


@pytest.mark.parametrize("name", fine_tuning_async.__all__)
def test_nothing_public_says_any_at_run_time(name: str) -> None:
    value = getattr(fine_tuning_async, name)
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return  # a constant or an alias of a union
    members = [value, *(each for key, each in vars(value).items() if not key.startswith("_"))]
    for member in members:
        if inspect.isclass(member) or inspect.isfunction(member):
            said = {key: each for key, each in inspect.get_annotations(member).items() if not key.startswith("_")}
            assert not [text for text in map(str, said.values()) if re.search(r"\bAny\b", text)], member


# -- the door ----------------------------------------------------------------------------------------------------


DOORS = pytest.mark.parametrize("door", [fine_tuning_async, models], ids=lambda door: door.__name__)


@DOORS
def test_all_names_resolve_and_no_more_than_these(door: ModuleType) -> None:
    for name in door.__all__:
        assert getattr(door, name) is not None
    assert {*door.__all__} - {"__version__"} == door._HOME_OF.keys()
    assert set(door.__all__) <= set(dir(door))
    assert door.__all__ == sorted(door.__all__, key=_like_ruff)


@DOORS
def test_what_a_type_checker_sees_is_what_is_resolved(door: ModuleType) -> None:
    assert door.__file__ is not None
    checked = next(each for each in _tree(Path(door.__file__)).body if isinstance(each, ast.If))
    seen = {
        name.asname or name.name: (each.module or "")
        for each in checked.body
        if isinstance(each, ast.ImportFrom)
        for name in each.names
    }
    assert seen == door._HOME_OF


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fine_tuning_async.nothing  # type: ignore[attr-defined]  # noqa: B018 - the access is the test
    with pytest.raises(ImportError):
        importlib.import_module("fine_tuning_async.nothing")
