"""What is wrong with the JSON of a line, or odd about it."""

from __future__ import annotations

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import TYPE_CHECKING

import orjson

from ._ledger import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._ledger import Ledger

__all__ = ["QUOTATION_MARK", "explain", "quotation_marks", "warn_of_repeated_keys"]

QUOTATION_MARK = b'"'
_LONGEST_EXPLAINED = 2**20
"""Bytes. Python's own parser says best what is wrong, and is slow."""
_UTF_16 = (BOM_UTF16_LE, BOM_UTF16_BE)


def explain(line: bytes, error: orjson.JSONDecodeError, ledger: Ledger) -> None:
    """Enter what keeps a line from being parsed."""
    try:
        line.decode()
    except UnicodeDecodeError as wrong:
        hint = "; the file looks like UTF-16" if line.startswith(_UTF_16) else ""
        ledger.problem(
            "not_utf8", f"byte {wrong.start}", "UTF-8", f"{line[wrong.start]:#04x} ({wrong.reason}){hint}"
        )
    else:
        column, reason = _reason(line, error)
        ledger.problem("invalid_json", f"column {column}", "valid JSON", reason)


def _reason(line: bytes, error: orjson.JSONDecodeError) -> tuple[int, str]:
    nul = line.find(b"\0")
    if nul >= 0:
        return error.colno, f"a NUL byte at byte {nul}"
    if line.startswith(BOM_UTF8):
        return 1, "a byte order mark, which may stand at the start of the file only"
    if "limit" in error.msg:
        # How deep Python's own parser goes depends on its version.
        return error.colno, f"nested too deeply, at column {error.colno}"
    if len(line) <= _LONGEST_EXPLAINED:
        try:
            json.loads(line)
        except json.JSONDecodeError as known:
            return known.colno, str(known)
        except ValueError:  # a number of thousands of digits
            return error.colno, str(error)
    return error.colno, str(error)  # such as of NaN, which Python's parser lets pass


def warn_of_repeated_keys(line: bytes, row: dict[str, object], ledger: Ledger) -> None:
    """Warn if an object on the line names a key twice: parsers keep the last, and say nothing."""
    try:
        written = orjson.dumps(row)
    except orjson.JSONEncodeError:  # nested deeper than can be written
        return
    if quotation_marks([line]) == written.count(QUOTATION_MARK):
        return
    for key in _repeated(line):
        ledger.likely("duplicate_key", "", "each key once in an object", f"{shown(key)} twice")


def quotation_marks(lines: Iterable[bytes]) -> int:
    """Count the quotation marks on lines of JSON, and those that are written as an escape.

    If they are as many as the parsed values have, no object names a key twice, however the lines are written.
    Without that there may be more, too: what looks like an escape may follow an escaped backslash.
    """
    text = b"".join(lines)
    escapes = text.count(b"\\u0022") if b"\\" in text else 0
    return text.count(QUOTATION_MARK) + escapes


def _repeated(line: bytes) -> list[str]:
    found: dict[str, None] = {}

    def look(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found[key] = None
            seen.add(key)

    try:
        json.loads(line, object_pairs_hook=look)
    except (ValueError, RecursionError):  # numbers, depths that Python's parser does not take
        return []
    return list(found)
