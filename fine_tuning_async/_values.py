"""Classes of values that every call makes some of."""

from functools import partial
from typing import TYPE_CHECKING

from attrs import define

__all__ = ["value"]

if TYPE_CHECKING:
    # As with the models: nobody may assign to them, but at run time a frozen class is slow to be made.
    from attrs import frozen as value
else:
    value = partial(define, eq=False)  # nobody compares them, and what is not there is not made at each import
