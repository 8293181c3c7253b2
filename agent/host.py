"""Numbers of the whole machine: CPU, memory, disk, network, pressure."""

import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from agent.series import Increases, Series

__all__ = ["Host", "pressure"]

_TOTAL = re.compile(r"^(some|full) .*total=(\d+)$", re.MULTILINE)


@dataclass(slots=True)
class Host:
    """Reads psutil and /proc/pressure. Sums over disks and network cards; loopback left out."""

    proc_root: Path
    #: the file system whose room is told
    disk: Path = Path("/")
    _increases: Increases = field(default_factory=Increases)

    def __post_init__(self) -> None:
        psutil.cpu_times_percent(None)  # the first answer has no time before it

    def series(self, host: str) -> list[Series]:
        """All of them; marked where `host` is only a part of its machine."""
        labels = () if host == socket.gethostname() else ("shared_machine=1",)
        return [*self._gauges(labels), *self._counters(labels)]

    def _gauges(self, labels: Sequence[str]) -> Iterable[Series]:
        memory, swap, cpu = (
            psutil.virtual_memory(),
            psutil.swap_memory(),
            psutil.cpu_times_percent(None),
        )
        disk = psutil.disk_usage(str(self.disk))
        for name, unit, value in (
            ("host_cpu_percent", "percent", max(0.0, 100.0 - cpu.idle - cpu.iowait)),
            ("host_cpu_system_percent", "percent", cpu.system),
            ("host_cpu_iowait_percent", "percent", cpu.iowait),
            ("host_cpu_steal_percent", "percent", cpu.steal),
            ("host_cores", "cores", psutil.cpu_count() or 1),
            ("host_load_1m", "processes", psutil.getloadavg()[0]),
            ("host_memory_total_bytes", "bytes", memory.total),
            ("host_memory_used_bytes", "bytes", memory.total - memory.available),
            ("host_swap_used_bytes", "bytes", swap.used),
            ("host_disk_total_bytes", "bytes", disk.total),
            ("host_disk_used_bytes", "bytes", disk.used),
        ):
            yield Series(name, "gauge", unit, tuple(labels), value, "host")

    def _counters(self, labels: Sequence[str]) -> Iterable[Series]:
        totals: list[tuple[str, str, float]] = []
        disk = psutil.disk_io_counters()
        if disk is not None:
            totals += [
                ("host_disk_read_bytes", "bytes", disk.read_bytes),
                ("host_disk_written_bytes", "bytes", disk.write_bytes),
                ("host_disk_busy_s", "s", getattr(disk, "busy_time", 0) / 1000),
            ]
        cards = psutil.net_io_counters(pernic=True)
        outside = [numbers for name, numbers in cards.items() if name != "lo"]
        totals += [
            ("host_network_received_bytes", "bytes", sum(one.bytes_recv for one in outside)),
            ("host_network_sent_bytes", "bytes", sum(one.bytes_sent for one in outside)),
            ("host_network_errors", "packets", sum(one.errin + one.errout for one in outside)),
            ("host_network_dropped", "packets", sum(one.dropin + one.dropout for one in outside)),
        ]
        for resource in ("cpu", "memory", "io"):
            for who, stalled_s in pressure(resource, self.proc_root).items():
                totals.append((f"host_{resource}_pressure_{who}_s", "s", stalled_s))
        for name, unit, total in totals:
            increase = self._increases.of(name, total)
            if increase is not None:
                yield Series(name, "counter", unit, tuple(labels), increase, "host")


def pressure(resource: str, proc_root: Path) -> dict[str, float]:
    """Seconds in which some (or all) tasks waited for a resource, since the start of the machine.

    Nothing where the kernel does not tell (CONFIG_PSI).
    https://docs.kernel.org/accounting/psi.html
    """
    try:
        text = (proc_root / f"pressure/{resource}").read_text()
    except OSError:
        return {}
    return {who: int(total_us) / 1e6 for who, total_us in _TOTAL.findall(text)}
