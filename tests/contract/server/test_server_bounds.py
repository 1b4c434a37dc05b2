"""What is too large is refused before it is read, and no name in a request is one of a file."""

from __future__ import annotations

import gzip
import json
import select
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import Api
from tests.contract.server.raw_http import connected, exchange, post, reading, request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = 300_000  # of a file, above the size of a chunk row
JSON = "Content-Type: application/json"
FORM = "Content-Type: multipart/form-data; boundary=b"
CHUNKED = "Transfer-Encoding: chunked"
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
PURPOSE = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
EXPIRY = (
    b'--b\r\nContent-Disposition: form-data; name="expires_after"\r\n\r\n'
    + b" " * 4000
    + b'{"anchor": "created_at", "seconds": 3600}\r\n'
)
OTHER = b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n' + b"x" * 4000 + b"\r\n"
END = b"\r\n--b--\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(max_body=MOST) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/files", FORM),
        ("/v1/fine_tuning/jobs", JSON),
        ("/v1/fine_tuning/alpha/graders/run", JSON),
        ("/v1/uploads", JSON),
        ("/_local/advance", JSON),
    ],
)
def test_a_length_that_is_too_large_is_refused_before_a_byte_of_it_is_sent(
    server: LocalServer, path: str, kind: str
) -> None:
    with connected(server.url) as connection:
        connection.sendall(request(f"POST {path}", kind, f"Content-Length: {10**10}"))
        reply = reading(connection)
    assert (reply.statuses, reply.error["code"]) == ([413], "request_too_large")
    assert reply.error["type"] == "invalid_request_error"


def test_an_unknown_path_is_a_404_before_a_byte_of_the_body_is_sent(server: LocalServer) -> None:
    with connected(server.url) as connection:
        connection.sendall(request("POST /v1/nothing", JSON, f"Content-Length: {10**10}"))
        assert reading(connection).statuses == [404]


def test_a_body_that_has_become_too_large_is_refused_without_reading_on(server: LocalServer) -> None:
    with connected(server.url) as connection:
        connection.sendall(request("POST /v1/fine_tuning/jobs", JSON, CHUNKED))
        connection.sendall(f"{MOST + 200_000:x}\r\n".encode() + b" " * (MOST + 200_000) + b"\r\n")
        assert reading(connection).statuses == [413]


def test_a_part_that_is_too_large_is_refused_before_a_byte_of_it_is_sent(server: LocalServer) -> None:
    body = {"bytes": 10, "filename": "x", "mime_type": "text/jsonl", "purpose": "fine-tune"}
    upload = Api(server.url).post("/uploads", body).json["id"]
    with connected(server.url) as connection:
        connection.sendall(request(f"POST /v1/uploads/{upload}/parts", FORM, f"Content-Length: {100 << 20}"))
        reply = reading(connection)
    assert (reply.statuses, reply.error["code"]) == ([413], "request_too_large")


ENDLESS = {
    "JSON": ("/v1/fine_tuning/jobs", JSON, b'{"model": "', b"a" * 60_000),
    "file": ("/v1/files", FORM, PURPOSE + FILE, b"a" * 60_000),
    "preamble": ("/v1/files", FORM, b"", b"no boundary\r\n" * 5000),
    "boundaries": ("/v1/files", FORM, PURPOSE, b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'),
    "field": ("/v1/files", FORM, b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n', b"a" * 60_000),
    "nameless part": ("/v1/files", FORM, PURPOSE + b"--b\r\n\r\n", b"a" * 60_000),
    "header of a part": ("/v1/files", FORM, b"--b\r\nX: ", b"a" * 60_000),
    "headers of a part": ("/v1/files", FORM, b"--b\r\n", b"X: y\r\n" * 5000),
}


@pytest.mark.parametrize(("path", "kind", "begin", "more"), ENDLESS.values(), ids=ENDLESS.keys())
def test_a_body_without_end_is_refused(
    server: LocalServer, path: str, kind: str, begin: bytes, more: bytes
) -> None:
    chunk, sent, received = f"{len(more):x}\r\n".encode() + more + b"\r\n", 0, b""
    with connected(server.url) as connection:
        connection.sendall(request(f"POST {path}", kind, CHUNKED))
        connection.sendall(f"{len(begin):x}\r\n".encode() + begin + b"\r\n" if begin else b"")
        while not received and sent < 64 << 20:
            # Its answer may come with a reset, as it does not read what is sent on.
            with suppress(ConnectionError):
                connection.sendall(chunk)
            sent += len(chunk)
            if select.select([connection], [], [], 0)[0]:
                received = connection.recv(65536)
    assert received.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))
    assert b'"invalid_request_error"' in received
    assert Api(server.url).get("/files").json["data"] == []


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_what_unpacks_to_too_much_is_refused(server: LocalServer, coding: str) -> None:
    content = PURPOSE + FILE + b"a" * MOST * 100 + END
    body = gzip.compress(content, 1) if coding == "gzip" else content[: len(content) // 50] + END
    reply = exchange(server.url, post("/v1/files", body, FORM, f"Content-Encoding: {coding}"))
    assert (reply.statuses, reply.error["code"]) == ([413], "request_too_large")
    bomb = gzip.compress(b" " * (64 << 20), 1)
    reply = exchange(server.url, post("/v1/fine_tuning/jobs", bomb, JSON, "Content-Encoding: gzip"))
    assert (reply.statuses, reply.error["code"]) == ([413], "request_too_large")


def test_a_file_of_the_largest_size_is_taken_with_all_its_fields(server: LocalServer) -> None:
    unknown = PURPOSE + b"".join(OTHER % n for n in range(10)) + FILE + b"a" * MOST + END
    reply = exchange(server.url, post("/v1/files", unknown, FORM))
    assert (reply.statuses, reply.error["param"]) == ([400], "0"), "it was read to its end, not found too large"
    body = PURPOSE + EXPIRY + FILE + b"a" * MOST + END
    reply = exchange(server.url, post("/v1/files", body, FORM))
    assert reply.statuses == [200]
    file = json.loads(reply.last)
    assert file["bytes"] == MOST
    Api(server.url).call("DELETE", f"/files/{file['id']}")


def test_no_name_in_a_request_reaches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "secret").write_text("secret")
    monkeypatch.chdir(tmp_path / "here")
    with LocalServer() as server:
        api = Api(server.url)
        for name in ("../written", str(tmp_path / "written"), "written", "..%2fwritten"):
            made = api.upload(b"x", filename=name).json
            body = {"bytes": 1, "filename": name, "mime_type": "text/jsonl", "purpose": "fine-tune"}
            api.post("/uploads", body)
            assert api.get(f"/files/{made['id']}/content").body == b"x"
        for name in ("..%2fsecret", "%2e%2e%2fsecret", str(tmp_path / "secret").replace("/", "%2f")):
            for path in (
                f"/files/{name}",
                f"/files/{name}/content",
                f"/models/{name}",
                f"/fine_tuning/jobs/{name}",
            ):
                assert api.get(path).status == 404
    assert [each.name for each in tmp_path.rglob("*")] == ["here", "secret"]
