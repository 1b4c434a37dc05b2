"""The paths by which tests in other languages steer the server."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from . import checks, steering
from .answers import answer, bad_request
from .context import FAULTS, SERVICE, read_body, read_object
from .errors import JobStateError, UnknownJobError
from .faults.fault import KINDS, Fault
from .faults.limits import FaultError
from .refusals import job_not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from .faults import Script

_SCOPE = ("method", "path")


def routes(base: str) -> list[web.RouteDef]:
    """Return the routes, under their base path."""
    return [
        web.post(f"{base}/reset", reset),
        web.post(f"{base}/advance", advance),
        web.post(f"{base}/jobs/{{job_id}}/finish", finish),
        web.post(f"{base}/jobs/{{job_id}}/fail", fail),
        web.get(f"{base}/faults", list_faults),
        web.post(f"{base}/faults", add_faults),
        web.delete(f"{base}/faults", clear_faults),
    ]


async def reset(request: web.Request) -> web.Response:
    """Forget everything but the time."""
    request.app[SERVICE].reset()
    request.app[FAULTS].clear()
    return _told({"reset": True})


async def advance(request: web.Request) -> web.Response:
    """Move the clock forward; answer with the server's time."""
    body = await _read(request, ("seconds", "minutes"))
    seconds, minutes = (checks.decimal(body.get(name, 0), name, above=-1) for name in ("seconds", "minutes"))
    service = request.app[SERVICE]
    try:
        service.advance(seconds + 60 * minutes)
    except ValueError as error:
        raise bad_request(str(error), "seconds", "invalid_value") from error
    return _told({"now": int(service.clock.now())})


async def finish(request: web.Request) -> web.Response:
    """Walk a job to its end; answer with the job."""
    await _read(request, ())
    return _ended(request, lambda job_id: steering.finish(request.app[SERVICE], job_id))


async def fail(request: web.Request) -> web.Response:
    """Let a job fail; answer with the job."""
    body = await _read(request, ("code", "message", "param"))
    known = {"code": steering.CODE, "message": steering.MESSAGE}
    error = {name: checks.text(body.get(name, value), name) for name, value in known.items()}
    param = None if body.get("param") is None else checks.text(body["param"], "param")
    return _ended(request, lambda job_id: steering.fail(request.app[SERVICE], job_id, {**error, "param": param}))


def _ended(request: web.Request, end: Callable[[str], None]) -> web.Response:
    job_id, service = request.match_info["job_id"], request.app[SERVICE]
    try:
        end(job_id)
    except UnknownJobError as error:
        raise job_not_found(job_id) from error
    except JobStateError as error:
        raise bad_request(str(error)) from error
    with service.session():
        return answer(service.store.jobs.view(job_id) or b"null")


async def list_faults(request: web.Request) -> web.Response:
    """Answer with the rules that can hit a request yet."""
    return _told({"object": "list", "data": [view_of(script) for script in request.app[FAULTS].active]})


async def clear_faults(request: web.Request) -> web.Response:
    """Let nothing go wrong any more."""
    request.app[FAULTS].clear()
    return _told({"object": "list", "data": []})


async def add_faults(request: web.Request) -> web.Response:
    """Script a fault, or several with rates; answer with the rule."""
    body = await _read(request, ("fault", "rates", "skip", "times", "seed", *_SCOPE))
    if ("fault" in body) == ("rates" in body):
        raise bad_request("Say either 'fault', for one fault, or 'rates', for several by chance.", "fault")
    try:
        return _told(view_of(_add_rates(request, body) if "rates" in body else _add(request, body)))
    except FaultError as error:
        raise bad_request(f"Invalid '{error.param}': {error}.", error.param, "invalid_value") from error


def _add(request: web.Request, body: dict[str, object]) -> Script:
    options: dict[str, Any] = {name: value for name, value in body.items() if name != "fault"}
    fault = _fault(checks.mapping(body["fault"], "fault"), "fault")
    return request.app[FAULTS].add(fault, **options)


def _add_rates(request: web.Request, body: dict[str, object]) -> Script:
    checks.only(body, "faults", ("rates", "seed", *_SCOPE))
    rates: dict[Fault, Any] = {}
    for number, each in enumerate(checks.array(body["rates"], "rates", most=100)):
        entry = dict(checks.mapping(each, f"rates[{number}]"))
        rate = entry.pop("rate", None)
        rates[_fault(entry, f"rates[{number}]")] = rate
    options: dict[str, Any] = {name: value for name, value in body.items() if name != "rates"}
    return request.app[FAULTS].rate(rates, **options)


def _fault(said: dict[str, object], param: str) -> Fault:
    """Return the fault of a JSON object: its `kind` is a class method of `Fault`, all else its arguments."""
    options = dict(said)
    kind = checks.one_of(options.pop("kind", None), f"{param}.kind", sorted(KINDS))
    make: Callable[..., Fault] = getattr(Fault, kind)
    try:
        inspect.signature(make).bind(**options)
    except TypeError as error:
        raise bad_request(f"Invalid '{param}': {kind} has {error}.", param, "invalid_value") from error
    try:
        return make(**options)
    except FaultError as error:
        where = f"{param}.{error.param}"
        raise bad_request(f"Invalid '{where}': {error}.", where, "invalid_value") from error


def view_of(script: Script) -> dict[str, object]:
    """Return a rule as JSON shows it."""
    return {
        "method": script.scope.method,
        "path": script.scope.path,
        "skip": script.skip,
        "times": script.times,
        "seed": script.seed,
        "seen": script.seen,
        "faults": [
            {"kind": fault.kind, **dict(fault.options), "rate": rate, "hits": script.hits[fault]}
            for fault, rate in script.rates.items()
        ],
    }


async def _read(request: web.Request, known: tuple[str, ...]) -> dict[str, object]:
    """Return the request's JSON object; none is as good as an empty one."""
    body = await read_object(request) if await read_body(request) else {}
    for name in body:
        if name not in known:
            raise bad_request(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    return body


def _told(body: dict[str, object]) -> web.Response:
    return answer(orjson.dumps(body))
