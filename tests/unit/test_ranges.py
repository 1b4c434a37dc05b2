"""What an answer holds of a file, and where a download may be redirected."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from fine_tuning_async._ranges import Part, described, from_byte, is_strong, onward
from fine_tuning_async.errors import ResponseFormatError

NOW = 1_800_000_000.0
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("url", "location", "target", "credentials"),
    [
        ("https://a/v1/f", "/g", "https://a/g", True),
        ("https://a/v1/f", "g?x=1#here", "https://a/v1/g?x=1", True),
        ("https://a/v1/f", "https://a:443/g", "https://a:443/g", True),
        ("https://a/v1/f", "https://a:444/g", "https://a:444/g", False),
        ("https://a/v1/f", "https://b/g", "https://b/g", False),
        ("https://a/v1/f", "//b/g", "https://b/g", False),
        ("http://a/v1/f", "https://a/g", "https://a/g", False),
        ("http://a/v1/f", "http://b/g", "http://b/g", False),
    ],
)
def test_a_redirect_is_followed_with_credentials_only_within_its_origin(
    url: str, location: str, target: str, credentials: bool
) -> None:
    assert onward(url, 302, {"Location": location}) == (target, credentials)


@pytest.mark.parametrize("location", ["http://a/g?sig=SIGNED", "HTTP://b/g?sig=SIGNED", "ftp://a/"])
def test_out_of_tls_no_redirect_leads(location: str) -> None:
    with pytest.raises(ResponseFormatError, match="not followed") as caught:
        onward("https://a/v1/f?sig=SIGNED", 307, {"Location": location})
    assert "SIGNED" not in str(caught.value)


@pytest.mark.parametrize("location", ["https://u:SECRET@a/g", "//SECRET@b/g", "https://a:443@b/g?SECRET", "//@a/"])
def test_a_redirect_with_credentials_is_not_followed_and_shows_none(location: str) -> None:
    with pytest.raises(ResponseFormatError, match="a URL with credentials in it: not followed") as caught:
        onward("https://a/v1/f", 302, {"Location": location})
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "location",
    [
        "https://[",
        "https://a:99999/",
        "https://a:b/",
        "data:,x",
        "https://a\\@b/",
        "https://a\t.b/",
        "/a b",
    ],
)
def test_what_is_no_url_of_a_web_server_is_not_gone_to(location: str) -> None:
    with pytest.raises(ResponseFormatError, match="no URL of a web server"):
        onward("https://a/v1/f", 302, {"Location": location})


@pytest.mark.parametrize("status", [200, 206, 300, 304, 404])
def test_what_is_no_redirect_leads_nowhere(status: int) -> None:
    assert onward("https://a/f", status, {"Location": "https://b/"}) is None
    assert onward("https://a/f", 302, {}) is None


@pytest.mark.parametrize(
    ("status", "headers", "part"),
    [
        (200, {"Content-Length": "7", "ETag": '"x"'}, Part(0, 7, 7, '"x"')),
        (203, {"Content-Length": "0"}, Part(0, 0, 0, None)),
        (200, {"Content-Length": "7", "Transfer-Encoding": "chunked"}, Part(0, None, None, None)),
        (200, {"Content-Length": "many"}, Part(0, None, None, None)),
        (
            200,
            {"Content-Length": "7", "ETag": '"x"', "Content-Encoding": "GZIP"},
            Part(0, None, None, None, encoded=True),
        ),
        (200, {"Content-Length": "7", "Content-Encoding": "Identity"}, Part(0, 7, 7, None)),
        (206, {"Content-Range": "bytes 2-6/7"}, Part(2, 7, 7, None)),
        (206, {"Content-Range": "Bytes 2-6/*", "Content-Length": "5"}, Part(2, 7, None, None)),
        (200, {"Last-Modified": DATE, "ETag": 'W/"x"'}, Part(0, None, None, 'W/"x"')),
        (200, {"Last-Modified": DATE}, Part(0, None, None, DATE)),
        (200, {"Last-Modified": DATE, "Date": DATE}, Part(0, None, None, None)),
        (200, {"Last-Modified": "yesterday"}, Part(0, None, None, None)),
    ],
)
def test_what_an_answer_holds(status: int, headers: dict[str, str], part: Part) -> None:
    assert described(status, CIMultiDict(headers), NOW) == part


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (206, {}),
        (206, {"Content-Range": "bytes 2-6"}),
        (206, {"Content-Range": "bytes 2-6/6"}),
        (206, {"Content-Range": "bytes 6-2/7"}),
        (206, {"Content-Range": "bytes 2-6/7", "Content-Length": "6"}),
        (206, {"Content-Range": f"bytes 0-{'9' * 30}/*"}),
        (202, {"Content-Length": "2"}),
        (204, {}),
    ],
)
def test_what_is_no_file(status: int, headers: dict[str, str]) -> None:
    with pytest.raises(ResponseFormatError):
        described(status, CIMultiDict(headers), NOW)


@pytest.mark.parametrize(
    ("validator", "strong"),
    [('"x"', True), ('""', True), (DATE, True), ('W/"x"', False), ("x", False), ('"a"b"', False), (None, False)],
)
def test_strong_is_what_stands_for_every_byte(validator: str | None, strong: bool) -> None:
    assert is_strong(validator) is strong


def test_the_rest_is_asked_for_only_of_the_same_content() -> None:
    assert from_byte(500, '"x"') == {"Range": "bytes=500-", "If-Range": '"x"'}
