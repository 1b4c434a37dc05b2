"""Everything the server remembers, in SQLite."""

from __future__ import annotations

from .database import CHUNK, Store
from .files import StoredFile

__all__ = ["CHUNK", "Store", "StoredFile"]
