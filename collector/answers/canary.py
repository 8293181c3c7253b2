"""Is a canary release worse than the control at the same minutes?"""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from collector.answers.canary_data import canary_data, endpoint_rows
from collector.answers.records import Answer, Window
from collector.answers.sides import Side
from collector.errors import BadQuestion
from collector.store import canary_reads, reads
from collector.store.store import Store, truncated
from profiler.canary import LOOKS, Plan, watch
from profiler.canary_records import Canary, CanaryLimits

__all__ = ["canary"]

#: Windows of the time that is watched; at least WINDOW_MS_MIN each.
WINDOWS = 60
WINDOW_MS_MIN = 5_000
#: How late data may come: a look is taken when it is this old.
SETTLE_MS = 15_000
#: A release that served nothing for so long has ended; what it serves later is another canary.
GAP_MINUTES = 5
LIMITS = CanaryLimits()


def canary(
    store: Store,
    window: Window,
    *,
    service: str,
    release: str,
    control: str,
    for_s: float = 600.0,
    endpoint: str = "",
    limits: CanaryLimits = LIMITS,
    warmup_requests: int = 200,
    warmup_s: int = 120,
) -> Answer[Canary]:
    """`release` against `control` for `for_s` from the canary's first request on.

    `window`: where that request is looked for; its end is now. Nothing later than that is used.
    """
    if release == control:
        raise BadQuestion(f"The release and the control are both {release!r}: name two releases.")
    started_ms, seen_ms = _stretch(store, window, service, release, endpoint)
    plan = _plan(window, started_ms, service, release, control, for_s, limits)
    if not started_ms:
        return Answer(_nothing(plan, f"{release} has not served yet"))
    for_ms = round(for_s * 1000)
    during = Window(started_ms, min(window.to_ms, started_ms + for_ms))
    before = Window(max(started_ms - for_ms, 0), started_ms)
    early = Window(before.from_ms, min(during.to_ms, started_ms + for_ms // LOOKS))
    slow_ns = _slow_ns(store, early, service, control, endpoint)
    if not slow_ns:
        return Answer(_nothing(plan, f"{control} did not serve at the same minutes"))
    warmup = (warmup_requests, warmup_s)
    tables = _tables(store, plan, during, before, endpoint, slow_ns, warmup)
    found = watch(canary_data(release, *tables), plan)
    latency = [
        reads.latency_quantiles(store, _side(name, during), service, endpoint)
        for name in (release, control)
    ]
    found = replace(found, endpoints=endpoint_rows(tables[2], release, *latency))
    cut = any(truncated(table) for table in tables)
    return Answer(
        _cut(found) if cut else found, unit=_unit(tables[0]), truncated=cut, as_of_ms=seen_ms
    )


def _tables(
    store: Store,
    plan: Plan,
    during: Window,
    before: Window,
    endpoint: str,
    slow_ns: dict[str, int],
    warmup: tuple[int, int],
) -> tuple[pa.Table, ...]:
    """In the order of canary_data's parameters."""
    both = (plan.service, plan.release, plan.control)
    width_ms = _width_ms(plan.for_s)
    requests, memory = [], []
    for window in (during, before):
        requests.append(
            canary_reads.canary_windows(
                store,
                window,
                *both,
                slow_ns,
                window_ms=width_ms,
                warmup_requests=warmup[0],
                warmup_s=warmup[1],
            )  # fmt: skip
        )
        memory.append(canary_reads.canary_memory(store, window, plan.service, window_ms=width_ms))
    said = canary_reads.canary_statuses(store, during, *both, endpoint, window_ms=width_ms)
    workers = canary_reads.canary_workers(store, Window(before.from_ms, during.to_ms), *both)
    return (*requests, said, workers, *memory)


def _stretch(
    store: Store, window: Window, service: str, release: str, endpoint: str
) -> tuple[int, int]:
    """First and last request of the newest time in which the release served without a gap."""
    rows = canary_reads.release_minutes(store, window, service, release, endpoint).to_pylist()
    started_ms = 0
    for later, row in zip([None, *reversed(rows)], reversed(rows), strict=False):
        if later is not None and later["minute"] - row["minute"] > GAP_MINUTES:
            break
        started_ms = row["first_ms"]
    return started_ms, rows[-1]["last_seen_ms"] if rows else 0


def _plan(
    window: Window,
    started_ms: int,
    service: str,
    release: str,
    control: str,
    for_s: float,
    limits: CanaryLimits,
) -> Plan:
    width_ms = _width_ms(for_s)
    first, number = started_ms // width_ms, round(for_s * 1000) // width_ms
    waited_ms = window.to_ms - SETTLE_MS - started_ms if started_ms else 0
    seen_s = min(max(waited_ms, 0) / 1000, for_s)
    look = int(np.floor(seen_s / for_s * LOOKS + 1e-9))
    return Plan(
        release=release, control=control, service=service, started_ms=started_ms, for_s=for_s,
        seen_s=seen_s, first_window=first, windows=number, look=look, limits=limits,
    )  # fmt: skip


def _width_ms(for_s: float) -> int:
    return max(round(for_s * 1000 / WINDOWS), WINDOW_MS_MIN)


def _slow_ns(
    store: Store, window: Window, service: str, control: str, endpoint: str
) -> dict[str, int]:
    """Endpoint -> the control's P95 until the first look: later looks do not move it."""
    rows = reads.latency_quantiles(store, _side(control, window), service, endpoint).to_pylist()
    return {
        row["endpoint"]: round(row["p95"] * 1e6) if np.isfinite(row["p95"]) else 2**62
        for row in rows
    }


def _side(release: str, window: Window) -> Side:
    return Side(release, release, "", "", window.from_ms, window.to_ms)


def _unit(rows: pa.Table) -> str:
    units = [unit for unit in rows["cost_unit"].unique().to_pylist() if unit != "none"]
    return units[0] if len(units) == 1 else ""


def _nothing(plan: Plan, why: str) -> Canary:
    """Nothing to compare: when the time is over that is no pass."""
    return Canary(
        release=plan.release, control=plan.control, service=plan.service,
        verdict="cannot tell" if plan.look == plan.looks else "waiting", headline=why,
        started_ms=plan.started_ms, for_s=plan.for_s, seen_s=plan.seen_s, looks=plan.looks,
        look=0, alpha=plan.alpha, level=0.0, hosts_canary=0, hosts_control=0, warmup_requests=0,
        measures=(), endpoints=(),
    )  # fmt: skip


def _cut(found: Canary) -> Canary:
    """Rows that were left out may be those that matter."""
    note = "more rows than a question may read: name one --endpoint, or a shorter time"
    if found.verdict != "pass":
        return replace(found, notes=(*found.notes, note))
    return replace(
        found, verdict="cannot tell", headline=f"cannot tell: {note}", notes=(*found.notes, note)
    )
