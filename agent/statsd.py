"""StatsD over UDP: lines of other people's packets become rows of `metrics`. Parsing is pure.

Types: c (counter), g (gauge; +1 and -1 change it), ms, h and d (distributions), s (set). Sample
rates (`|@0.1`), several lines a packet, DogStatsD's tags (`|#region:eu,canary`) and its packed
values (`size:1:2:3|d`) are understood.
https://github.com/statsd/statsd/blob/master/docs/metric_types.md
"""

import math
import re
import socket
from collections.abc import Iterable, Sized
from dataclasses import dataclass, field
from struct import Struct
from threading import Event, Lock

from agent.errors import AgentError
from agent.limits import Limits
from agent.series import Series

__all__ = ["Line", "StatsD", "listen", "parse_line", "unpacked"]

PACKET_BYTES_MAX = 65_535
SERIES_MAX = 2_000
#: Values kept of one distribution between two flushes; past it, every further one replaces one.
VALUES_MAX = 5_000
#: Different members of one set between two flushes.
MEMBERS_MAX = 10_000
#: Values that one line may carry.
PACKED_MAX = 1_000
RECEIVE_BUFFER_BYTES = 1 << 20
#: <linux/sock_diag.h>, <asm-generic/socket.h>: how many packets a socket had no room for.
SO_MEMINFO, MEMINFO, MEMINFO_DROPS = 55, Struct("=9I"), 8
NAME_BYTES_MAX = 200
TAGS_MAX = 16
QUANTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))
KINDS = ("c", "g", "ms", "h", "d", "s")
_ODD = re.compile(r"[^0-9A-Za-z_.\-/]")

Key = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """One metric line. `text`: the member of a set; `relative`: the gauge changes by `value`."""

    name: str
    kind: str
    value: float
    text: str
    weight: float
    """1 / sample rate"""
    relative: bool
    labels: tuple[str, ...]


def parse_line(line: str) -> Line | None:
    """One line, or None where it is not understood."""
    head, *rest = line.strip().split("|")
    name, _, text = head.partition(":")
    kind = rest[0] if rest else ""
    if not name or not text or kind not in KINDS or len(name) > NAME_BYTES_MAX:
        return None
    weight = 1.0
    labels: tuple[str, ...] = ()
    for part in rest[1:]:
        if part.startswith("@"):
            rate = _number(part[1:])
            if rate is None or not 0 < rate <= 1:
                return None
            weight = 1 / rate
        elif part.startswith("#"):
            labels = _labels(part[1:])
    value = 0.0 if kind == "s" else _number(text)
    if value is None:
        return None
    relative = kind == "g" and text[0] in "+-"
    return Line(_ODD.sub("_", name), kind, value, text, weight, relative, labels)


def unpacked(line: str) -> list[str]:
    """`a:1|d|#x` and `a:2|d|#x` of `a:1:2|d|#x`; a set's member may hold a colon."""
    head, bar, rest = line.partition("|")
    name, _, values = head.partition(":")
    if ":" not in values or rest.strip().partition("|")[0] == "s":
        return [line]
    return [f"{name}:{value}{bar}{rest}" for value in values.split(":")[:PACKED_MAX]]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _labels(text: str) -> tuple[str, ...]:
    """region=eu of `region:eu`; a tag without value is `tag=`. Sorted, at most TAGS_MAX."""
    pairs = (tag.partition(":") for tag in text.split(",") if tag)
    found = (f"{_ODD.sub('_', key)}={value[:NAME_BYTES_MAX]}" for key, _, value in pairs)
    return tuple(sorted(found)[:TAGS_MAX])


