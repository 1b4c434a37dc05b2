"""Odd and hostile HTTP: the API's envelope, nothing in the log, and the server goes on."""

from __future__ import annotations

import gzip
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fine_tuning_async.server import LocalServer
from tests.contract.server.http_api import Api
from tests.contract.server.raw_http import HEAD, connected, exchange, post, reading, request

if TYPE_CHECKING:
    from collections.abc import Iterator

JOBS = "/v1/fine_tuning/jobs"
CHUNKED = "Transfer-Encoding: chunked"
FORM = "Content-Type: multipart/form-data; boundary=b"
PURPOSE = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
END = b"\r\n--b--\r\n"


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


@pytest.fixture
def url(shared: LocalServer, caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """A server that must have nothing to log and no 5xx to answer, and still answer at the end."""
    caplog.set_level(logging.INFO)
    yield shared.url
    assert Api(shared.url).get("/models").status == 200
    assert [record.getMessage() for record in caplog.get_records("call")] == []
    assert [record for record in shared.requests if record.status >= 500] == []


def job(text: bytes, *headers: str) -> bytes:
    return post(JOBS, text, "Content-Type: application/json", *headers)


def part(disposition: bytes, content: bytes = b"x", more: bytes = b"") -> bytes:
    return b"--b\r\nContent-Disposition: " + disposition + b"\r\n" + more + b"\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return post("/v1/files", b"".join(parts) + b"--b--\r\n", FORM)


FILE = b'form-data; name="file"; filename="a.jsonl"'

NOT_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "words": b"hello\r\n\r\n",
    "HTTP 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP 3.7": b"GET / HTTP/3.7\r\n\r\n",
    "no host": b"GET /v1/models HTTP/1.1\r\n\r\n",
    "two hosts": request("GET /v1/models", "Host: y"),
    "bare line feeds": request("GET /v1/models").replace(b"\r\n", b"\n"),
    "unknown method": request("FOO /v1/models"),
    "method of lower case": request("get /v1/models"),
    "endless method": b"A" * 9000,
    "bad bracket in the URL": request("GET http://[::1/v1/models"),
    "bad port in the URL": request("GET http://x:99999999/v1/models"),
    "backslashes": request("GET \\v1\\models"),
    "bytes in the URL": request("GET /v1/files/\xe9"),
    "space in the URL": request("GET /v1/files/a b"),
    "long URL": request(f"GET /v1/models?{'a' * 9000}"),
    "long header": request("GET /v1/models", f"X: {'a' * 9000}"),
    "many headers": request("GET /v1/models", *[f"X-{n}: 1" for n in range(500)]),
    "header without a colon": request("GET /v1/models", "nothing"),
    "folded header": request("GET /v1/models", "X: a", " b"),
    "NUL in a header": request("GET /v1/models", "X: a\0b"),
    "nameless header": request("GET /v1/models", ": x"),
    "negative length": request(f"POST {JOBS}", "Content-Length: -5"),
    "worded length": request(f"POST {JOBS}", "Content-Length: five"),
    "two lengths": request(f"POST {JOBS}", "Content-Length: 2", "Content-Length: 3", body=b"{}"),
    "astronomic length": request(f"POST {JOBS}", f"Content-Length: {'9' * 25}", body=b"{}"),
    "length and chunks": request(f"POST {JOBS}", "Content-Length: 2", CHUNKED, body=b"0\r\n\r\n"),
    "unknown transfer coding": request(f"POST {JOBS}", "Transfer-Encoding: foo", body=b"{}"),
    "bad chunk size": request(f"POST {JOBS}", CHUNKED, body=b"zz\r\nab\r\n"),
    "bad chunk end": request(f"POST {JOBS}", CHUNKED, body=b"2\r\n{}\r\nXX\r\n\r\n"),
    "astronomic chunk": request(f"POST {JOBS}", CHUNKED, body=b"f" * 30 + b"\r\n"),
    "rubbish behind a request": request("GET /v1/models", close=False) + b"rubbish rubbish\r\n\r\n",
}


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP.keys())
def test_what_is_not_http_gets_a_400_in_the_envelope(url: str, data: bytes) -> None:
    reply = exchange(url, data)
    assert reply.statuses[-1] == 400
    assert reply.error["type"] == "invalid_request_error"
    assert reply.error["message"].startswith("We could not read your request as HTTP: ")


