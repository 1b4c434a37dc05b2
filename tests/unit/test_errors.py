"""The tree of errors: one root, one class per family of statuses, and everything survives pickling and copying."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from multidict import CIMultiDict

import fine_tuning_async
from fine_tuning_async import errors
from fine_tuning_async._secret import Secret
from fine_tuning_async._wire import Response, decipher
from fine_tuning_async.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ClientStateError,
    ConflictError,
    ConnectionFailed,
    CreateUncertainError,
    DeadlineExceeded,
    DestinationError,
    FineTuningError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFormatError,
    ServerError,
    SourceNotFoundError,
    UnprocessableEntityError,
    error_class,
)
from fine_tuning_async.models import FineTuningJob, JobError, JobFailed

if TYPE_CHECKING:
    from collections.abc import Callable

BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    **dict.fromkeys((500, 501, 502, 503, 504, 520, 529, 599), ServerError),
    **dict.fromkeys((300, 301, 302, 304, 307, 308, 402, 405, 408, 410, 413, 418, 425, 451), APIError),
}


def _api(cls: type[APIError]) -> APIError:
    return cls(
        "GET /x was answered",
        status=429,
        message="slow down",
        code="rate_limit_exceeded",
        param="model",
        type="requests",
        request_id="req_1",
        headers=CIMultiDict({"Retry-After": "3"}),
        body=b"{}",
        retry_after=3.0,
    )


def _example(cls: type[FineTuningError]) -> FineTuningError:
    """An error with something in every place that its constructor asks for."""
    if issubclass(cls, APIError):
        return _api(cls)
    parameters = list(signature(cls).parameters.values()) if "__init__" in vars(cls) else []
    keywords = {each.name: f"the {each.name}" for each in parameters if each.kind is each.KEYWORD_ONLY}
    return cls(*(each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD), **keywords)


CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, FineTuningError)]
EXAMPLES = [
    *map(_example, CLASSES),
    InvalidArgumentError("suffix is ''"),
    SourceNotFoundError("no such file"),
    DestinationError("no message but this"),
    DestinationError(28, "No space left on device", "a.jsonl"),
    ConnectionFailed("gone", sent=None),
    JobFailed(FineTuningJob("ftjob-1", 1, "m", "failed", error=JobError("server_error", "wet"))),
    DeadlineExceeded("late", sent=True),
    ResponseFormatError("no JSON", path="$.data[3].seed", request_id="req_2"),
]
each_error = pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)


def _pickled(protocol: int, error: object) -> object:
    return pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own bytes


WAYS: dict[str, Callable[[Any], Any]] = {
    **{f"pickle{protocol}": partial(_pickled, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def test_every_class_can_be_imported_from_the_package() -> None:
    assert len(CLASSES) >= 18
    assert {each.__name__ for each in CLASSES} <= set(errors.__all__)
    assert {each.__name__ for each in CLASSES} <= set(fine_tuning_async.__all__)


@each_error
def test_one_except_clause_catches_each(error: FineTuningError) -> None:
    with pytest.raises(FineTuningError):
        raise error


@each_error
@pytest.mark.parametrize("way", WAYS)
def test_every_error_survives_with_all_it_holds(error: FineTuningError, way: str) -> None:
    original = copy.deepcopy(error)
    original.cursor = "ftjob-40"
    original.add_note("The request was sent 3 times.")
    twin = WAYS[way](original)
    assert type(twin) is type(original)
    assert str(twin) == str(original)
    assert twin.args == original.args
    assert vars(twin) == vars(original)
    assert twin.cursor == "ftjob-40"
    assert twin.__notes__ == ["The request was sent 3 times."]
    assert repr(twin) == repr(original)
    assert getattr(twin, "errno", None) == getattr(original, "errno", None)
    assert getattr(twin, "filename", None) == getattr(original, "filename", None)


@each_error
def test_an_error_has_no_cursor_unless_a_list_failed(error: FineTuningError) -> None:
    assert error.cursor is None


def test_an_answer_of_the_wire_survives_as_an_error() -> None:
    headers = CIMultiDict({"X-Request-Id": "req_5", "Retry-After": "2"})
    error = decipher(Response(429, headers, b'{"error":{"code":"c"}}'), "GET /x", secret=Secret("k" * 9), now=0)
    assert isinstance(error, RateLimitError)
    for way in WAYS.values():
        twin = way(error)
        assert (twin.status, twin.code, twin.request_id, twin.retry_after) == (429, "c", "req_5", 2.0)
        assert twin.headers["x-request-id"] == "req_5"
        assert twin.body == b'{"error":{"code":"c"}}'


@pytest.mark.parametrize(("status", "cls"), BY_STATUS.items())
def test_a_status_names_its_class(status: int, cls: type[APIError]) -> None:
    assert error_class(status) is cls
    assert issubclass(cls, APIError)


def test_what_builtin_code_expects_to_catch_is_caught() -> None:
    assert issubclass(InvalidArgumentError, ValueError)
    assert issubclass(SourceNotFoundError, FileNotFoundError)
    assert issubclass(SourceNotFoundError, InvalidArgumentError)
    assert issubclass(ClientStateError, RuntimeError)


@pytest.mark.parametrize("cls", [ConnectionFailed, DeadlineExceeded, CreateUncertainError, ResponseFormatError])
def test_what_is_no_answer_is_no_api_error(cls: type[FineTuningError]) -> None:
    assert not issubclass(cls, APIError)
    assert issubclass(cls, FineTuningError)


def test_what_everybody_catches_catches_them_too() -> None:
    assert issubclass(DeadlineExceeded, TimeoutError)
    assert issubclass(ConnectionFailed, ConnectionError)


def test_a_format_error_points_at_the_root_unless_told_otherwise() -> None:
    assert ResponseFormatError("x").path == "$"
    assert ResponseFormatError("x").request_id is None
