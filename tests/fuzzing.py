"""Schemathesis against a running local server: how many requests of each operation succeeded, what was wrong."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import TestPhase

from fine_tuning_async.server import LocalServer
from tests.fitting import Fitter
from tests.specification import document, operations

if TYPE_CHECKING:
    from schemathesis import Case


_STEPS = [
    *("pauseFineTuningJob", "resumeFineTuningJob", "cancelFineTuningJob"),
    *("addUploadPart", "completeUpload", "cancelUpload"),
]


_VAST = ["createFineTuningJob", "runGrader", "validateGrader"]


@dataclass
class Outcome:
    """What came of the cases.

    Attributes:
        cases: For each operation how many requests of it there were.
        succeeded: For each operation how many of them succeeded.
        phases: For each phase how many requests it made.
        transitions: How many pairs of operations the stateful phase could go along.
        findings: What was wrong, each with the request that shows it.
    """

    cases: Counter[str] = field(default_factory=Counter)
    succeeded: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    transitions: int = 0
    findings: list[str] = field(default_factory=list)

    def rates(self) -> dict[str, float]:
        """Return for each operation which part of its requests succeeded."""
        return {name: self.succeeded[name] / number for name, number in self.cases.items()}

    def is_complete(self) -> bool:
        """Tell whether there were requests of every operation, and sequences among them."""
        return self.cases.keys() == operations().keys() and self.phases["stateful"] > 0 and self.transitions > 0

    def take(self, event: Any) -> None:
        """Take notice of what the engine tells."""
        if isinstance(event, engine.events.ScenarioFinished):
            self._take_scenario(event.phase.value, event.recorder)
        elif isinstance(event, engine.events.PhaseStarted) and event.payload is not None:
            self.transitions = event.payload.transitions_selected
        elif isinstance(event, engine.events.NonFatalError | engine.events.FatalError):
            self.findings.append(f"the run went wrong: {event}")

    def _take_scenario(self, phase: str, recorder: Any) -> None:
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:
                name = _name(recorder.cases[case_id].value)
                self.phases[phase] += 1
                self.cases[name] += 1
                self.succeeded[name] += interaction.response.status_code < 400
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    case, failure = recorder.cases[case_id].value, check.failure_info.failure
                    answer = recorder.interactions[case_id].response
                    said = answer.content[:500] if answer else None
                    self.findings.append(
                        f"{_name(case)}: {failure.title}: {failure.message}\n{case.as_curl_command()}\n{said!r}"
                    )


def run(*, vast: bool, examples: int, good: int, sequences: int, seed: int = 1) -> Outcome:
    """Send good requests and bad ones, then good ones alone, then sequences in which one uses what another made.

    Args:
        vast: Whether to go through the boundaries of the largest schemas too, which is thousands of requests.
        examples: The most requests of each operation that are drawn, good or bad.
        good: The most good ones after that.
        sequences: The most sequences.
        seed: What they are drawn from.
    """
    outcome = Outcome()
    with LocalServer(seed=seed) as server:
        for mode, most, phases in (
            ("all", examples, ["examples", "coverage", "fuzzing"]),
            ("positive", good, ["fuzzing"]),
            ("all", sequences, ["stateful"]),
        ):
            _run(server, outcome, _config(server.url, seed, most, mode, phases, vast=vast))
    return outcome


def _config(url: str, seed: int, examples: int, mode: str, phases: list[str], *, vast: bool) -> SchemathesisConfig:
    covered = vast and "coverage" in phases
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": url,
            "headers": {"Authorization": "Bearer k"},
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "cache": {"enabled": False},
            "generation": {"mode": mode, "max-examples": examples, "no-shrink": True, "database": "none"},
            "phases": {"enabled": False, **{name: {"enabled": True} for name in phases}},
            # Any key is as good as any other here, by design.
            "checks": {"ignored_auth": {"enabled": False}},
            # What a sequence has led to may forbid the next step.
            "operations": [
                {"include-operation-id": _STEPS, "checks": {"positive_data_acceptance": {"enabled": False}}},
                {"include-operation-id": _VAST, "phases": {"coverage": {"enabled": covered}}},
            ],
        }
    )


def _run(server: LocalServer, outcome: Outcome, config: SchemathesisConfig) -> None:
    schema = schemathesis.openapi.from_dict(_generated(), config=config)
    fitter = Fitter(server)

    def fit(context: Any, case: Case[Any], **_: Any) -> None:
        _fit(fitter, case)

    schemathesis.hook("before_call")(fit)  # there is none of a schema's own
    try:
        for event in engine.from_schema(schema).execute():
            outcome.take(event)
    finally:
        schemathesis.hooks.unregister(fit)


def _generated() -> dict[str, Any]:
    """Return the specification that requests are made from.

    A multi grader has one bare grader, as published: lists and mappings of them too would take most of the time.
    """
    found = copy.deepcopy(document())
    parts = found["components"]["schemas"]["GraderMulti"]["properties"]
    parts["graders"] = parts["graders"]["anyOf"][0]
    return found


def _fit(fitter: Fitter, case: Case[Any]) -> None:
    name, bad = _name(case), _bad(case)
    if ParameterLocation.PATH in bad:
        return
    linked = case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL
    case.path_parameters = fitter.path(name, dict(case.path_parameters or {}), linked=linked)
    case.query = fitter.query(name, dict(case.query or {}), case.path_parameters)
    body = fitter.body(name, case.body, case.path_parameters)
    if body != case.body:
        case.body = body


def _bad(case: Case[Any]) -> set[ParameterLocation]:
    components = case.meta.components if case.meta else {}
    return {place for place, found in components.items() if found.mode == GenerationMode.NEGATIVE}


def _name(case: Case[Any]) -> str:
    return str(case.operation.definition.raw["operationId"])
