"""Files over HTTP: upload, lists, download."""

from __future__ import annotations

import random
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import BOUNDARY, Api

if TYPE_CHECKING:
    from pathlib import Path

FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
CHUNK = 256 * 1024


def test_a_file_has_the_recorded_shape(api: Api) -> None:
    answer = api.upload(b"hello")
    assert answer.status == 200
    file = answer.json
    assert list(file) == [
        *("object", "id", "purpose", "filename", "bytes", "created_at", "expires_at", "status", "status_details")
    ]
    assert (file["bytes"], file["filename"], file["expires_at"]) == (5, "t.jsonl", None)
    assert api.get(f"/files/{file['id']}").json == file


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_content_comes_back_byte_for_byte(api: Api, size: int) -> None:
    content = random.Random(size).randbytes(size)
    file = api.upload(content, file_first=bool(size % 2)).json
    got = api.get(f"/files/{file['id']}/content")
    assert got.body == content
    assert got.headers["content-length"] == str(size)


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=5-", slice(5, None)),
        ("bytes=-5", slice(-5, None)),
        (f"bytes={CHUNK - 2}-{CHUNK + 2}", slice(CHUNK - 2, CHUNK + 3)),
        (f"bytes={CHUNK}-{10 * CHUNK}", slice(CHUNK, None)),
    ],
)
def test_a_range_of_the_content_can_be_asked_for(api: Api, header: str, span: slice) -> None:
    content = random.Random(1).randbytes(2 * CHUNK)
    file = api.upload(content).json
    got = api.get(f"/files/{file['id']}/content", Range=header)
    assert (got.status, got.body) == (206, content[span])
    start = range(len(content))[span][0]
    assert got.headers["content-range"] == f"bytes {start}-{start + len(got.body) - 1}/{len(content)}"


def test_a_range_beyond_the_end_is_refused(api: Api) -> None:
    file = api.upload(b"12345").json
    refused = api.get(f"/files/{file['id']}/content", Range="bytes=5-")
    assert (refused.status, refused.headers["content-range"]) == (416, "bytes */5")
    assert refused.error["param"] == "Range"
    assert api.get(f"/files/{file['id']}/content", Range="nonsense").body == b"12345"


def test_a_range_is_given_only_of_the_content_that_the_tag_stands_for(api: Api, server: LocalServer) -> None:
    path = f"/files/{api.upload(b'12345').json['id']}/content"
    whole = api.get(path)
    tag = whole.headers["etag"]
    assert (tag[0], tag[-1], whole.headers["accept-ranges"]) == ('"', '"', "bytes")

    def rest(if_range: str, first: int = 2) -> tuple[int, bytes]:
        got = api.get(path, **{"Range": f"bytes={first}-", "If-Range": if_range})
        assert got.status != 206 or got.headers["etag"] == tag
        return got.status, got.body

    assert rest(tag) == (206, b"345")
    for other in ('"another"', f"W/{tag}", "Thu, 01 Jan 2026 00:00:00 GMT"):
        assert rest(other) == (200, b"12345")
        assert rest(other, 9) == (200, b"12345")
    assert rest(tag, 9)[0] == 416
    assert api.get(f"/files/{api.upload(b'12345').json['id']}/content").headers["etag"] != tag

    server.reset()
    path = f"/files/{api.upload(b'54321').json['id']}/content"
    assert rest(tag) == (200, b"54321"), "the same id, and another content"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"purpose": "nonsense"}, "purpose"),
        ({"purpose": "fine-tune", "expires_after[anchor]": "created_at"}, "expires_after.seconds"),
        (
            {"purpose": "fine-tune", "expires_after[anchor]": "created_at", "expires_after[seconds]": "12"},
            "expires_after.seconds",
        ),
        (
            {"purpose": "fine-tune", "expires_after[anchor]": "now", "expires_after[seconds]": "3600"},
            "expires_after.anchor",
        ),
        ({"purpose": "x" * 5000}, "purpose"),
    ],
)
def test_a_bad_field_is_refused(api: Api, fields: dict[str, Any], param: str) -> None:
    answer = api.upload(b"x", **fields)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert api.get("/files").json["data"] == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        f"--{BOUNDARY}\r\n".encode(),
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'.encode(),
        f"--{BOUNDARY}--\r\n".encode(),
        f"--{BOUNDARY}\r\nNo-Colon\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode(),
        f"--{BOUNDARY}\r\nX: {'x' * 20000}\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode(),
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"\r\nContent-Length: x\r\n\r\n'.encode(),
        f"--{BOUNDARY}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n--{BOUNDARY}--".encode(),
        f"--{BOUNDARY}\r\nContent-Type: multipart/mixed\r\n\r\n--b--\r\n--{BOUNDARY}--".encode(),
    ],
)
def test_a_broken_form_is_a_400_that_leaves_nothing(api: Api, content: bytes) -> None:
    answer = api.call("POST", "/files", content, FORM)
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert api.get("/files").json["data"] == []


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/mixed; boundary=b", ""])
def test_an_upload_that_is_no_form_is_a_400(api: Api, kind: str) -> None:
    assert api.call("POST", "/files", b"{}", {"Content-Type": kind}).status == 400


