"""The record of requests does not grow without end."""

from __future__ import annotations

from fine_tuning_async.server.requestlog import LARGEST, RequestLog, RequestRecord


def record(path: str, body: bytes = b"") -> RequestRecord:
    return RequestRecord(method="POST", path=path, query={}, headers={}, body=body, size=len(body), status=200)


def paths(log: RequestLog) -> list[str]:
    return [each.path for each in log.records()]


def test_the_newest_fifty_thousand_are_kept() -> None:
    log = RequestLog()
    for number in range(50_003):
        log.add(record(str(number)))
    assert paths(log)[:1] == ["3"]
    assert paths(log)[-1:] == ["50002"]


def test_bodies_have_a_bound_together() -> None:
    log, half = RequestLog(), bytes(LARGEST // 2)  # one object, whose pages are never touched
    for name in "abc":
        log.add(record(name, half))
    assert paths(log) == ["b", "c"]
    log.add(record("d"))
    assert paths(log) == ["b", "c", "d"]
    log.add(record("e", half + b"x"))
    assert paths(log) == ["d", "e"]
    log.clear()
    for name in "fg":
        log.add(record(name, half))
    assert paths(log) == ["f", "g"]