def test_what_is_not_http_is_not_repeated(url: str) -> None:
    for key in (b"sk-very-secret\0", b"sk-very-secret" * 650):
        reply = exchange(url, b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key + b"\r\n\r\n")
        assert reply.statuses == [400]
        assert b"secret" not in reply.last


@pytest.mark.parametrize("path", ["/v1/models", "/v1/nothing"])
def test_an_unknown_expectation_is_a_417_in_the_envelope(path: str, url: str) -> None:
    reply = exchange(url, post(path, b"{}", "Expect: magic"))
    assert (reply.statuses, reply.error["type"]) == ([417], "invalid_request_error")


BAD_JSON = {
    "nothing": b"",
    "not a number": b'{"seed": NaN}',
    "infinity": b'{"seed": 1e999}',
    "thousands of digits": b'{"seed": ' + b"9" * 5000 + b"}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "bad UTF-8": b'{"model": "\xff"}',
    "lone surrogate": b'{"model": "\\ud800"}',
    "NUL in a string": b'{"model": "gpt-4o-mini", "training_file": "a\\u0000b"}',
    "key twice": b'{"model": "gpt-4o-mini", "model": "no-such"}',
    "deep objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "deep arrays": b"[" * 100_000 + b"]" * 100_000,
    "deep metadata": b'{"model": "gpt-4o", "training_file": "x", "metadata": '
    + b'{"a":' * 200
    + b"1"
    + b"}" * 201,
    "array": b"[1]",
    "string": b'"x"',
    "two values": b"{}{}",
    "unfinished": b'{"model": "',
    "control character": b'{"model": "\n"}',
}


@pytest.mark.parametrize("text", BAD_JSON.values(), ids=BAD_JSON.keys())
@pytest.mark.parametrize(
    "path", [JOBS, "/v1/uploads", "/v1/fine_tuning/alpha/graders/run", "/_local/faults", "/_local/advance"]
)
def test_bad_json_is_a_400(url: str, path: str, text: bytes) -> None:
    if path == "/_local/advance" and not text:
        return  # where nothing is as good as an empty object
    reply = exchange(url, post(path, text, "Content-Type: application/json"))
    assert reply.statuses == [400]
    assert reply.error["message"]


def test_a_body_may_bear_any_type_but_that_of_an_upload(url: str) -> None:
    for kind in ("text/plain; charset=utf-16", ";;;==\xff", "application/json; charset=klingon", "multipart/x"):
        reply = exchange(url, post(JOBS, b"{}", f"Content-Type: {kind}"))
        assert (reply.statuses, reply.error["param"]) == ([400], "model")
    assert exchange(url, post("/v1/files", b"{}", "Content-Type: application/json")).statuses == [400]


BAD_CODINGS = {
    "not gzip": ("gzip", b"{}"),
    "half gzip": ("gzip", gzip.compress(b'{"a": 1}' * 100)[:-12]),
    "Brotli": ("br", b"{}"),
    "unknown": ("foo", b"{}"),
    "rubbish": (";;=\xff", b"{}"),
}


@pytest.mark.parametrize(("coding", "body"), BAD_CODINGS.values(), ids=BAD_CODINGS.keys())
def test_a_body_in_a_bad_coding_is_a_400(url: str, coding: str, body: bytes) -> None:
    reply = exchange(url, job(body, f"Content-Encoding: {coding}"))
    assert (reply.statuses, reply.error["type"]) == ([400], "invalid_request_error")


