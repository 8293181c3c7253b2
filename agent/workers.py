"""Finds the rings of a folder and tells the living workers from the dead."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import RingRefused
from agent.inside import why_not
from agent.namespaces import Namespaces, hidden, start_ticks
from agent.requests import Identity
from agent.rings import Ring, open_ring
from agent.samples import WorkerView

__all__ = ["Worker", "Workers"]

ELSEWHERE = (
    "in a pid namespace that the agent cannot see: records are read, but no process numbers and"
    " no stacks (run the agent on the host, or in Kubernetes with hostPID: true)"
)
HIDDEN = (
    "/proc hides the process from the agent (hidepid), so neither numbers nor stacks: give the"
    " agent the group of the mount option gid="
)


@dataclass(slots=True)
class Worker:
    """A ring and the process that writes it. `last_alive_ns` 0: never seen alive."""

    ring: Ring
    alive: bool
    #: why no stacks can be taken of the process, or ""
    unreachable: str
    last_alive_ns: int = 0
    #: the agent's own pid for it, which is not the ring's in a container; 0: not known
    pid: int = 0
    #: its pid in its own pid namespace; 0 if that is ours, or not known
    inner_pid: int = 0
    #: when its newest record was read
    last_record_ns: int = 0

    def view(self, host: str, region: str) -> WorkerView:
        """What sampling and metrics need; `host` and `region` where the ring names none."""
        ring, header = self.ring, self.ring.header
        identity = Identity(
            ring.string(header.service_id),
            ring.string(header.host_id) or host,
            ring.string(header.region_id) or region,
        )
        return WorkerView(
            ring_id=header.ring_id,
            pid=self.pid,
            worker=header.worker,
            release=ring.string(header.release_id),
            identity=identity,
            sys_path=ring.string(header.sys_path_id),
            inner_pid=self.inner_pid,
        )


@dataclass(slots=True)
class Workers:
    """The rings of one folder, by ring id; `refused`: file name -> why it cannot be read."""

    folder: Path
    proc_root: Path
    known: dict[int, Worker] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    #: file names seen by the last look
    names: set[str] = field(default_factory=set)
    namespaces: Namespaces = field(init=False)
    #: why the agent cannot enter other pid namespaces, or ""; py-spy asks /proc about thread ids as
    #: the process itself counts them, and from outside it would find other threads
    shut_out: str = field(init=False)

    def __post_init__(self) -> None:
        self.shut_out = why_not(self.proc_root)
        self.namespaces = Namespaces(self.proc_root)

    def look(self, now_ns: int) -> None:
        """Take in new rings, let go of removed ones, see who lives."""
        names = _ring_names(self.folder)
        if names is None:
            names = {worker.ring.path.name for worker in self.known.values()}
        self.names = names
        open_names = {worker.ring.path.name: ring_id for ring_id, worker in self.known.items()}
        for name in open_names.keys() - names:
            self._close(open_names[name])
        self.refused = {}
        for name in sorted(names - open_names.keys()):
            try:
                ring = open_ring(self.folder / name)
            except RingRefused as error:
                self.refused[name] = str(error)
                continue
            if ring.header.ring_id in self.known:
                self.refused[name] = f"{name}: a second file with this ring id"
                ring.close()
                continue
            ring.read_strings(ring.counters()["strings_used"])
            self.known[ring.header.ring_id] = Worker(ring, True, "")
        for worker in self.known.values():
            with suppress(OSError):  # out of files or memory: everybody stays what they were
                self._judge(worker, now_ns)

    def remove(self, ring_id: int) -> None:
        """Delete the ring of a dead worker: all that it held is on disk."""
        self.known[ring_id].ring.path.unlink(missing_ok=True)
        self._close(ring_id)

    def _close(self, ring_id: int) -> None:
        self.known.pop(ring_id).ring.close()
        self.namespaces.forget(ring_id)

    def _judge(self, worker: Worker, now_ns: int) -> None:
        """See whether a worker's process lives; what cannot be told is taken for alive."""
        header = worker.ring.header
        if not self.namespaces.foreign(header):
            worker.pid = header.pid
        elif not worker.pid:
            found = self.namespaces.find(header, now_ns)
            worker.unreachable = ELSEWHERE if found is None else self.shut_out
            worker.alive = found != 0
            worker.pid = found or 0
            worker.inner_pid = header.pid if found else 0
            if not found:
                return
        ticks = start_ticks(worker.pid, self.proc_root)
        same = ticks == header.process_start_ticks or not header.process_start_ticks
        if ticks is None and hidden(worker.pid, self.proc_root):
            worker.unreachable = HIDDEN
            worker.last_alive_ns = now_ns
            return
        worker.alive = ticks is not None and same
        if worker.alive:
            worker.last_alive_ns = now_ns


def _ring_names(folder: Path) -> set[str] | None:
    """Names of ring files; none without a folder, None where it cannot be read at the moment."""
    try:
        return {name for name in os.listdir(folder) if name.endswith(".ring")}
    except FileNotFoundError:
        return set()
    except OSError:
        return None
