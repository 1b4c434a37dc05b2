"""Requests before they are sent, answers after they arrived: pure functions of strings and bytes."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest
from aiohttp import MultipartReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from fine_tuning_async import APIError, InvalidArgumentError, ResponseFormatError
from fine_tuning_async._headers import checked_headers
from fine_tuning_async._secret import Authorization, Secret
from fine_tuning_async._urls import base_url, origin, query_string, relative_path, segment
from fine_tuning_async._wire import Request, Response, decipher, redirect, retry_after
from fine_tuning_async.api._form import multipart

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "sk-made-up/key+0123456789"
SECRET = Secret(KEY)
NOW = 1_700_000_000.0


# -- URLs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("https://api.openai.com///", "https://api.openai.com"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("https://my.openai.azure.com/openai/v1/", "https://my.openai.azure.com/openai/v1"),
    ],
)
def test_a_base_url_ends_without_a_slash(text: str, url: str) -> None:
    assert base_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "api.openai.com/v1",
            "//api.openai.com",
            "/v1",
            "https://",
            "https:///v1",
            "file:///etc/passwd",
        ),
        *("ftp://a/b", "https://a b/", "https://a/\n", "https://a:port/", "https://a:99999/", "http://[::1/"),
        *("https://a/?", "https://a/#", "https://a/v1?x=1", "https://a/v1#x", "https://a/\ud800"),
        *(None, 5, b"https://a", ["https://a"]),
    ],
)
def test_what_is_no_base_url_is_refused(text: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="base_url"):
        base_url(text)


@pytest.mark.parametrize(
    "text", [f"https://u:{KEY}@a/v1", f"ftp://u:{KEY}@a", f"https://a/?key={KEY}", f"//u:{KEY}@a"]
)
def test_credentials_in_a_base_url_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        base_url(text)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("ftjob-abc", "ftjob-abc"),
        ("ft:gpt-4o:org:suffix:id:ckpt-step-10", "ft:gpt-4o:org:suffix:id:ckpt-step-10"),
        ("a%2Fb", "a%252Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("é", "%C3%A9"),
        ("...", "..."),
        ("a\\b", "a%5Cb"),
    ],
)
def test_an_identifier_is_quoted_as_one_segment(value: str, quoted: str) -> None:
    assert segment(value, "job_id") == quoted


@pytest.mark.parametrize(
    "value", ["", ".", "..", "a/b", "/", "../x", "a b", "a\nb", "\x00", "\x7f", "\ud800", "a\t"]
)
def test_what_cannot_be_an_identifier_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="job_id"):
        segment(value, "job_id")


@pytest.mark.parametrize("value", [None, 5, b"ftjob", ["ftjob"]])
def test_an_identifier_is_a_string(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="pass the object's `id`"):
        segment(value, "job_id")


def test_a_slash_is_quoted_where_models_have_one() -> None:
    assert segment("Qwen/Qwen3-4B", "model", slash=True) == "Qwen%2FQwen3-4B"
    assert segment("/models/a..b", "model", slash=True) == "%2Fmodels%2Fa..b"


@pytest.mark.parametrize("value", ["../a", "a/../b", "a/..", "./a", "..\\a", "/../", "a b/c", ""])
def test_a_slash_is_no_way_out_of_the_path(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="model is"):
        segment(value, "model", slash=True)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=20))
def test_a_segment_stays_one_segment_and_can_be_read_back(value: str) -> None:
    try:
        quoted = segment(value, "id", slash=True)
    except InvalidArgumentError:
        return
    assert unquote(quoted) == value
    assert urlsplit(f"https://a/b/{quoted}/c").path == f"/b/{quoted}/c"
    assert quoted.isascii()
    assert "/" not in quoted


@pytest.mark.parametrize(
    ("path", "checked"),
    [
        ("/fine_tuning/jobs", "/fine_tuning/jobs"),
        ("fine_tuning/jobs", "/fine_tuning/jobs"),
        ("", "/"),
        ("/models/ft%3Aa%2Fb", "/models/ft%3Aa%2Fb"),
        ("/models/é", "/models/%C3%A9"),
        ("/a/.../b", "/a/.../b"),
    ],
)
def test_a_path_is_put_behind_the_base_url(path: str, checked: str) -> None:
    assert relative_path(path) == checked


@pytest.mark.parametrize(
    "path",
    [
        *("https://evil/x", "//evil/x", "a://b", "/../x", "/a/../b", "/a/.", "..", "/%2e%2e/x", "/a/%2E%2E"),
        *("/a/..%2fb", "/%2e%2e%2fb", "/a%5c..%5cb", "/a?b=c", "/a#b", "/a b", "/a\nb", "/a\\b", "/\ud800"),
        *(None, 5, b"/a"),
    ],
)
def test_a_path_that_leaves_the_base_url_is_refused(path: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="path is"):
        relative_path(path)


def test_a_query_is_encoded_behind_the_path() -> None:
    query = {"metadata[a&b]": "c d=é", "metadata": "null", "after": "ftjob-1"}
    target = Request(method="GET", path="/x", query=query).target
    assert target.startswith("/x?")
    assert dict(parse_qsl(target[3:])) == query
    assert Request(method="GET", path="/x").target == "/x"
    assert str(Request(method="GET", path="/x", query=query)) == "GET /x"


encodable = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=50)
@given(st.dictionaries(encodable, encodable | st.integers()))
def test_a_query_is_written_as_the_standard_library_writes_it(query: dict[str, Any]) -> None:
    assert query_string(query) == urlencode(query)


# -- redirects ---------------------------------------------------------------------------------------------------


def moved(status: int, location: str | None) -> Response:
    return Response(status, CIMultiDict({} if location is None else {"location": location}), b"")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/v2/x", "https://a.example/v2/x"),
        ("y?b=c", "https://a.example/v1/y?b=c"),
        ("https://a.example:443/z", "https://a.example:443/z"),
        ("https://A.EXAMPLE/z", "https://A.EXAMPLE/z"),
        ("https://b.example/z", None),
        ("https://a.example:8443/z", None),
        ("http://a.example/z", None),
        ("//b.example/z", None),
        ("https://a.example.evil/z", None),
        ("https://a.example@evil/z", None),
        ("http://[", None),
        ("https://a.example:99999/", None),
        ("https://a.example:port/", None),
        ("javascript:alert(1)", None),
        (None, None),
    ],
)
def test_credentials_follow_a_redirect_within_one_origin_alone(
    status: int, location: str | None, target: str | None
) -> None:
    assert redirect("https://a.example/v1/x", "GET", moved(status, location)) == target


@pytest.mark.parametrize(
    ("status", "followed"), [(301, False), (302, False), (303, False), (307, True), (308, True)]
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_what_is_no_read_follows_only_where_the_method_stays(method: str, status: int, followed: bool) -> None:
    assert (redirect("https://a/x", method, moved(status, "/y")) is not None) is followed


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 306, 400, 500])
def test_other_statuses_lead_nowhere(status: int) -> None:
    assert redirect("https://a/x", "GET", moved(status, "/y")) is None


def test_an_origin_knows_the_default_ports() -> None:
    assert origin("https://a/x") == origin("https://a:443/y") != origin("http://a/x")
    assert origin("http://a/x") == origin("http://a:80/x")


# -- headers -----------------------------------------------------------------------------------------------------


def test_header_names_are_written_in_one_way() -> None:
    assert checked_headers({"x-Trace-ID": "a", "accept": "b\tc"}) == {"X-Trace-Id": "a", "Accept": "b\tc"}


@pytest.mark.parametrize(
    "headers",
    [
        *({"": "a"}, {"a b": "c"}, {"a:": "c"}, {"a\n": "c"}, {"é": "c"}, {"a": "b\r\nX: y"}, {"a": "b\n"}),
        *({"a": "b\x00"}, {"a": "b\r"}, {"a": 5}, {"a": None}, {5: "a"}, {"a": b"b"}, {"a\r\nb": "c"}),
    ],
)
def test_a_header_that_would_start_another_is_refused(headers: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="header"):
        checked_headers(headers)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": " 7 "}, 7),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"Retry-After-MS": "250", "Retry-After": "9"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "9"}, 9),
        ({"retry-after-ms": "-1", "Retry-After": "9"}, 9),
        ({"retry-after-ms": "nan", "Retry-After": "inf"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "Wed, 99 Foo 2023 25:61:61 GMT"}, None),
        ({"Retry-After": format_datetime(datetime.fromtimestamp(NOW + 42, UTC), usegmt=True)}, 42),
        ({"Retry-After": format_datetime(datetime.fromtimestamp(NOW - 42, UTC), usegmt=True)}, 0),
        ({"Retry-After": "Tue, 14-Nov-23 22:13:30 GMT"}, 10),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(CIMultiDict(headers), NOW) == seconds


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=30), st.text(max_size=30))
def test_no_wait_that_a_server_asks_for_is_negative_or_endless(text: str, milliseconds: str) -> None:
    asked = retry_after({"retry-after": text, "retry-after-ms": milliseconds}, NOW)
    assert asked is None or 0 <= asked < float("inf")


# -- secrets -----------------------------------------------------------------------------------------------------


def test_a_secret_shows_in_nothing_but_what_reveals_it() -> None:
    authorization = Authorization("Authorization", "Bearer ", SECRET)
    for text in (repr(SECRET), str(SECRET), f"{SECRET}", f"{SECRET!s:>40}", f"{[SECRET]}", repr(authorization)):
        assert KEY not in text
    assert SECRET.reveal() == KEY
    assert authorization.reveal() == f"Bearer {KEY}"
    with pytest.raises(TypeError):
        vars(SECRET)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="not pickled") as caught:
        pickle.dumps(Authorization("a", "b", SECRET), protocol)
    assert KEY not in str(caught.value)


def test_a_secret_is_not_copied() -> None:
    for duplicate in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            duplicate(SECRET)


def test_an_answer_does_not_show_its_body_in_a_log() -> None:
    assert "private" not in repr(Response(200, {}, b"private"))


@pytest.mark.parametrize(
    "way",
    [copy.copy, copy.deepcopy, lambda answer: pickle.loads(pickle.dumps(answer))],  # noqa: S301 - our own
)
def test_an_answer_is_copied_and_pickled_with_its_headers(way: Callable[[Response], Response]) -> None:
    headers = CIMultiDict([("X-Request-Id", "req_1"), ("Link", "a"), ("Link", "b")])
    twin = way(Response(200, CIMultiDictProxy(headers), b"[1]"))
    assert (twin.status, twin.body, twin.json(), twin.request_id) == (200, b"[1]", [1], "req_1")
    assert list(twin.headers.items()) == list(headers.items())
    assert twin.headers["x-request-id"] == "req_1"


def test_a_request_id_is_found_whoever_gives_it() -> None:
    assert Response(200, CIMultiDict({"X-Request-ID": "a", "apim-request-id": "b"}), b"").request_id == "a"
    assert Response(200, CIMultiDict({"APIM-Request-Id": "b"}), b"").request_id == "b"
    assert Response(200, {}, b"").request_id is None


def test_a_body_that_is_no_json_names_the_request() -> None:
    with pytest.raises(ResponseFormatError) as caught:
        Response(200, {"x-request-id": "req_1"}, b"<html>").json()
    assert caught.value.request_id == "req_1"
    assert "<html>" in str(caught.value)


# -- decipher ----------------------------------------------------------------------------------------------------


def error(status: int, body: bytes, headers: dict[str, str] | None = None) -> APIError:
    answer = Response(status, CIMultiDictProxy(CIMultiDict(headers or {})), body)
    deciphered = decipher(answer, "POST /fine_tuning/jobs", secret=SECRET, now=NOW)
    assert isinstance(deciphered, APIError)
    return deciphered


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_a_success_is_returned_as_it_is(status: int) -> None:
    answer = Response(status, {}, b"<not looked at>")
    assert decipher(answer, "GET /x", secret=SECRET, now=NOW) is answer


@pytest.mark.parametrize(
    "status", [100, 199, *range(300, 309), *range(400, 452), *range(500, 512), 520, 529, 599, 999]
)
def test_any_other_status_is_an_error_that_says_what_happened(status: int) -> None:
    failure = error(status, b'{"error":{"message":"It broke."}}', {"X-Request-Id": "req_8"})
    assert failure.status == status
    for text in ("POST /fine_tuning/jobs", str(status), "req_8", "It broke."):
        assert text in str(failure)
    assert failure.request_id == "req_8"
    assert failure.headers["x-request-id"] == "req_8"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            {"error": {"message": "No.", "type": "invalid_request_error", "param": "id", "code": "c"}},
            ("No.", "invalid_request_error", "id", "c"),
        ),
        ({"error": {"message": "No.", "type": None, "param": None, "code": None}}, ("No.", None, None, None)),
        ({"error": {"code": "429", "message": "Slow."}}, ("Slow.", None, None, "429")),
        ({"error": {"code": 404, "message": "No.", "param": "None"}}, ("No.", None, None, "404")),
        ({"error": {"message": "No.", "code": ""}}, ("No.", None, None, None)),
        ({"error": {"message": "No.", "code": []}}, ("No.", None, None, None)),
        ({"error": {"message": "A."}, "detail": {"message": "B."}}, ("A.", None, None, None)),
        ({"detail": {"message": "B.", "code": "c"}}, ("B.", None, None, "c")),
        ({"detail": "Not Found"}, ("Not Found", None, None, None)),
        ({"error": "bare"}, ("bare", None, None, None)),
        ({"error": None, "message": "Direct.", "code": 5}, ("Direct.", None, None, "5")),
        ({"statusCode": 401, "message": "Denied."}, ("Denied.", None, None, None)),
        ("bare", ("bare", None, None, None)),
        (
            {"detail": [{"loc": ["body"], "msg": "x"}]},
            ('{"detail": [{"loc": ["body"], "msg": "x"}]}', None, None, None),
        ),
        ([1], ("[1]", None, None, None)),
        (None, ("null", None, None, None)),
        (5, ("5", None, None, None)),
        ({}, ("{}", None, None, None)),
        ({"error": {}}, ('{"error": {}}', None, None, None)),
        ({"error": {"message": {"a": 1}}}, ('{"error": {"message": {"a": 1}}}', None, None, None)),
    ],
)
def test_every_envelope_is_read(document: object, expected: tuple[str | None, ...]) -> None:
    body = json.dumps(document).encode()
    failure = error(400, body)
    assert (failure.message, failure.type, failure.param, failure.code) == expected
    assert failure.body == body


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is empty"),
        (b" \r\n ", "the body is empty"),
        (b"Internal Server Error", "Internal Server Error"),
        (b"<html>\n <h1>502</h1>\n</html>", "<html> <h1>502</h1> </html>"),
        (b'{"error":', '{"error":'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b'\xef\xbb\xbf{"error":', '\ufeff{"error":'),
        (b"[" * 5_000, "[" * 300 + "..."),
        (b"x" * 70_000, "x" * 300 + "..."),
    ],
)
def test_a_body_that_is_no_json_is_quoted_in_part(body: bytes, message: str) -> None:
    failure = error(502, body)
    assert failure.message == message
    assert failure.code is None
    assert failure.body == body


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=60), st.integers(300, 599))
def test_no_body_breaks_deciphering(body: bytes, status: int) -> None:
    assert error(status, body).status == status


def test_a_wait_that_is_asked_for_is_in_the_error() -> None:
    assert error(429, b"{}", {"Retry-After": "7"}).retry_after == 7
    assert "it asks to wait 7 s" in str(error(429, b"{}", {"Retry-After": "7"}))
    assert "to wait" not in str(error(429, b"{}", {"Retry-After": "0"}))
    assert error(429, b"{}").retry_after is None


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "check the key"), (403, "permissions"), (404, "check the id"), (400, ": No")]
)
def test_an_error_says_what_to_do(status: int, advice: str) -> None:
    assert advice in str(error(status, b'{"error":{"message":"No"}}'))


def test_what_to_do_stands_behind_a_sentence_as_another_one() -> None:
    assert str(error(401, b'{"error":{"message":"No."}}')).endswith(": No. Check the key")
    assert str(error(401, b'{"error":{"message":"No"}}')).endswith(": No; check the key")


def test_a_redirect_that_is_not_followed_says_where_it_led() -> None:
    assert "https://b.example/v1" in str(error(307, b"", {"Location": "https://b.example/v1"}))
    assert "nowhere" in str(error(307, b""))


@pytest.mark.parametrize(
    "body",
    [
        f'{{"error":{{"message":"Incorrect API key provided: {KEY}.","code":"{KEY}","param":"{KEY}"}}}}',
        json.dumps({"error": {"message": f"key {KEY}", "type": KEY}}),
        json.dumps({"error": f"key {KEY}"}).replace("/", "\\/"),
        json.dumps({"error": f"key {KEY}"}).replace("-", "\\u002d"),
        json.dumps({"detail": {"message": KEY}}).replace("+", "\\u002B"),
        f"<html>{KEY}</html>",
    ],
)
def test_a_key_that_the_server_echoes_is_not_in_the_error(body: str) -> None:
    headers = {"X-Echo": f"Bearer {KEY}", "Location": f"https://b/?key={KEY}", "x-request-id": KEY}
    for status in (307, 401):
        failure = error(status, body.encode(), headers)
        held = [str(failure), repr(failure), *map(str, failure.args), str(vars(failure) | {"body": None})]
        assert not [text for text in held if KEY in text]
        assert KEY.encode() not in failure.body
        assert failure.headers["x-echo"] == "Bearer [redacted]"


def test_headers_that_are_no_utf8_do_not_break_an_error() -> None:
    latin = b"caf\xe9".decode("utf-8", "surrogateescape")
    failure = error(500, b"", {"X-Note": latin, "X-Request-Id": latin})
    assert failure.headers["x-note"] == latin
    assert failure.request_id == latin


# -- multipart ---------------------------------------------------------------------------------------------------

FIELDS = [("purpose", "fine-tune"), ("expires_after[anchor]", "created_at"), ("note", "a\r\nb é")]


@pytest.mark.parametrize(
    ("filename", "arrives"),
    [
        ("train.jsonl", "train.jsonl"),
        ("two words; a=b.jsonl", "two words; a=b.jsonl"),
        ('say "hi".jsonl', "say %22hi%22.jsonl"),
        ("a\r\nX-Evil: 1\r\n\r\nb", "a%0D%0AX-Evil: 1%0D%0A%0D%0Ab"),
        ("données-训练.jsonl", "données-训练.jsonl"),
        ("\udcff.jsonl", "?.jsonl"),
    ],
)
async def test_a_form_can_be_read_by_another_parser(filename: str, arrives: str) -> None:
    content = b"\x00\xff\r\n--not-the-boundary\r\n{}"
    content_type, head, tail = multipart(FIELDS, filename, "0123456789abcdef")
    body = head + content + tail
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    assert len(list(message.iter_parts())) == len(FIELDS) + 1
    assert not [name for part in message.iter_parts() for name in part if name == "X-Evil"]

    loop = asyncio.get_running_loop()
    stream = StreamReader(BaseProtocol(loop=loop), 2**16, loop=loop)
    stream.feed_data(body)
    stream.feed_eof()
    reader = MultipartReader({"Content-Type": content_type}, stream)
    read: list[tuple[str | None, str | None, bytes]] = []
    while (part := await reader.next()) is not None:
        assert not isinstance(part, MultipartReader)
        assert set(part.headers) <= {"Content-Disposition", "Content-Type"}
        read.append((part.name, part.filename, await part.read()))
    assert read[:-1] == [(name, None, value.encode()) for name, value in FIELDS]
    assert read[-1] == ("file", arrives, content)