BAD_FORMS = {
    "no boundary": post("/v1/files", b"xx", "Content-Type: multipart/form-data"),
    "empty boundary": post("/v1/files", b"xx", "Content-Type: multipart/form-data; boundary="),
    "long boundary": post("/v1/files", b"xx", f"Content-Type: multipart/form-data; boundary={'a' * 300}"),
    "nothing": post("/v1/files", b"", FORM),
    "rubbish": post("/v1/files", b"rubbish", FORM),
    "no end": post("/v1/files", b"--b\r\n", FORM),
    "no parts": form(),
    "no names": form(b"--b\r\n\r\nabc\r\n"),
    "bad header": form(b"--b\r\nnothing\r\n\r\nabc\r\n"),
    "bad disposition": form(part(b";;;=\xff")),
    "disposition of another kind": form(part(b"attachment")),
    "many headers": form(part(FILE, more=b"X: y\r\n" * 2000)),
    "long header": form(part(FILE, more=b"X: " + b"y" * 200_000 + b"\r\n")),
    "form in the form": form(part(FILE, more=b"Content-Type: multipart/mixed; boundary=c\r\n"), PURPOSE),
    "bad length": form(part(FILE, more=b"Content-Length: abc\r\n")),
    "too great a length": form(part(FILE, more=b"Content-Length: 999\r\n")),
    "no purpose": form(part(FILE)),
    "purpose of bytes": form(part(b'form-data; name="purpose"', b"\xff\xfe"), part(FILE)),
    "a thousand parts": form(PURPOSE, part(FILE), *[part(b'form-data; name="x"')] * 1000),
    "long field": form(part(b'form-data; name="purpose"', b"a" * 100_000)),
    "long nameless part": form(PURPOSE, part(FILE), part(b"form-data", b"a" * 100_000)),
    "file twice": form(PURPOSE, part(FILE), part(FILE, b"a" * 100_000)),
}


@pytest.mark.parametrize("data", BAD_FORMS.values(), ids=BAD_FORMS.keys())
def test_a_bad_form_is_a_400_and_leaves_no_file(url: str, data: bytes) -> None:
    reply = exchange(url, data)
    assert (reply.statuses, reply.error["type"]) == ([400], "invalid_request_error")
    assert Api(url).get("/files").json["data"] == []


FILENAMES = {
    b'form-data; name="file"; filename="a;b;c.jsonl"': "a;b;c.jsonl",
    b'form-data; name="file"; filename="../../etc/passwd"': "../../etc/passwd",
    b'form-data; name="file"; filename="/etc/passwd"': "/etc/passwd",
    b'form-data; name="file"; filename="\xff\xfe"': "\ufffd\ufffd",
    b'form-data; name="file"; filename="\xc3\xa9"': "é",
    b"form-data; name=\"file\"; filename*=UTF-8''%c3%a9": "é",
    b'form-data; name=file; filename="x"; filename="y"': "x",
    b'form-data; name="file";': "file",
    b'form-data; name="file"; filename=""': "file",
}


@pytest.mark.parametrize(("disposition", "name"), FILENAMES.items())
def test_a_file_name_is_kept_whatever_it_is(url: str, disposition: bytes, name: str) -> None:
    reply = exchange(url, form(PURPOSE, part(disposition)))
    assert reply.statuses == [200]
    assert json.loads(reply.last)["filename"] == name
    assert Api(url).call("DELETE", f"/files/{json.loads(reply.last)['id']}").status == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(disposition=st.binary(max_size=60).map(lambda raw: raw.translate(None, b"\r\n\0")))
def test_no_disposition_is_ever_a_500(url: str, disposition: bytes) -> None:
    reply = exchange(url, form(part(b"form-data; name=" + disposition), part(FILE)))
    assert reply.statuses == [400]


