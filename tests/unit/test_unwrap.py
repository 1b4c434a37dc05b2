"""`unwrap`: what is signed is understood, everything else is refused, and nothing shows the secret."""

from __future__ import annotations

import base64
import pickle
import time
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import standardwebhooks
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from fine_tuning_async import (
    FineTuningError,
    InvalidArgumentError,
    ResponseFormatError,
    WebhookEvent,
    WebhookInbox,
    WebhookVerificationError,
    to_dict,
    unwrap,
)
from tests.deliveries import KEY, OTHER_SECRET, SECRET, body_of, event, signature, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BODY = body_of()
quick = settings(max_examples=80, deadline=None)


# -- what is accepted --------------------------------------------------------------------------------------------


def test_a_signed_event_is_structured() -> None:
    found = unwrap(BODY, signed(BODY), SECRET)
    assert isinstance(found, WebhookEvent)
    assert (found.id, found.type, found.job_id) == ("evt_1", "fine_tuning.job.succeeded", "ftjob-1")
    assert found.created == datetime(2024, 6, 23, 18, 40, tzinfo=UTC)
    assert to_dict(found) == event()


@pytest.mark.parametrize("change", [str.upper, str.title, str.lower])
@pytest.mark.parametrize("kind", [dict, CIMultiDict])
def test_headers_are_found_in_any_case(change: Callable[[str], str], kind: Callable[[Any], Any]) -> None:
    headers = {change(name): value for name, value in signed(BODY).items()}
    assert unwrap(BODY, kind({**headers, "Host": "x"}), SECRET).id == "evt_1"


def test_a_body_may_be_text() -> None:
    body = body_of(kind="failed", note="für alle, 日本")
    assert unwrap(body.decode(), signed(body), SECRET).extra == {"note": "für alle, 日本"}


@pytest.mark.parametrize(
    "beside", ["v1,{other}", "v1a,{other}", "v2,x", "nonsense", "v1,", "v1", "v1,é", "v1,a,b"]
)
@pytest.mark.parametrize("template", ["{beside} {good}", "{good} {beside}", " {beside}  {beside} {good} "])
def test_one_good_signature_among_several_is_enough(beside: str, template: str) -> None:
    headers = signed(BODY)
    beside = beside.format(other=base64.b64encode(b"o" * 32).decode())
    several = template.format(beside=beside, good=headers["webhook-signature"])
    assert unwrap(BODY, {**headers, "webhook-signature": several}, SECRET).id == "evt_1"


@pytest.mark.parametrize("secrets", [[SECRET, OTHER_SECRET], (OTHER_SECRET, SECRET), [SECRET]])
def test_one_good_secret_among_several_is_enough(secrets: list[str]) -> None:
    assert unwrap(BODY, signed(BODY), secrets).id == "evt_1"


def test_a_secret_may_lack_its_padding() -> None:
    assert unwrap(BODY, signed(BODY), SECRET.rstrip("=")).id == "evt_1"
    assert SECRET.endswith("=")


@pytest.mark.parametrize("age", [-240, -5, 0, 5, 240])
def test_five_minutes_either_way_are_tolerated(age: float) -> None:
    assert unwrap(BODY, signed(BODY, age=age), SECRET).id == "evt_1"


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "batch.completed", "data": {"id": "batch_1"}},
        {"type": "realtime.call.incoming", "data": {"call_id": "c", "sip_headers": [{"name": "a"}]}},
        {"type": "fine_tuning.job.paused", "data": "none"},
        {"type": "fine_tuning.job.failed", "data": {"id": 5}},
        {"type": "", "data": None, "new": [1, {"a": None}]},
    ],
)
def test_an_event_of_any_type_is_carried_whole(fields: dict[str, Any]) -> None:
    body = body_of(**fields)
    found = unwrap(body, signed(body), SECRET)
    assert to_dict(found) == event(**fields)
    assert found.type == fields["type"]
    assert found.job_id is None


@pytest.mark.parametrize("kind", ["succeeded", "failed", "cancelled", "paused"])
def test_an_event_of_a_job_names_the_job(kind: str) -> None:
    body = body_of("ftjob-9", kind)
    assert unwrap(body, signed(body), SECRET).job_id == "ftjob-9"


# -- what is refused ---------------------------------------------------------------------------------------------


def changed(name: str, value: str) -> dict[str, str]:
    return {**signed(BODY), name: value}


