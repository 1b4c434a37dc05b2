"""What the page shows, as JSON in sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from fine_tuning_async.server.control import view_of

if TYPE_CHECKING:
    from fine_tuning_async.server.faults import Faults
    from fine_tuning_async.server.records import Job
    from fine_tuning_async.server.requestlog import RequestRecord
    from fine_tuning_async.server.service import Service

_JOBS, _EVENTS, _REQUESTS, _DELIVERIES = 50, 60, 50, 20
_POINTS = 400
"""Of a curve: more would not be seen."""

_CURVES = ("train_loss", "valid_loss", "full_valid_loss", "train_reward_mean", "valid_reward_mean")


class Glance:
    """Looks at a server, and at one of its jobs more closely; each look costs the same, however much it holds.

    Args:
        service: The server's state.
        faults: What goes wrong on purpose.
        job_id: The job; None or an empty string for the newest.
    """

    def __init__(self, service: Service, faults: Faults, job_id: str | None) -> None:
        self._service = service
        self._faults = faults
        self._job_id = job_id
        self._curve: tuple[tuple[int, int, int], object] | None = None

    def look(self) -> dict[str, bytes]:
        """Return the sections, each as JSON."""
        log, service = self._service.log, self._service
        with service.session() as now:
            glances = service.store.glances
            jobs = glances.newest_jobs(_JOBS)
            found = {
                "server": self._server(now),
                "jobs": {"total": glances.count_jobs(), "data": [_summary(job) for job in jobs]},
                "job": self._closely(jobs),
                "webhooks": self._webhooks(),
            }
        requests = [_request(record) for record in log.newest(_REQUESTS)]
        found["requests"] = {"total": log.total, "data": requests}
        found["faults"] = [view_of(script) for script in self._faults.active]
        return {name: orjson.dumps(section) for name, section in found.items()}

    def _server(self, now: float) -> dict[str, object]:
        service = self._service
        return {
            "now": int(now),
            "speed": service.clock.speed,
            "like": service.personality.name,
            "home": service.personality.home,
            "simulated": service.trainer is None,
            "trainer": None if service.trainer is None else type(service.trainer).__name__,
        }

    def _webhooks(self) -> list[dict[str, object]]:
        names = ("url", "type", "job_id", "state", "attempts", "outcome")
        rows = self._service.store.glances.newest_deliveries(_DELIVERIES)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _closely(self, jobs: list[Job]) -> dict[str, object] | None:
        store = self._service.store
        job = store.jobs.find(self._job_id) if self._job_id else next(iter(jobs), None)
        if job is None:
            return None
        events = store.lists.events(job.seq, None, _EVENTS)
        return {
            **_summary(job),
            "seed": job.seed,
            "training_file": job.training_file,
            "validation_file": job.validation_file,
            "hyperparameters": job.hyperparameters,
            "metadata": job.metadata or {},
            "error": job.error,
            "trained_tokens": job.trained_tokens,
            "result_files": job.result_files,
            "curve": self._points(job),
            "checkpoints": [orjson.Fragment(view) for _, view in store.lists.checkpoints(job.seq, None, 3).rows],
            "events": [orjson.Fragment(view) for _, view in events.rows],
        }

    def _points(self, job: Job) -> object:
        """Return the curve of a job; it is drawn anew only if something has happened."""
        key = (self._service.resets, job.seq, job.events)
        if self._curve is None or self._curve[0] != key:
            self._curve = (key, _thinned(self._service.store.glances.thinned_events(job)))
        return self._curve[1]


def _thinned(views: list[bytes]) -> list[dict[str, object]]:
    steps = [event["data"] for event in map(orjson.loads, views) if event["type"] == "metrics"]
    stride = -(-len(steps) // _POINTS)
    shown = [figures for number, figures in enumerate(steps) if (len(steps) - 1 - number) % stride == 0]
    return [{name: figures[name] for name in ("step", *_CURVES) if name in figures} for figures in shown]


def _summary(job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "status": job.status,
        "model": job.model,
        "method": job.method,
        "suffix": job.suffix,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "estimated_finish": job.estimated_finish,
        "fine_tuned_model": job.fine_tuned_model,
        "step": job.step,
        "total": job.total,
    }


def _request(record: RequestRecord) -> dict[str, object]:
    query = "&".join(f"{name}={value}" for name, value in record.query.items())
    return {
        "method": record.method,
        "path": record.path + (f"?{query}" if query else ""),
        "status": record.status,
        "size": record.size,
        "fault": record.fault,
    }