ODD = {
    "HEAD": (request("HEAD /v1/models"), 200),
    "HEAD of nothing": (request("HEAD /v1/nothing"), 404),
    "OPTIONS": (request("OPTIONS /v1/models"), 405),
    "OPTIONS of all": (request("OPTIONS *"), 404),
    "CONNECT": (request("CONNECT example.com:443"), 404),
    "TRACE": (request("TRACE /v1/models"), 405),
    "PUT": (request("PUT /v1/files"), 405),
    "HTTP 1.0": (b"GET /v1/models HTTP/1.0\r\n" + HEAD + b"\r\n", 200),
    "whole URL": (request("GET http://elsewhere/v1/models"), 200),
    "two slashes": (request("GET //v1/models"), 404),
    "empty lines first": (b"\r\n\r\n" + request("GET /v1/models"), 200),
    "out of the path": (request("GET /v1/files/../../../etc/passwd"), 404),
    "quoted out of the path": (request("GET /v1/files/..%2f..%2f..%2fetc%2fpasswd/content"), 404),
    "NUL in the path": (request("GET /v1/files/%00"), 404),
    "unknown path of the tests": (request("POST /_local/nothing"), 404),
    "a look at a server of another name": (request("GET /_local/nothing"), 403),
    "bad escape": (request("GET /v1/models/%zz"), 404),
    "huge query": (request(f"GET /v1/files?{'&'.join(f'a{n}=' for n in range(900))}"), 200),
    "odd query": (request("GET /v1/files?&&&=&=%&%%%"), 200),
    "huge number": (request(f"GET /v1/files?limit={'9' * 1000}"), 400),
    "odd headers": (request("GET /v1/models", "Cookie: \xff=;;", "Accept: \xff", "If-None-Match: *"), 200),
    "odd range": (request("GET /v1/files/x/content", "Range: bytes=abc"), 404),
    "key of bytes": (request("GET /v1/models").replace(b"Bearer k", b"Bearer \xff\xfe"), 200),
    "long chunk extension": (
        request(f"POST {JOBS}", CHUNKED, body=b"2;" + b"a" * 9000 + b"\r\n{}\r\n0\r\n\r\n"),
        400,
    ),
    "trailers": (request(f"POST {JOBS}", CHUNKED, body=b"2\r\n{}\r\n0\r\nX: y\r\n\r\n"), 400),
}


@pytest.mark.parametrize(("data", "status"), ODD.values(), ids=ODD.keys())
def test_what_is_odd_is_answered_in_the_apis_shapes(url: str, data: bytes, status: int) -> None:
    reply = exchange(url, data)
    assert reply.statuses == [status]
    if status >= 400 and not data.startswith(b"HEAD"):
        assert reply.error["message"]
    elif not data.startswith(b"HEAD"):
        assert json.loads(reply.last)["object"] == "list"


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
def test_an_upgrade_is_declined(url: str, upgrade: str) -> None:
    headers = f"Upgrade: {upgrade}", "Connection: Upgrade"
    with connected(url) as connection:
        for data in (
            request("GET /v1/models/a", *headers, close=False),
            request(f"POST {JOBS}", *headers, "Content-Length: 2", body=b"{}", close=False),
            request("GET /v1/models/a"),
        ):
            connection.sendall(data)
            assert reading(connection).statuses in ([404], [400])


@pytest.mark.parametrize(
    "data",
    [b"", b"GET /v1/mod", job(b'{"a": 1}')[:-3], form(PURPOSE, part(FILE))[:-9]],
    ids=["nothing", "half a header", "half a body", "half an upload"],
)
@pytest.mark.parametrize("half", [True, False])
def test_who_leaves_in_the_middle_leaves_nothing(url: str, data: bytes, half: bool) -> None:
    if half:
        assert exchange(url, data, half=True).statuses in ([], [400])
    else:
        with connected(url) as connection:
            connection.sendall(data)
    assert Api(url).get("/files").json["data"] == []


def test_who_leaves_a_download_leaves_nothing(url: str) -> None:
    api = Api(url)
    file_id = api.upload(bytes(4 << 20), purpose="batch").json["id"]
    for _ in range(5):
        with connected(url) as connection:
            connection.sendall(request(f"GET /v1/files/{file_id}/content"))
            connection.recv(1)
    with connected(url) as connection:
        connection.sendall(request(f"GET /v1/files/{file_id}/content"))
        connection.recv(1)
        assert api.call("DELETE", f"/files/{file_id}").status == 200
        while connection.recv(1 << 20):
            """It ends before its time."""


def test_requests_behind_each_other_are_answered_in_their_order(url: str) -> None:
    data = b"".join(request(f"GET /v1/models/m{n}", close=False) for n in range(100)) + request("GET /v1/models")
    assert exchange(url, data).statuses == [404] * 100 + [200]


def test_the_same_at_once_from_many_makes_one_job(url: str) -> None:
    api = Api(url)
    file_id = api.training_file()

    def create(_: int) -> str:
        body = {"model": "gpt-4o-mini", "training_file": file_id}
        return str(api.post("/fine_tuning/jobs", body, Idempotency_Key="of all").json["id"])

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(create, range(64)))) == 1
    assert api.call("DELETE", f"/files/{file_id}").status == 200