@pytest.mark.parametrize("size", [1001, 100_000, 500_000])
def test_a_file_over_the_limit_is_a_413(size: int) -> None:
    with LocalServer(max_body=1000) as server:
        api = Api(server.url)
        answer = api.upload(b"x" * size)
        assert (answer.status, answer.error["type"]) == (413, "invalid_request_error")
        assert api.upload(b"x" * 1000).status == 200
        assert len(api.get("/files").json["data"]) == 1


def test_files_are_listed_by_purpose_in_either_order(api: Api) -> None:
    ids = [api.upload(b"x", purpose=purpose).json["id"] for purpose in ("batch", "fine-tune", "batch")]

    def listed(query: str) -> list[str]:
        return [file["id"] for file in api.get(f"/files?{query}").json["data"]]

    assert listed("") == ids[::-1]
    assert listed("order=asc") == ids
    assert listed("purpose=batch") == [ids[2], ids[0]]
    assert listed(f"after={ids[0]}&order=asc&limit=1") == [ids[1]]
    assert listed(f"after={ids[2]}") == [ids[1], ids[0]]
    page = api.get("/files?limit=2").json
    assert (page["has_more"], page["first_id"], page["last_id"]) == (True, ids[2], ids[1])
    for query in ("order=up", "limit=0", "limit=10001", "after=file-none"):
        assert api.get(f"/files?{query}").status == 400
    assert api.get("/files?limit=10000").status == 200


def test_an_unknown_file_is_a_404_in_the_apis_words(api: Api) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
        answer = api.call(method, f"/files/fake_id{path}")
        assert (answer.status, answer.error["message"]) == (404, "No such File object: fake_id")
        assert answer.error["param"] == "id"


def test_a_file_expires_when_its_time_is_over(api: Api, server: LocalServer) -> None:
    life: dict[str, Any] = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = api.upload(b"x", **life).json
    assert file["expires_at"] == file["created_at"] + 3600
    server.advance(3599)
    assert api.get(f"/files/{file['id']}").status == 200
    server.advance(1)
    assert api.get(f"/files/{file['id']}").status == 404


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'.encode()
    with LocalServer(db=path) as server:
        parts = urlsplit(server.url)
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            start = (
                f"POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nContent-Length: {9 * CHUNK}\r\n"
            )
            kind = f"Content-Type: {FORM['Content-Type']}\r\n\r\n"
            connection.sendall((start + kind).encode() + head + b"x" * 3 * CHUNK)
        assert Api(server.url).get("/files").json["data"] == []
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM chunks").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM files").fetchone() == (0,)
