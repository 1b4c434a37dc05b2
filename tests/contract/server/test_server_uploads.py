"""Uploads in parts over HTTP: what they become, how they end, what is refused."""

from __future__ import annotations

import hashlib
import http.client
import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import BOUNDARY, Answer, Api, chat_lines

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 256 * 1024
HOUR = 3600
MIB = 2**20
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def begin(api: Api, size: int, **fields: Any) -> Answer:
    body = {"bytes": size, "filename": "t.jsonl", "mime_type": "text/jsonl", "purpose": "fine-tune", **fields}
    return api.post("/uploads", {name: value for name, value in body.items() if value is not ...})


def form_of(data: bytes, name: str = "data") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="part"\r\n\r\n'
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def add(api: Api, upload_id: str, data: bytes, name: str = "data") -> Answer:
    return api.call("POST", f"/uploads/{upload_id}/parts", form_of(data, name), FORM)


def complete(api: Api, upload_id: str, part_ids: list[str], **fields: Any) -> Answer:
    return api.post(f"/uploads/{upload_id}/complete", {"part_ids": part_ids, **fields})


def sent(api: Api, *parts: bytes, **fields: Any) -> tuple[str, list[str]]:
    """An upload with its parts, not yet completed."""
    upload_id = begin(api, sum(map(len, parts)), **fields).json["id"]
    return upload_id, [add(api, upload_id, part).json["id"] for part in parts]


def whole(api: Api, *parts: bytes, **fields: Any) -> dict[str, Any]:
    """The file that parts become."""
    upload_id, part_ids = sent(api, *parts, **fields)
    file: dict[str, Any] = complete(api, upload_id, part_ids).json["file"]
    return file


def content(api: Api, file: dict[str, Any], **headers: str) -> bytes:
    return api.get(f"/files/{file['id']}/content", **headers).body


# ------------------------------------------------------------------------------------------- what it becomes


def test_the_objects_have_the_recorded_shapes(api: Api) -> None:
    made = begin(api, 6)
    upload = made.json
    assert (made.status, list(upload)) == (
        200,
        ["id", "object", "bytes", "created_at", "filename", "purpose", "status", "expires_at"],
    )
    assert (upload["object"], upload["status"], upload["bytes"]) == ("upload", "pending", 6)
    assert upload["expires_at"] == upload["created_at"] + HOUR
    part = add(api, upload["id"], b"abcdef").json
    assert list(part) == ["id", "object", "created_at", "upload_id"]
    assert (part["object"], part["upload_id"]) == ("upload.part", upload["id"])
    done = complete(api, upload["id"], [part["id"]]).json
    assert {**upload, "status": "completed", "file": done["file"]} == done
    assert api.get(f"/files/{done['file']['id']}").json == done["file"]
    assert (done["file"]["filename"], done["file"]["bytes"], done["file"]["expires_at"]) == ("t.jsonl", 6, None)


SIZES = [(1,), (CHUNK, CHUNK), (CHUNK - 1, 3 * CHUNK + 7, 1, CHUNK + 1), (2 * CHUNK, 5)]


@pytest.mark.parametrize("sizes", SIZES)
def test_the_parts_come_back_as_one_content(api: Api, sizes: tuple[int, ...]) -> None:
    parts = [random.Random(size).randbytes(size) for size in sizes]
    file, expected = whole(api, *parts), b"".join(parts)
    assert content(api, file) == expected
    edge = len(parts[0])
    for start, stop in ((0, 0), (max(edge - 3, 0), edge), (edge, edge + 2), (len(expected) - 1, len(expected))):
        if start < len(expected):
            assert content(api, file, Range=f"bytes={start}-{stop}") == expected[start : stop + 1]


def test_the_order_is_that_of_the_completion(api: Api) -> None:
    upload_id, part_ids = sent(api, b"one", b"two", b"three")
    file = complete(api, upload_id, [part_ids[2], part_ids[0], part_ids[1]]).json["file"]
    assert content(api, file) == b"threeonetwo"


