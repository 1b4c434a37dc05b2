"""Strategies for answers that are wrong in some way: in their bytes, their framing, or their JSON."""

from __future__ import annotations

import gzip
import json
from typing import Any

from hypothesis import strategies as st

__all__ = ["BROKEN_ANSWERS", "documents"]

JOB: dict[str, Any] = {
    "object": "fine_tuning.job",
    "id": "ftjob-1",
    "created_at": 1_721_764_800,
    "model": "gpt-4o-mini-2024-07-18",
    "status": "running",
    "training_file": "file-1",
    "result_files": ["file-2"],
    "hyperparameters": {"n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": 1.8},
    "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    "metadata": {"team": "a"},
    "error": None,
}
PAGE: dict[str, Any] = {"object": "list", "data": [JOB, {**JOB, "id": "ftjob-2"}], "has_more": False}
FILE: dict[str, Any] = {
    "object": "file",
    "id": "file-1",
    "created_at": 1,
    "filename": "f",
    "purpose": "fine-tune",
    "bytes": 3,
}
ERROR: dict[str, Any] = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
SEEDS = (JOB, PAGE, FILE, ERROR)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
STATUSES = st.sampled_from([100, 199, *[200] * 12, 201, 204, 206, 302, 307, 400, 404, 409, 429, 500, 503, 600])
HEADERS = st.sampled_from(
    [
        b"Content-Type: application/json",
        b"Content-Type: text/html",
        b"Content-Encoding: gzip",
        b"Content-Encoding: br",
        b"Transfer-Encoding: chunked",
        b"Content-Length: 0",
        b"Content-Length: 5",
        b"Content-Length: 99999",
        b"Content-Length: -1",
        b"Content-Length: x",
        b"Location: /elsewhere",
        b"Location: http://[",
        b"Location: http://127.0.0.1:1/",
        b"Retry-After: soon",
        b"Retry-After: 1e999",
        b"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT",
        b"retry-after-ms: -5",
        b"x-request-id: \xff\xfe",
        b"Content-Range: bytes 5-1/3",
        b"ETag: W/weak",
        b"no colon",
        b": no name",
        b"a b: c",
        b"X-Long: " + b"x" * 9_000,
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> object:
    """A document of the API in which values were put into the wrong places."""
    document = json.loads(json.dumps(draw(st.sampled_from(SEEDS))))
    for _ in range(draw(st.integers(0, 2))):
        _spoil(draw, document)
    return draw(st.just(document) | JSON) if draw(st.integers(0, 9)) == 0 else document


def _spoil(draw: st.DrawFn, document: Any) -> None:
    container = document
    while True:
        keys = list(container) if isinstance(container, dict) else range(len(container))
        if not keys:
            return
        key = draw(st.sampled_from(list(keys)))
        inner = container[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            container = inner
            continue
        if isinstance(container, dict) and draw(st.integers(0, 3)) == 0:
            del container[key]
        else:
            container[key] = draw(JSON)
        return


@st.composite
def _bodies(draw: st.DrawFn) -> bytes:
    body = json.dumps(draw(documents())).encode()
    # Most are whole: a document with a wrong value gets further than one that is no JSON.
    kinds = ["whole"] * 10 + ["cut", "changed", "bytes", "packed", "empty", "deep"]
    kind = draw(st.sampled_from(kinds))
    if kind == "cut":
        return body[: draw(st.integers(0, len(body)))]
    if kind == "changed":
        place = draw(st.integers(0, len(body) - 1))
        return body[:place] + draw(st.binary(min_size=1, max_size=3)) + body[place + 1 :]
    if kind == "bytes":
        return draw(st.binary(max_size=40))
    if kind == "packed":
        packed = gzip.compress(body)
        return packed[: draw(st.integers(0, len(packed)))]
    if kind == "deep":
        return b"[" * draw(st.sampled_from([10, 1_100, 100_000]))
    return b"" if kind == "empty" else body


@st.composite
def _answers(draw: st.DrawFn) -> bytes:
    body = draw(_bodies())
    lines = [b"HTTP/1.1 %d Reason" % draw(STATUSES)]
    if draw(st.integers(0, 3)) == 0:
        lines += draw(st.lists(HEADERS, min_size=1, max_size=2))
    if draw(st.integers(0, 7)):
        lines.append(b"Content-Length: %d" % len(body))
    answer = b"\r\n".join([*lines, b"", body])
    if draw(st.integers(0, 7)) == 0:
        place = draw(st.integers(0, len(answer) - 1))
        answer = answer[:place] + draw(st.binary(max_size=4)) + answer[place + draw(st.integers(0, 4)) :]
    return answer


BROKEN_ANSWERS = _answers()
"""The bytes of an answer, up to the moment at which the server hangs up or falls silent."""
