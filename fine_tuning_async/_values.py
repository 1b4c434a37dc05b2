"""Classes of values that every call makes some of."""

from typing import TYPE_CHECKING

__all__ = ["value"]

if TYPE_CHECKING:
    # As with the models: nobody may assign to them, but at run time a frozen class is slow to be made.
    from attrs import frozen as value
else:
    from attrs import define as value