def test_a_part_that_is_not_listed_is_no_part_of_the_file(api: Api, tmp_path: Path) -> None:
    with LocalServer(db=tmp_path / "a.db") as server:
        api = Api(server.url)
        upload_id = begin(api, 3).json["id"]
        ids = [add(api, upload_id, part).json["id"] for part in (b"one", b"spare")]
        file = complete(api, upload_id, ids[:1]).json["file"]
        assert content(api, file) == b"one"
        api.call("DELETE", f"/files/{file['id']}")
    assert rows_left(tmp_path / "a.db") == {"files": 0, "chunks": 0, "parts": 0}


def test_it_is_a_file_like_any_other(api: Api, server: LocalServer) -> None:
    lines = chat_lines(12)
    file = whole(api, lines[:100], lines[100:])
    assert [each["id"] for each in api.get("/files?purpose=fine-tune").json["data"]] == [file["id"]]
    job = api.create(file["id"])
    server.finish(job["id"])
    assert api.job(job["id"])["status"] == "succeeded"
    assert api.call("DELETE", f"/files/{file['id']}").json["deleted"] is True
    assert api.get(f"/files/{file['id']}/content").status == 404


def test_a_file_of_parts_that_is_no_training_file_fails_its_job(api: Api, server: LocalServer) -> None:
    job = api.create(whole(api, b'{"messages": ', b"oops}\n")["id"])
    server.advance(HOUR)
    assert api.job(job["id"])["error"]["code"] == "invalid_training_file"


def test_a_file_of_parts_expires_as_it_was_asked(api: Api, server: LocalServer) -> None:
    file = whole(api, b"one", b"two", expires_after={"anchor": "created_at", "seconds": 7200})
    assert file["expires_at"] == file["created_at"] + 7200
    server.advance(7199)
    assert content(api, file) == b"onetwo"
    server.advance(1)
    assert api.get(f"/files/{file['id']}").status == 404


@pytest.mark.parametrize("upper", [False, True])
def test_a_checksum_that_is_right_is_accepted(api: Api, upper: bool) -> None:
    parts = [random.Random(size).randbytes(size) for size in (CHUNK + 1, 2 * CHUNK)]
    upload_id, part_ids = sent(api, *parts)
    md5 = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    wrong = complete(api, upload_id, part_ids[::-1], md5=md5)
    assert (wrong.status, wrong.error["param"]) == (400, "md5")
    assert complete(api, upload_id, part_ids, md5=md5.upper() if upper else md5).status == 200


def test_the_same_requests_give_the_same_ids() -> None:
    found = []
    for _ in range(2):
        with LocalServer(seed=7) as server:
            api = Api(server.url)
            upload_id, part_ids = sent(api, b"one", b"two")
            found.append((upload_id, part_ids, complete(api, upload_id, part_ids).json["file"]["id"]))
    assert found[0] == found[1]
    assert len({found[0][0], *found[0][1], found[0][2]}) == 4


# ------------------------------------------------------------------------------------------- how it ends


def rows_left(path: Path) -> dict[str, int]:
    """How many rows a stopped server has kept of contents."""
    with closing(sqlite3.connect(path)) as database:
        tables = ("files", "chunks", "parts")
        return {each: database.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in tables}  # noqa: S608 - our own


def end_by_cancel(server: LocalServer, upload_id: str) -> None:
    answer = Api(server.url).post(f"/uploads/{upload_id}/cancel")
    assert (answer.status, answer.json["status"]) == (200, "cancelled")
    assert "file" not in answer.json


def end_by_time(server: LocalServer, upload_id: str) -> None:
    server.advance(HOUR)


@pytest.mark.parametrize(("end", "status"), [(end_by_cancel, "cancelled"), (end_by_time, "expired")])
def test_an_upload_that_ended_has_lost_its_parts_and_takes_no_more(tmp_path: Path, end: Any, status: str) -> None:
    with LocalServer(db=tmp_path / "a.db") as server:
        api = Api(server.url)
        upload_id, part_ids = sent(api, bytes(2 * CHUNK), b"two")
        end(server, upload_id)
        refusals = [add(api, upload_id, b"x"), complete(api, upload_id, part_ids)]
        refusals.append(api.post(f"/uploads/{upload_id}/cancel"))
        for refused in refusals:
            assert (refused.status, refused.error["param"]) == (400, "upload_id")
            assert f"is {status}" in refused.error["message"]
        assert api.get("/files").json["data"] == []
    assert rows_left(tmp_path / "a.db") == {"files": 0, "chunks": 0, "parts": 0}


