"""One uWSGI stats document -> series. Pure.

https://uwsgi-docs.readthedocs.io/en/latest/StatsServer.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.requests import Identity
from agent.series import Increases, Series

__all__ = ["Instance", "series_of"]

WORKERS_MAX = 1_024
#: uWSGI has these states of a worker besides `busy`: it does not serve.
_AWAY = ("cheap", "pause")
#: Of each worker: field -> our name and unit. They only rise until the instance starts anew.
_COUNTERS = (
    ("requests", "uwsgi_requests", "requests"),
    ("exceptions", "uwsgi_exceptions", "exceptions"),
    ("harakiri_count", "uwsgi_harakiri", "kills"),
    ("respawn_count", "uwsgi_respawns", "starts"),
    ("tx", "uwsgi_sent_bytes", "bytes"),
)


@dataclass(frozen=True, slots=True)
class Instance:
    """A uWSGI master: its stats address, and whose numbers these are (None: the host's).

    `pids`: worker number -> its pid, as far as its ring is known.
    """

    address: str
    who: Identity | None
    label: str
    pids: Mapping[int, int] = field(default_factory=dict)


def series_of(
    instance: Instance,
    stats: Mapping[str, Any],
    increases: Increases,
    now_s: float,
    queues: Mapping[str, tuple[int, int]],
) -> list[Series]:
    """All that one document says. A field that is missing, or no number, is left out.

    `queues`: name of a Unix socket -> (requests that wait, how many may).
    """
    series = list(_of_instance(instance, stats, increases, queues))
    workers = stats.get("workers")
    rows = [one for one in workers if isinstance(one, dict)] if isinstance(workers, list) else []
    for one in rows[:WORKERS_MAX]:
        series += _of_worker(instance, one, increases, now_s)
    busy = sum(map(_busy, rows))
    away = sum(one.get("status") in _AWAY for one in rows)
    cores = [core for one in rows for core in _list(one, "cores")]
    counts = {
        "uwsgi_workers": (len(rows), "workers"),
        "uwsgi_workers_busy": (busy, "workers"),
        "uwsgi_workers_idle": (len(rows) - busy - away, "workers"),
        "uwsgi_threads": (len(cores), "threads"),
        "uwsgi_threads_busy": (sum(_in_request(core) for core in cores), "threads"),
    }
    for name, (count, unit) in counts.items():
        series.append(_gauge(instance, name, unit, count))
    return series


def _of_instance(
    instance: Instance,
    stats: Mapping[str, Any],
    increases: Increases,
    queues: Mapping[str, tuple[int, int]],
) -> Iterable[Series]:
    found = [one for one in (_queue(each, queues) for each in _list(stats, "sockets")) if one]
    if found:
        fullest = max(found, key=lambda one: one[0] / one[1])
        yield _gauge(instance, "uwsgi_listen_queue", "requests", fullest[0])
        yield _gauge(instance, "uwsgi_listen_queue_max", "requests", fullest[1])
    errors = _number(stats, "listen_queue_errors")
    if errors is not None:
        name = "uwsgi_listen_queue_errors"
        yield from _counter(instance, name, "errors", errors, increases, ())


def _queue(
    of: Mapping[str, Any], queues: Mapping[str, tuple[int, int]]
) -> tuple[float, float] | None:
    """(requests that wait, how many may) of one socket; of a Unix socket uWSGI says 0 of 0."""
    waiting, room = _number(of, "queue"), _number(of, "max_queue")
    if waiting is not None and room:
        return waiting, room
    name = of.get("name")
    known = queues.get(name) if isinstance(name, str) else None
    return known if known and known[1] else None


def _of_worker(
    instance: Instance, worker: Mapping[str, Any], increases: Increases, now_s: float
) -> Iterable[Series]:
    number, pid = _number(worker, "id"), _number(worker, "pid")
    if number is None:
        return
    labels: tuple[str, ...] = (f"worker={number:.0f}",)
    if int(number) in instance.pids:
        labels = (f"pid={instance.pids[int(number)]}", *labels)
    for source, name, unit in _COUNTERS:
        value = _number(worker, source)
        if value is not None:
            yield from _counter(instance, name, unit, value, increases, labels, number)
    average_us = _number(worker, "avg_rt")
    if average_us is not None and pid:
        yield _gauge(instance, "uwsgi_avg_rt_us", "us", average_us, labels)
    # Wall time inside requests, us, over all of the worker's threads.
    running_us = _number(worker, "running_time")
    if running_us is None or not pid:
        return
    key = (instance.address, number, pid)
    spent_us = increases.of((*key, "running_time"), running_us)
    passed_s = increases.of((*key, "at"), now_s)
    if spent_us is not None and passed_s:
        share = spent_us / 1e6 / passed_s / max(1, len(_list(worker, "cores")))
        # A long request is added when it ends.
        yield _gauge(instance, "uwsgi_busy_share", "share", min(share, 1.0), labels)


def _gauge(
    instance: Instance, name: str, unit: str, value: float, labels: tuple[str, ...] = ()
) -> Series:
    labels = tuple(sorted((*labels, f"uwsgi={instance.label}")))
    return Series(name, "gauge", unit, labels, value, "uwsgi", instance.who)


def _counter(
    instance: Instance,
    name: str,
    unit: str,
    value: float,
    increases: Increases,
    labels: tuple[str, ...],
    worker: float = 0,
) -> Iterable[Series]:
    increase = increases.of((instance.address, name, worker), value)
    if increase is not None:
        labels = tuple(sorted((*labels, f"uwsgi={instance.label}")))
        yield Series(name, "counter", unit, labels, increase, "uwsgi", instance.who)


def _busy(worker: Mapping[str, Any]) -> bool:
    return worker.get("status") == "busy" or any(map(_in_request, _list(worker, "cores")))


def _in_request(core: Mapping[str, Any]) -> bool:
    return core.get("in_request") == 1


def _list(of: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = of.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _number(of: Mapping[str, Any], name: str) -> float | None:
    found = of.get(name)
    usable = isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < 2**63
    return float(found) if usable and found is not None else None
