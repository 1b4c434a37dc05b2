"""Faults of the local server: what can go wrong, when it does, how it is played."""

from __future__ import annotations

from .fault import Fault
from .limits import FaultError
from .registry import Faults
from .script import Script

__all__ = ["Fault", "FaultError", "Faults", "Script"]
