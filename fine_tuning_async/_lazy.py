"""Modules that are imported when something of theirs is first used.

A package declares which of its modules these are. Whoever needs one imports it as a module, in the ordinary way
(`from . import _parts`), and says `_parts.PartedUpload` where it is used: what is not called is not imported.
"""

import sys
from importlib import import_module
from types import ModuleType

__all__ = ["lazily"]


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
