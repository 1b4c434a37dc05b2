"""Modules that are imported when something of theirs is first used.

A package declares which of its modules these are. Whoever needs one imports it as a module, in the ordinary way
(`from . import _parts`), and says `_parts.PartedUpload` where it is used: what is not called is not imported.

A package that is a door to the names in its modules opens for each of them when it is asked for (PEP 562).
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType

__all__ = ["lazily", "names_of"]


class _Lazy(ModuleType):
    """Stands for a module of the same name, and learns from it what it is asked for.

    The import system's own locks see to it that no thread gets half a module; `importlib.util.LazyLoader` of
    Python 3.11 has none.
    """

    def __getattr__(self, name: str) -> object:
        value: object = getattr(import_module(self.__name__), name)
        setattr(self, name, value)  # found without coming here from now on
        return value


def lazily(package: str, *modules: str) -> None:
    """Declare modules of a package, before anything imports them."""
    vars(sys.modules[package]).update({each: _Lazy(f"{package}.{each}") for each in modules})


def names_of(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """Return the `__getattr__` of a package, by the module of each name; what was found is kept."""

    def __getattr__(name: str) -> object:  # noqa: N807 - as the package will call it
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f".{home}", package), name)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__
