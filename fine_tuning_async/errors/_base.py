"""The root of the tree."""

from __future__ import annotations

__all__ = ["FineTuningError"]


class FineTuningError(Exception):
    """Anything this library raises.

    Attributes:
        cursor: Set when a paginator failed: pass it as `after` to go on where the iteration stopped. None
            means that it failed before the first item.
    """

    cursor: str | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by state, because the constructors of subclasses take keyword arguments."""
        return _restore, (type(self), self.args), self.__dict__


def _restore(cls: type[FineTuningError], args: tuple[object, ...]) -> FineTuningError:
    error = cls.__new__(cls)
    error.args = args
    return error
