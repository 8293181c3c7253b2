"""Finds the rings of a folder and tells the living workers from the dead."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import RingRefused
from agent.requests import Identity
from agent.rings import Ring, open_ring
from agent.samples import WorkerView

__all__ = ["Worker", "Workers", "start_ticks"]


@dataclass(slots=True)
class Worker:
    """A ring and the process that writes it. `last_alive_ns` 0: never seen alive."""

    ring: Ring
    alive: bool
    #: why the process cannot be looked at, or ""
    unreachable: str
    last_alive_ns: int = 0

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
            pid=header.pid,
            worker=header.worker,
            release=ring.string(header.release_id),
            identity=identity,
            sys_path=ring.string(header.sys_path_id),
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

    def look(self, now_ns: int) -> None:
        """Take in new rings, let go of removed ones, see who lives."""
        names = _ring_names(self.folder)
        if names is None:
            names = {worker.ring.path.name for worker in self.known.values()}
        self.names = names
        open_names = {worker.ring.path.name: ring_id for ring_id, worker in self.known.items()}
        for name in open_names.keys() - names:
            self.known.pop(open_names[name]).ring.close()
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
            self._judge(worker, now_ns)

    def remove(self, ring_id: int) -> None:
        """Delete the ring of a dead worker: all that it held is on disk."""
        worker = self.known.pop(ring_id)
        worker.ring.path.unlink(missing_ok=True)
        worker.ring.close()

    def _judge(self, worker: Worker, now_ns: int) -> None:
        header = worker.ring.header
        own_namespace = _namespace(self.proc_root)
        if header.pid_namespace and own_namespace and header.pid_namespace != own_namespace:
            worker.unreachable = "in another pid namespace"
            return
        ticks = start_ticks(header.pid, self.proc_root)
        same = ticks == header.process_start_ticks or not header.process_start_ticks
        worker.alive = ticks is not None and same
        if worker.alive:
            worker.last_alive_ns = now_ns


def start_ticks(pid: int, proc_root: Path) -> int | None:
    """Field 22 of /proc/PID/stat; None for a process that is gone or a zombie."""
    try:
        fields = (
            (proc_root / f"{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        )
    except OSError:
        return None
    return None if len(fields) < 20 or fields[0] in "ZX" else int(fields[19])


def _ring_names(folder: Path) -> set[str] | None:
    """Names of ring files; none without a folder, None where it cannot be read at the moment."""
    try:
        return {name for name in os.listdir(folder) if name.endswith(".ring")}
    except FileNotFoundError:
        return set()
    except OSError:
        return None


def _namespace(proc_root: Path) -> int:
    """Inode of the agent's own pid namespace; 0 where it cannot be read."""
    try:
        return (proc_root / "self/ns/pid").stat().st_ino
    except OSError:
        return 0