OLD = str(int(time.time()) - 3600)
# Made once, long before some of them are used: none is near a bound.
FORGED: dict[str, tuple[bytes | str, dict[str, str]]] = {
    "another body": (BODY + b" ", signed(BODY)),
    "another id": (BODY, changed("webhook-id", "wh_2")),
    "another time": (BODY, changed("webhook-timestamp", str(int(time.time()) + 1))),
    "another secret": (BODY, signed(BODY, key=b"o" * 32)),
    "another version": (BODY, changed("webhook-signature", "v2," + signed(BODY)["webhook-signature"][3:])),
    "no version": (BODY, changed("webhook-signature", signed(BODY)["webhook-signature"][3:])),
    "an empty signature": (BODY, changed("webhook-signature", "v1,")),
    "odd base64": (BODY, changed("webhook-signature", "v1,A")),
    "half a signature": (BODY, changed("webhook-signature", signed(BODY)["webhook-signature"][:24])),
    "a long signature": (BODY, changed("webhook-signature", signed(BODY)["webhook-signature"] + "AAAA")),
    "a body that is no UTF-8": (b"\xff\xfe", signed(b"\xff\xfe")),
    "a body with a lone surrogate": ("\ud800", signed(b"x")),
    "an id with a lone surrogate": (BODY, changed("webhook-id", "\udcff")),
    "a time as a fraction": (BODY, changed("webhook-timestamp", f"{int(time.time())}.5")),
    "a time in other digits": (BODY, changed("webhook-timestamp", "١٢٣")),
    "a time that is none": (BODY, changed("webhook-timestamp", "nan")),
    "a time beyond all years": (BODY, changed("webhook-timestamp", "9" * 400)),
    "an old time of its own": (
        BODY,
        {"webhook-id": "i", "webhook-timestamp": OLD, "webhook-signature": signature(BODY, "i", OLD)},
    ),
    "stale": (BODY, signed(BODY, age=3600)),
    "of the future": (BODY, signed(BODY, age=-3600)),
    "nothing at all": (b"", {}),
    **{f"no {name}": (BODY, {k: v for k, v in signed(BODY).items() if k != name}) for name in signed(BODY)},
    **{f"an empty {name}": (BODY, changed(name, "")) for name in signed(BODY)},
}


@pytest.mark.parametrize("case", FORGED)
def test_what_is_not_signed_as_it_must_be_is_refused(case: str) -> None:
    body, headers = FORGED[case]
    with pytest.raises(WebhookVerificationError, match="the webhook is refused: ") as caught:
        unwrap(body, headers, SECRET)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("age", "word"), [(360, "old"), (-360, "ahead")])
def test_a_wrong_time_is_told_from_a_wrong_signature(age: float, word: str) -> None:
    with pytest.raises(WebhookVerificationError, match=word):
        unwrap(BODY, signed(BODY, age=age), SECRET)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"no JSON", "$"),
        (b"", "$"),
        (b"[]", "$"),
        (b'{"id": "evt_1", "created_at": 1}', "$"),
        (body_of(id=5), "$.id"),
        (body_of(created_at="now"), "$.created_at"),
        (body_of(type=None), "$.type"),
        (b"[" * 100_000, "$"),
    ],
)
def test_what_is_signed_and_no_event_is_refused_with_the_place(body: bytes, path: str) -> None:
    with pytest.raises(WebhookVerificationError, match="signed, but is no event") as caught:
        unwrap(body, signed(body), SECRET)
    assert isinstance(caught.value.__cause__, ResponseFormatError)
    assert caught.value.__cause__.path == path


def test_the_signature_comes_before_the_json() -> None:
    with pytest.raises(WebhookVerificationError, match="no signature fits"):
        unwrap(b"no JSON", signed(b"other"), SECRET)


@quick
@given(
    body=st.binary() | st.text() | st.just(BODY),
    headers=st.dictionaries(
        st.sampled_from([*signed(b""), "Webhook-ID", "x"]),
        st.text() | st.sampled_from(list(signed(BODY).values())) | st.from_regex(r"(v1,[\w+/=]* ?)+"),
    ),
)
def test_whatever_comes_is_accepted_or_refused(body: bytes | str, headers: dict[str, str]) -> None:
    try:
        found = unwrap(body, headers, SECRET)
    except WebhookVerificationError:
        return
    assert to_dict(found) == event()


