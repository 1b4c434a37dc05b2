"""A job's result file: CSV, at times in base64, as figures; pure."""

from __future__ import annotations

import binascii
import csv
import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from attrs import fields

from fine_tuning_async._codec import structure
from fine_tuning_async._document import describe
from fine_tuning_async.errors import ResponseFormatError
from fine_tuning_async.models import TrainingStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["training_steps"]

KNOWN = {each.name for each in fields(TrainingStep)} - {"_raw"}
BOM = b"\xef\xbb\xbf"

# No int() or float() alone: they take underscores, white space and the digits of all scripts.
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_LINE_END = re.compile(r"\r\n|\r|\n")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)


def training_steps(content: bytes, name: str) -> list[TrainingStep]:
    """Return the rows of a result file.

    Raises:
        ResponseFormatError: It is none; the message says where it is wrong.
    """
    text = _plain(content, name).decode("utf-8", "replace")
    try:
        rows = list(_rows(_LINE_END.split(text), name))
    except csv.Error as error:
        raise ResponseFormatError(f"the result file {name} is no CSV: {error}") from None
    return [structure(TrainingStep, row, what=where) for where, row in rows]


def _plain(content: bytes, name: str) -> bytes:
    content = content.removeprefix(BOM)
    if not content.strip():
        return b""
    if _has_header(content):
        return content
    try:
        # Some accounts get it like this; written in lines or without its padding by others.
        packed = b"".join(content.split()).rstrip(b"=")
        unpacked = binascii.a2b_base64(packed + b"=" * (-len(packed) % 4), strict_mode=True).removeprefix(BOM)
    except binascii.Error:
        unpacked = b""
    if not _has_header(unpacked):
        raise ResponseFormatError(f"{name} is no result file: it begins with {describe(content[:60])}")
    return unpacked


def _has_header(content: bytes) -> bool:
    names = re.split(rb"\r|\n", content.lstrip(), maxsplit=1)[0].split(b",")
    return b"step" in {each.strip(b' \t"').lower() for each in names}


def _rows(lines: Iterable[str], name: str) -> Iterator[tuple[str, dict[str, object]]]:
    reader = csv.reader(lines, strict=True, skipinitialspace=True)
    header: list[str] | None = None
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells, name)
        elif len(cells) > len(header):
            text = f"{len(cells)} cells stand in line {reader.line_num} of {name}, under {len(header)} names"
            raise ResponseFormatError(text)
        else:
            where = f"line {reader.line_num} of {name}"
            pairs = zip_longest(header, cells, fillvalue="")
            yield where, {column: _value(column, cell.strip(), where) for column, cell in pairs}


def _header(cells: list[str], name: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    header = [column.lower() if column.lower() in KNOWN else column for column in header]
    if len(set(header)) < len(header):
        raise ResponseFormatError(f"two columns of {name} have one name: {', '.join(header)}")
    return header


def _value(column: str, cell: str, where: str) -> object:
    if not cell:
        return None
    number = _number(cell)
    if column not in KNOWN:
        return cell if number is None else number
    if number is None:
        raise ResponseFormatError(f"{column} is {describe(cell)} in {where}; it must be a number")
    return None if number == -1 else number


def _number(cell: str) -> float | None:
    if _WHOLE.fullmatch(cell):
        return int(cell)
    return float(cell) if _NUMBER.fullmatch(cell) else None
