"""What the agent says of itself and of each worker, gathered from its parts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from agent.conditions import Condition, condition, may_trace, state_series
from agent.series import Series
from agent.workers import Worker
from dynoscope_probe import layout

if TYPE_CHECKING:
    from agent.run import Agent

__all__ = ["condition_of", "status_of", "worker_series"]


def status_of(agent: Agent, state: str, now_ns: int) -> dict[str, Any]:
    """The content of status.json."""
    config, sampling, shipper = agent.config, agent.sampling, agent.shipper
    files, size, oldest_s = agent.spool.size()
    workers = agent.flush.workers
    return {
        "state": state,
        "pid": os.getpid(),
        "host": config.host,
        "url": config.url,
        "ring_dir": str(config.ring_dir),
        "started_ms": agent.started_ms,
        "updated_ms": now_ns // 1_000_000,
        "last_error": agent.last_error or shipper.last_error,
        "ship": {"state": shipper.state, "last_ok_ms": shipper.last_ok_ms},
        "spool": {"files": files, "bytes": size, "oldest_s": oldest_s},
        "sampler": {
            "state": sampling.state,
            "budget": config.budget,
            "cpu_share": sampling.budget.used_share,
            "rate_hz": config.rate_hz,
            "window_s": config.window_s,
        },
        "workers": [_worker_status(agent, one, now_ns) for one in workers.known.values()],
        "refused": workers.refused,
        "failures": {**agent.gathering.scraper.failures, **agent.gathering.uwsgi.failures},
        "limits": agent.limits.totals(),
    }


def condition_of(agent: Agent, worker: Worker, now_ns: int) -> Condition:
    """What can and cannot be done for a worker."""
    ring_id, uwsgi = worker.ring.header.ring_id, agent.gathering.uwsgi
    return condition(
        worker,
        refused=may_trace(worker.pid, agent.config.proc_root),
        sampling=agent.sampling.reasons.get(ring_id, ""),
        profiled_ms=agent.sampling.profiled_ms.get(ring_id, 0),
        master=uwsgi.masters.get(ring_id),
        uwsgi=uwsgi.reason(ring_id),
        now_ns=now_ns,
    )


def worker_series(agent: Agent, worker: Worker, now_ns: int) -> list[Series]:
    """A live worker's condition as metrics."""
    if not worker.alive:
        return []
    view = worker.view(agent.config.host, agent.config.region)
    now = condition_of(agent, worker, now_ns)
    return state_series(worker, view.identity, now, _words(worker), now_ns)


def _words(worker: Worker) -> dict[str, str]:
    header = worker.ring.header
    return {
        "release": worker.ring.string(header.release_id),
        "runtime": worker.ring.string(header.runtime_id),
        "unit": layout.UNITS[header.unit] if header.unit < len(layout.UNITS) else "none",
        "unit_reason": worker.ring.string(header.unit_reason_id),
    }


def _worker_status(agent: Agent, worker: Worker, now_ns: int) -> dict[str, Any]:
    view = worker.view(agent.config.host, agent.config.region)
    now = condition_of(agent, worker, now_ns)
    cursor = agent.flush.cursors.get(view.ring_id)
    return {
        "service": view.identity.service,
        "host": view.identity.host,
        "pid": view.pid,
        "worker": view.worker,
        **_words(worker),
        "ring_id": f"{view.ring_id:016x}",
        "alive": worker.alive,
        "seq": cursor.seq if cursor else 0,
        "permission": now.permission,
        "thread_ids": now.thread_ids,
        "idle_s": now.idle_s,
        "profiled_ms": now.profiled_ms,
        "reason": "; ".join(now.reasons),
    }