@quick
@given(position=st.integers(0, len(BODY) - 1), byte=st.integers(0, 255))
def test_no_byte_of_a_body_can_be_changed(position: int, byte: int) -> None:
    body = BODY[:position] + bytes([byte]) + BODY[position + 1 :]
    if body == BODY:
        return
    with pytest.raises(WebhookVerificationError):
        unwrap(body, signed(BODY), SECRET)


# -- what the caller does wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    [
        *("", "whsec_", "whsec_=", "plain", SECRET.removeprefix("whsec_"), SECRET + "\n", " " + SECRET),
        *("whsec_a b", "whsec_é", "whsec_-_-_", "whsec_abcde", None, 5, KEY, [], (), [None], [SECRET, "no"]),
    ],
)
def test_a_secret_that_is_none_is_the_callers_fault(secret: Any) -> None:
    for call in (lambda: unwrap(BODY, signed(BODY), secret), lambda: WebhookInbox(secret)):
        with pytest.raises(InvalidArgumentError, match="secret") as caught:
            call()
        assert not isinstance(caught.value, WebhookVerificationError)


@pytest.mark.parametrize("body", [event(), None, 5, [BODY]])
def test_a_body_that_was_decoded_is_the_callers_fault(body: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="body"):
        unwrap(body, signed(BODY), SECRET)


@pytest.mark.parametrize("headers", [None, list(signed(BODY).items()), {"webhook-id": b"wh_1"}])
def test_headers_that_are_no_mapping_of_strings_are_the_callers_fault(headers: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="header"):
        unwrap(BODY, headers, SECRET)


# -- secrets -----------------------------------------------------------------------------------------------------


def everything_about(error: BaseException | None) -> Iterator[str]:
    """All that a log, a crash reporter or a debugger would show of an error."""
    while error is not None:
        yield from ("".join(traceback.format_exception(error)), repr(error), repr(vars(error)))
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "test_unwrap" not in frame.f_code.co_filename:
                yield from (repr(value) for value in frame.f_locals.values())
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("body", "headers", "secret"),
    [
        (BODY, signed(b"forged"), SECRET),
        (BODY, signed(BODY, age=999), [SECRET, OTHER_SECRET]),
        (b"no JSON", signed(b"no JSON"), SECRET),
        (b"\xff", signed(b"\xff"), SECRET),
        (BODY, signed(BODY), SECRET + "\n"),
        (BODY, signed(BODY), [SECRET + "\n"]),
        (None, signed(BODY), SECRET),
    ],
)
def test_no_error_shows_the_secret_or_the_right_signature(body: Any, headers: Any, secret: Any) -> None:
    with pytest.raises(FineTuningError) as caught:
        unwrap(body, headers, secret)
    moment = headers["webhook-timestamp"]
    right = signature(BODY, "wh_1", moment).removeprefix("v1,")
    shown = "".join(everything_about(caught.value))
    for hidden in (SECRET.removeprefix("whsec_"), repr(KEY), repr(base64.b64decode(right))):
        assert hidden not in shown
    assert right not in shown or right in headers["webhook-signature"]
    assert KEY not in pickle.dumps(caught.value)


# -- others ------------------------------------------------------------------------------------------------------


def test_the_librarys_own_signatures_are_accepted() -> None:
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "wh_7",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(SECRET).sign("wh_7", now, BODY.decode()),
    }
    assert headers["webhook-signature"] == signature(BODY, "wh_7", headers["webhook-timestamp"])
    assert unwrap(BODY, headers, SECRET).id == "evt_1"


@pytest.mark.official
@pytest.mark.parametrize("case", ["good", *FORGED])
def test_the_official_client_judges_alike(case: str) -> None:
    openai = pytest.importorskip("openai", reason="the extra bench is not installed")
    helper = openai.OpenAI(api_key="k", webhook_secret=SECRET).webhooks
    body, headers = (BODY, signed(BODY)) if case == "good" else FORGED[case]
    if case == "no version":
        return  # it takes a signature without one, which Standard Webhooks does not know
    if case == "good":
        helper.verify_signature(body, headers)
        assert helper.unwrap(body, headers).data.id == unwrap(body, headers, SECRET).job_id
        return
    with pytest.raises((openai.InvalidWebhookSignatureError, ValueError)):
        helper.verify_signature(body, headers)
