"""uWSGI by its stats socket: found from a worker's process, or named with --uwsgi-stats."""

import json
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.limits import Limits
from agent.samples import WorkerView
from agent.series import Increases, Series
from agent.unix_queues import unix_queues
from agent.uwsgi_master import Master, master_of, parent_of
from agent.uwsgi_stats import Instance, series_of

__all__ = ["UWSGI", "read_stats"]

ANSWER_BYTES_MAX = 4 << 20
TIMEOUT_S = 1.0
ANSWER_S_MAX = 3.0
INSTANCES_MAX = 64
NO_SOCKET = (
    "no uWSGI stats socket in its options, so no listen queue: add `stats = 127.0.0.1:1717` to"
    " its ini, or name the socket with --uwsgi-stats"
)


@dataclass(slots=True)
class UWSGI:
    """Reads the stats of every instance that has workers of ours, and of those that were named."""

    limits: Limits
    proc_root: Path
    named: tuple[str, ...] = ()
    #: ring id -> its uWSGI master; a ring of another server is not in it
    masters: dict[int, Master] = field(default_factory=dict)
    #: address -> why it gave no numbers the last time
    failures: dict[str, str] = field(default_factory=dict)
    _looked: dict[int, int] = field(default_factory=dict)
    _increases: Increases = field(default_factory=Increases)

    def read(self, workers: Sequence[WorkerView]) -> list[Series]:
        """One look at every instance."""
        self._find(workers)
        instances: dict[str, Instance] = {}
        pids: dict[str, dict[int, int]] = {}
        for worker in workers:
            master = self.masters.get(worker.ring_id)
            if master and master.address:
                label = f"{worker.identity.service}-{master.pid}"
                known = pids.setdefault(master.address, {})
                found = Instance(master.address, worker.identity, label, known)
                instances.setdefault(master.address, found)
                known[worker.worker] = worker.pid
        for address in self.named:
            instances.setdefault(address, Instance(address, None, address))
        self.limits.add("uwsgi_instances_over", len(instances) - INSTANCES_MAX)
        self.failures = {}
        series: list[Series] = []
        queues = unix_queues() if instances else {}
        for instance in list(instances.values())[:INSTANCES_MAX]:
            series += self._read(instance, workers, queues)
        return series

    def reason(self, ring_id: int) -> str:
        """Why there are no uWSGI numbers of a uWSGI worker, or ""."""
        master = self.masters.get(ring_id)
        if master is None or (self.named and not master.address):
            return ""
        return self.failures.get(master.address, "") if master.address else NO_SOCKET

    def _find(self, workers: Sequence[WorkerView]) -> None:
        here = {one.ring_id: one.pid for one in workers if one.pid}
        for known in (self.masters, self._looked):
            for ring_id in known.keys() - here.keys():
                known.pop(ring_id, None)
        found: dict[int, Master | None] = {}
        for ring_id, pid in here.items():
            if self._looked.get(ring_id) == pid:
                continue
            self._looked[ring_id] = pid
            parent = parent_of(pid, self.proc_root)
            if parent not in found:
                found[parent] = master_of(pid, self.proc_root)
            master = found[parent]
            if master is not None:
                self.masters[ring_id] = master

    def _read(
        self,
        instance: Instance,
        workers: Sequence[WorkerView],
        queues: Mapping[str, tuple[int, int]],
    ) -> list[Series]:
        try:
            stats = read_stats(instance.address)
        except (OSError, ValueError) as error:
            self.limits.add("uwsgi_stats_failed")
            self.failures[instance.address] = f"uWSGI stats socket {instance.address}: {error}"
            return []
        if instance.who is None:
            instance = _named(instance, stats, workers)
        return series_of(instance, stats, self._increases, time.monotonic(), queues)


def read_stats(address: str) -> dict[str, Any]:
    """The document behind a stats address; raises OSError or ValueError."""
    plain = address.removeprefix("http://").rstrip("/") if "://" in address else address
    deadline = time.monotonic() + ANSWER_S_MAX
    raw = bytearray()
    with _connected(plain) as sock:
        if plain != address:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while part := sock.recv(65_536):
            raw += part
            if len(raw) > ANSWER_BYTES_MAX or time.monotonic() > deadline:
                raise ValueError("the answer is too long, or comes too slowly")
    body = raw.partition(b"\r\n\r\n")[2] if raw.startswith(b"HTTP/") else raw
    try:
        stats = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("does not answer with uWSGI's stats") from error
    if not isinstance(stats, dict) or "workers" not in stats:
        raise ValueError("does not answer with uWSGI's stats")
    return stats


def _connected(address: str) -> socket.socket:
    """A socket connected to /path, @abstract, host:port or :port."""
    host, _, port = address.rpartition(":")
    if port.isdigit() and not address.startswith(("/", "@")):
        host = "127.0.0.1" if host in ("", "0.0.0.0", "*") else host.strip("[]")
        return socket.create_connection((host, int(port)), TIMEOUT_S)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(TIMEOUT_S)
        sock.connect("\0" + address[1:] if address.startswith("@") else address)
    except BaseException:
        sock.close()
        raise
    return sock


def _named(instance: Instance, stats: Mapping[str, Any], workers: Iterable[WorkerView]) -> Instance:
    """An instance whose address was given, with the workers of ours that its document lists."""
    listed = stats.get("workers")
    rows = listed if isinstance(listed, list) else []
    pids = {one.get("pid") for one in rows if isinstance(one, dict)}
    ours = [one for one in workers if one.pid in pids]
    who = ours[0].identity if ours else None
    known = {one.worker: one.pid for one in ours}
    return Instance(instance.address, who, instance.label, known)