@dataclass(slots=True)
class StatsD:
    """What came in since the last `take`. One thread receives, another takes."""

    limits: Limits
    _counters: dict[Key, float] = field(default_factory=dict)
    _gauges: dict[Key, float] = field(default_factory=dict)
    _values: dict[Key, list[float]] = field(default_factory=dict)
    _counts: dict[Key, float] = field(default_factory=dict)
    _sets: dict[Key, set[str]] = field(default_factory=dict)
    _changed: set[Key] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def receive(self, sock: socket.socket, stop: Event) -> None:
        """Take packets until `stop` is set."""
        sock.settimeout(0.5)
        dropped = packets = 0
        while not stop.is_set():
            try:
                packet = sock.recv(PACKET_BYTES_MAX)
            except TimeoutError:
                packet = b""
            if packets % 1_000 == 0 or not packet:
                now = _dropped(sock)
                self.limits.add("statsd_packets_dropped", now - dropped)
                dropped = now
            packets += 1
            self.add(packet)

    def add(self, packet: bytes) -> None:
        """Take one packet; what is not understood is counted."""
        lines = packet.decode("utf-8", "replace").split("\n")
        for text in (one for line in lines if line.strip() for one in unpacked(line)):
            line = parse_line(text)
            if line is None:
                self.limits.add("statsd_lines_not_understood")
                continue
            with self._lock:
                self._add(line)

    def take(self) -> list[Series]:
        """The series since the last `take`. Gauges keep their value; only changed ones are told."""
        with self._lock:
            series = [Series(k[0], "counter", "", k[2], v) for k, v in self._counters.items()]
            changed = sorted(self._changed)
            series += [Series(k[0], "gauge", "", k[2], self._gauges[k]) for k in changed]
            series += [Series(k[0], "gauge", "", k[2], len(v)) for k, v in self._sets.items()]
            for key, values in self._values.items():
                series += _statistics(key, values, self._counts[key])
            for taken in (self._counters, self._values, self._counts, self._sets):
                taken.clear()
            self._changed.clear()
        return series

    def _add(self, line: Line) -> None:
        key = (line.name, line.kind, line.labels)
        if not self._has_room(key) and not self._forget_gauge():
            self.limits.add("statsd_series_over")
            return
        if line.kind == "c":
            self._counters[key] = self._counters.get(key, 0.0) + line.value * line.weight
        elif line.kind == "g":
            before = self._gauges.pop(key, 0.0)  # and to the end: the first is the oldest
            self._gauges[key] = line.value + (before if line.relative else 0.0)
            self._changed.add(key)
        elif line.kind == "s":
            members = self._sets.setdefault(key, set())
            if len(members) < MEMBERS_MAX or line.text in members:
                members.add(line.text[:NAME_BYTES_MAX])
            else:
                self.limits.add("statsd_set_members_over")
        else:
            values = self._values.setdefault(key, [])
            self._counts[key] = self._counts.get(key, 0.0) + line.weight
            if len(values) < VALUES_MAX:
                values.append(line.value)
            else:
                values[int(self._counts[key]) % VALUES_MAX] = line.value
                self.limits.add("statsd_values_replaced")

    def _forget_gauge(self) -> bool:
        """Make room at the cost of the gauge that was set longest ago, unless it is news."""
        oldest = next(iter(self._gauges), None)
        if oldest is None or oldest in self._changed:
            return False
        del self._gauges[oldest]
        return True

    def _has_room(self, key: Key) -> bool:
        stores: tuple[Sized, ...] = (self._counters, self._gauges, self._values, self._sets)
        known = key in self._counters or key in self._gauges
        known = known or key in self._values or key in self._sets
        return known or sum(map(len, stores)) < SERIES_MAX


def _statistics(key: Key, values: list[float], count: float) -> Iterable[Series]:
    """count, mean, max and quantiles of a distribution, each a series with `stat=`."""
    name, kind, labels = key
    unit = "ms" if kind == "ms" else ""
    ordered = sorted(values)
    found = {"count": count, "mean": math.fsum(ordered) / len(ordered), "max": ordered[-1]}
    for stat, share in QUANTILES:
        found[stat] = ordered[min(int(share * len(ordered)), len(ordered) - 1)]
    for stat, value in found.items():
        yield Series(name, "histogram", unit, (*labels, f"stat={stat}"), value)


def listen(port: int) -> socket.socket:
    """A UDP socket on loopback; raises AgentError where the port is taken."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise AgentError(
            f"the StatsD port {port} cannot be had ({error.strerror}): "
            "name another with --statsd-port"
        ) from error
    return sock


def _dropped(sock: socket.socket) -> int:
    """Packets that the socket had no room for; 0 where the kernel does not say."""
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size)
    except OSError:
        return 0
    return int(MEMINFO.unpack(raw)[MEMINFO_DROPS]) if len(raw) == MEMINFO.size else 0
