"""How many tokens a training file has: counted where that can be done without the network, else estimated."""

from __future__ import annotations

import hashlib
import socket
import sys
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from fine_tuning_async import check_dataset
from fine_tuning_async.datasets import _tokens
from tests.dataset_rows import CALL, CHAT, PAIR, TOOL, as_line

if TYPE_CHECKING:
    from pathlib import Path

    from fine_tuning_async import DatasetReport

CACHED_AS = "fb374d419588a4632f3f557e76b4b70aebbca790"
NOT_CACHED = "an estimate, 4 bytes a token: tiktoken has o200k_base not in its cache"


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def checked(path: Path, *rows: object, method: str = "supervised") -> DatasetReport:
    path.write_bytes(b"\n".join(map(as_line, rows)))
    return check_dataset(path, method=method)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "train.jsonl"


# -- without an encoding -----------------------------------------------------------------------------------------


def test_without_tiktoken_tokens_are_estimated_and_said_to_be(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    report = checked(path, said("é" * 10))
    assert report.tokens == 5
    assert report.tokens_from == "an estimate, 4 bytes a token: tiktoken is not installed"


@pytest.mark.parametrize("content", [None, b"damaged"])
@pytest.mark.parametrize("folder", ["there", ""])
def test_tiktoken_never_fetches_what_it_has_not(
    path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, folder: str
) -> None:
    pytest.importorskip("tiktoken", reason="the extra `tokens` is not installed")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", folder and str(path.parent))
    if content is not None:
        (path.parent / CACHED_AS).write_bytes(content)
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        report = checked(path, said("é" * 10))
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()
    assert (report.tokens, report.tokens_from) == (5, NOT_CACHED)
    if content is not None:
        assert (path.parent / CACHED_AS).read_bytes() == content


@pytest.mark.parametrize("error", [ValueError("Unknown encoding"), ConnectionError(), ImportError(), KeyError()])
def test_an_encoding_that_cannot_be_loaded_is_done_without(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Tiktoken:
        @staticmethod
        def get_encoding(name: str) -> Words:
            raise error

    monkeypatch.setitem(sys.modules, "tiktoken", Tiktoken)
    cached(path.parent, monkeypatch)
    assert checked(path, CHAT).tokens_from == "an estimate, 4 bytes a token: tiktoken cannot load o200k_base"


# -- with one ----------------------------------------------------------------------------------------------------


class Words:
    """Stands in for an encoding: a token a word."""

    def encode_ordinary(self, text: str) -> list[int]:
        return [0 for _ in text.split()]


def cached(folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str = "TIKTOKEN_CACHE_DIR") -> None:
    """Let a file pass for the encoding itself, which is too large to be kept here."""
    monkeypatch.setenv(variable, str(folder))
    (folder / CACHED_AS).write_bytes(b"ranks")
    monkeypatch.setattr(_tokens, "_SHA256", hashlib.sha256(b"ranks").hexdigest())


@pytest.fixture
def encoding(path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A real encoding with few tokens, in the place of the one that tiktoken would have to fetch."""
    tiktoken = pytest.importorskip("tiktoken", reason="the extra `tokens` is not installed")
    merges = [b"on", b"one", b" t", b" tw", b" two", b'":', b'{"']
    ranks = {token: rank for rank, token in enumerate([*(bytes([byte]) for byte in range(256)), *merges])}
    made = tiktoken.Encoding("tiny", pat_str=r" ?\w+|\s+|[^\s\w]+", mergeable_ranks=ranks, special_tokens={})
    monkeypatch.setitem(tiktoken.registry.ENCODINGS, "o200k_base", made)
    cached(path.parent, monkeypatch)
    return made


def test_an_encoding_that_tiktoken_has_is_used(path: Path, encoding: Any) -> None:
    assert encoding.encode_ordinary("one two!") == [257, 260, 33]
    report = checked(path, said("one two!"))
    assert (report.tokens, report.tokens_from) == (3, "counted with tiktoken, o200k_base")


def test_each_text_is_counted_by_itself(path: Path, encoding: Any) -> None:
    """Run together, the one's last letters and the other's first would make other tokens."""
    row = {"messages": [{"role": "user", "content": "o"}, {"role": "assistant", "content": "ne"}]}
    assert checked(path, *[row] * 10).tokens == 30


def test_tools_and_calls_are_counted_as_they_are_written(path: Path, encoding: Any) -> None:
    talk = [CHAT["messages"][0], {"role": "assistant", "tool_calls": [CALL]}]
    of_call = len(encoding.encode_ordinary(orjson.dumps([CALL]).decode()))
    of_tools = len(encoding.encode_ordinary(orjson.dumps([TOOL]).decode()))
    supervised = checked(path, {"messages": talk, "tools": [TOOL]}).tokens

    assert supervised == 1 + of_call + of_tools
    plain = checked(path, PAIR, method="dpo").tokens
    offered = checked(path, {**PAIR, "input": {**PAIR["input"], "tools": [TOOL]}}, method="dpo").tokens
    assert offered == plain + of_tools


def test_a_text_is_cut_where_no_token_is(path: Path, encoding: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "one two" + " two one" * 100
    whole = len(encoding.encode_ordinary(text))
    for size in (8, 9, 10, 11, 1_000):
        monkeypatch.setattr(_tokens, "_PIECE", size)
        assert checked(path, said(text)).tokens == whole
    monkeypatch.setattr(_tokens, "_PIECE", 8)
    assert checked(path, said("x" * 1_000)).tokens == 1_000


def test_an_older_name_of_the_cache_is_known(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tiktoken:
        @staticmethod
        def get_encoding(name: str) -> Words:
            assert name == "o200k_base"
            return Words()

    monkeypatch.setitem(sys.modules, "tiktoken", Tiktoken)
    cached(path.parent, monkeypatch, "DATA_GYM_CACHE_DIR")
    assert checked(path, said("one two three")).tokens == 3


def test_beyond_a_sample_tokens_are_reckoned(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = _tokens.TokenCounter(Words(), "")
    counter.add("one two three", ["one ", "two ", "three"])
    assert (counter.total, counter.source) == (3, "counted with tiktoken, o200k_base")
    monkeypatch.setattr(_tokens, "_SAMPLE", 13)
    counter.add("one two three", ["one ", "two ", "three"])
    counter.add_json([b"[1, 2,", b"3 ]   "])
    assert counter.total == 9
    assert counter.source == "an estimate, from the first 13 bytes counted with tiktoken, o200k_base"