def test_an_upload_lives_for_an_hour(api: Api, server: LocalServer) -> None:
    upload_id, part_ids = sent(api, b"one")
    server.advance(HOUR - 1)
    assert complete(api, upload_id, part_ids).status == 200


def test_a_completed_upload_is_completed_for_good(api: Api, server: LocalServer) -> None:
    upload_id, part_ids = sent(api, b"one")
    file = complete(api, upload_id, part_ids).json["file"]
    for refused in (
        complete(api, upload_id, part_ids),
        add(api, upload_id, b"x"),
        api.post(f"/uploads/{upload_id}/cancel"),
    ):
        assert refused.status == 400
        assert "is completed" in refused.error["message"]
    server.advance(2 * HOUR)
    assert content(api, file) == b"one"
    assert len(api.get("/files").json["data"]) == 1


@pytest.mark.parametrize("end", ["cancel", "complete"])
def test_a_part_that_is_on_its_way_when_the_upload_ends_is_refused_and_removed(tmp_path: Path, end: str) -> None:
    with LocalServer(db=tmp_path / "a.db") as server:
        api = Api(server.url)
        upload_id, part_ids = sent(api, b"one")
        data = form_of(bytes(3 * CHUNK))
        parts = urlsplit(server.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        connection.putrequest("POST", f"/v1/uploads/{upload_id}/parts")
        for name, value in {**FORM, "Authorization": "Bearer k", "Content-Length": str(len(data))}.items():
            connection.putheader(name, value)
        connection.endheaders(data[: 2 * CHUNK])
        assert api.post(f"/uploads/{upload_id}/{end}", {"part_ids": part_ids}).status == 200
        connection.send(data[2 * CHUNK :])
        refused = connection.getresponse()
        assert (refused.status, b"not pending" in refused.read()) == (400, True)
        connection.close()
    kept = int(end == "complete")
    assert rows_left(tmp_path / "a.db") == {"files": 2 * kept, "chunks": kept, "parts": kept}


def test_an_upload_goes_on_after_a_restart(tmp_path: Path) -> None:
    with LocalServer(db=tmp_path / "a.db") as server:
        upload_id, part_ids = sent(Api(server.url), bytes(CHUNK + 1), b"two")
    with LocalServer(db=tmp_path / "a.db") as server:
        api = Api(server.url)
        file = complete(api, upload_id, part_ids).json["file"]
        assert content(api, file) == bytes(CHUNK + 1) + b"two"
    with LocalServer(db=tmp_path / "a.db") as server:
        assert content(Api(server.url), file) == bytes(CHUNK + 1) + b"two"


def test_a_reset_forgets_uploads(api: Api, server: LocalServer) -> None:
    upload_id, part_ids = sent(api, b"one")
    server.reset()
    assert complete(api, upload_id, part_ids).status == 404
    assert sent(api, b"one")[0] == upload_id


# ------------------------------------------------------------------------------------------- what is refused

UNFIT: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "no bytes": ({"bytes": ...}, "bytes", "missing_required_parameter"),
    "no name": ({"filename": ...}, "filename", "missing_required_parameter"),
    "no type": ({"mime_type": ...}, "mime_type", "missing_required_parameter"),
    "no purpose": ({"purpose": ...}, "purpose", "missing_required_parameter"),
    "nothing": ({"bytes": 0}, "bytes", "integer_below_min_value"),
    "too much": ({"bytes": 8 * 2**30 + 1}, "bytes", "integer_above_max_value"),
    "text": ({"bytes": "6"}, "bytes", "invalid_type"),
    "true": ({"bytes": True}, "bytes", "invalid_type"),
    "unknown purpose": ({"purpose": "unheard-of"}, "purpose", "invalid_value"),
    "empty name": ({"filename": ""}, "filename", "string_below_min_length"),
    "expiry": ({"expires_after": 3600}, "expires_after", "invalid_type"),
    "anchor": ({"expires_after": {"anchor": "now", "seconds": 3600}}, "expires_after.anchor", "invalid_value"),
    "seconds": (
        {"expires_after": {"anchor": "created_at", "seconds": 3599}},
        "expires_after.seconds",
        "integer_below_min_value",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_upload_that_cannot_be_is_refused(api: Api, case: str) -> None:
    fields, param, code = UNFIT[case]
    refused = begin(api, 6, **fields)
    assert (refused.status, refused.error["param"], refused.error["code"]) == (400, param, code)
    assert refused.error["type"] == "invalid_request_error"


def test_the_largest_upload_may_be_created(api: Api) -> None:
    assert begin(api, 8 * 2**30).status == 200


def test_an_unknown_upload_is_not_found(api: Api) -> None:
    for refused in (
        add(api, "upload_x", b"x"),
        complete(api, "upload_x", []),
        api.post("/uploads/upload_x/cancel"),
    ):
        assert (refused.status, refused.error["param"]) == (404, "upload_id")
        assert "upload_x" in refused.error["message"]


COMPLETIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no list": ({}, "part_ids"),
    "null": ({"part_ids": None}, "part_ids"),
    "no array": ({"part_ids": "part_a"}, "part_ids"),
    "a number": ({"part_ids": [1]}, "part_ids[0]"),
    "unknown": ({"part_ids": ["part_x"]}, "part_ids[0]"),
    "empty": ({"part_ids": []}, "part_ids"),
    "md5 too short": ({"part_ids": [], "md5": "abc"}, "md5"),
    "md5 in base64": ({"part_ids": [], "md5": "x" * 32}, "md5"),
    "md5 a number": ({"part_ids": [], "md5": 5}, "md5"),
}


@pytest.mark.parametrize("case", COMPLETIONS)
def test_a_completion_that_cannot_be_is_refused_and_the_upload_goes_on(api: Api, case: str) -> None:
    body, param = COMPLETIONS[case]
    upload_id, part_ids = sent(api, b"one")
    refused = api.post(f"/uploads/{upload_id}/complete", body)
    assert (refused.status, refused.error["param"]) == (400, param)
    assert api.get("/files").json["data"] == []
    assert complete(api, upload_id, part_ids).status == 200


def test_parts_that_do_not_fit_are_refused_and_the_upload_goes_on(api: Api) -> None:
    _, (foreign,) = sent(api, b"two")
    upload_id = begin(api, 6).json["id"]
    one, two, three = (add(api, upload_id, part).json["id"] for part in (b"one", b"two", b"thre"))
    for part_ids, words in (
        ([one, foreign], f"has no part {foreign}"),
        ([one, one], "given twice"),
        ([one], "hold 3 bytes, but the upload was created for 6"),
        ([one, three], "hold 7 bytes"),
    ):
        refused = complete(api, upload_id, part_ids)
        assert refused.status == 400
        assert words in refused.error["message"]
    assert content(api, complete(api, upload_id, [one, two]).json["file"]) == b"onetwo"


def test_a_part_must_be_a_form_with_data_in_it(api: Api) -> None:
    upload_id, part_ids = sent(api, b"one")
    missing = add(api, upload_id, b"x", name="file")
    assert (missing.status, missing.error["param"]) == (400, "data")
    empty = add(api, upload_id, b"")
    assert (empty.status, empty.error["param"]) == (400, "data")
    assert api.post(f"/uploads/{upload_id}/parts", {"data": "x"}).status == 400
    assert complete(api, upload_id, part_ids).status == 200


def test_a_part_may_hold_64_mebibytes_and_no_more() -> None:
    with LocalServer(max_body=MIB) as server:  # that bounds a plain upload, not a part
        api = Api(server.url)
        upload_id = begin(api, 64 * MIB).json["id"]
        refused = add(api, upload_id, bytes(64 * MIB + 1))
        assert (refused.status, refused.error["code"]) == (413, "request_too_large")
        part_id = add(api, upload_id, bytes(64 * MIB)).json["id"]
        assert complete(api, upload_id, [part_id]).json["file"]["bytes"] == 64 * MIB


def test_the_operations_are_served_under_azures_path_too(server: LocalServer) -> None:
    azure = Api(server.url.removesuffix("/v1") + "/openai/v1")
    assert content(azure, whole(azure, b"one", b"two")) == b"onetwo"
