"""A small fleet with known truth: requests and stack samples of two sides, as columns.

Costs are cpu_ns. Every host has a speed of its own, and every window of time a load of its own that
is correlated with the window before it.
"""

from dataclasses import dataclass, field

import numpy as np

from profiler.calltree import Stack
from profiler.measured import RequestWindows, SideData, StackWindows

STACKS = (
    Stack(("app.views:feed", "app.rank:affinity"), (0, 0)),
    Stack(("app.views:feed", "app.rank:affinity", "math:sqrt"), (0, 0, 2)),
    Stack(("app.views:feed", "app.rank:recency"), (0, 0)),
    Stack(("django.core:call", "app.views:feed", "json:dumps"), (1, 0, 2)),
    Stack(("django.core:call", "django.db:fetch"), (1, 1)),
)


@dataclass(frozen=True, slots=True)
class Truth:
    """cpu_ns per request of each stack of STACKS."""

    stack_ns: tuple[float, ...] = (2e6, 1e6, 3e6, 2e6, 2e6)
    hosts: int = 2
    windows: int = 12
    requests: int = 60
    samples: int = 120
    host_spread: float = 0.1
    window_spread: float = 0.02
    correlation: float = 0.5
    young_windows: int = 0
    endpoint: str = "GET /feed/"
    #: CPU use of the hosts, percent, and by what share the cost rises with each point of it
    load: float = 30.0
    load_spread: float = 0.0
    per_point: float = 0.0
    host_names: tuple[str, ...] = field(default=())


def side(label: str, truth: Truth, rng: np.random.Generator, host_seed: int = 0) -> SideData:
    """One side. Hosts keep their speed when `host_seed` is the same on both sides."""
    speeds = np.random.default_rng(host_seed).normal(1, truth.host_spread, truth.hosts)
    requests: dict[str, list] = {name: [] for name in RequestWindows.__slots__}
    stacks: dict[str, list] = {name: [] for name in StackWindows.__slots__}
    names = truth.host_names or tuple(f"web-{number}" for number in range(truth.hosts))
    for name, speed in zip(names, speeds, strict=True):
        load = 0.0
        for window in range(truth.windows):
            load = truth.correlation * load + rng.normal(0, truth.window_spread)
            count = int(rng.poisson(truth.requests)) or 1
            busy = float(np.clip(rng.normal(truth.load, truth.load_spread), 0, 100))
            cost = sum(truth.stack_ns) * speed * (1 + load) * (1 + truth.per_point * busy)
            total = rng.gamma(count * 4, cost / 4)
            row = (name, window, truth.endpoint, "http", "cpu_ns", count, 0, total, total)
            _append(requests, (*row, window >= truth.young_windows, busy))
            shares = np.array(truth.stack_ns) / sum(truth.stack_ns)
            for stack, seen in enumerate(rng.multinomial(truth.samples, shares)):
                if seen:
                    at = (name, window, truth.endpoint, stack, seen * 0.05, float(seen), False)
                    _append(stacks, at)
    return SideData(
        label,
        RequestWindows(**_columns(requests)),
        StackWindows(**_columns(stacks)),
        {truth.endpoint: 50.0},
    )


def _append(columns: dict[str, list], row: tuple) -> None:
    for column, value in zip(columns.values(), row, strict=True):
        column.append(value)


def _columns(columns: dict[str, list]) -> dict[str, np.ndarray]:
    kinds = {"host": "U", "endpoint": "U", "kind": "U", "unit": "U", "warm": "?", "contended": "?"}
    kinds |= {"window": "i8", "stack": "i8"}
    return {name: np.array(values, dtype=kinds.get(name, "f8")) for name, values in columns.items()}
