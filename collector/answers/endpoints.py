"""What does each endpoint cost?"""

from collector.answers.limits import limits_hit
from collector.answers.records import Answer, EndpointRow, Window
from collector.answers.sums import Sums, sums_of
from collector.answers.together import together
from collector.answers.windows import covered
from collector.store import answer_reads
from collector.store.store import Store, truncated

__all__ = ["endpoints"]

NS_PER_S = 1e9
LIVED_MS_MIN = 1_000


def endpoints(store: Store, window: Window, service: str) -> Answer[tuple[EndpointRow, ...]]:
    """Endpoints of a service by cost x traffic, dearest first; shares are within one cost unit."""
    table, limits = together(
        lambda: answer_reads.endpoint_sums(store, window, service),
        lambda: limits_hit(store, window, service),
    )
    all_sums = sums_of(table)
    totals: dict[str, float] = {}
    for sums in all_sums:
        unit = sums.row["cost_unit"]
        totals[unit] = totals.get(unit, 0.0) + sums.row["cost_total"]
    as_of_ms = max((sums.row["last_seen_ms"] for sums in all_sums), default=0)
    seconds = _lived(store, service, covered(window, as_of_ms)).seconds
    rows = [_row(sums, totals, seconds) for sums in all_sums]
    rows.sort(key=lambda row: (-row.cost_share, -row.requests, row.endpoint))
    units = sorted(totals, key=lambda unit: -totals[unit])
    return Answer(
        data=tuple(rows),
        unit=units[0] if units else "",
        truncated=truncated(table),
        as_of_ms=as_of_ms,
        limits=limits,
    )


def _lived(store: Store, service: str, window: Window) -> Window:
    """The part of the window in which the service was known: rates are over no more than that."""
    first_ms = answer_reads.began_ms(store, service, window.from_ms)
    return Window(max(window.from_ms, min(first_ms, window.to_ms - LIVED_MS_MIN)), window.to_ms)


def _row(sums: Sums, totals: dict[str, float], seconds: float) -> EndpointRow:
    row = sums.row
    total = totals[row["cost_unit"]]
    return EndpointRow(
        endpoint=row["endpoint"],
        kind=row["kind"],
        cost_unit=row["cost_unit"],
        requests=sums.requests,
        per_s=row["requests"] / seconds,
        cost=sums.mean("cost_total"),
        task_clock_ns=sums.mean("task_clock_total"),
        cost_share=row["cost_total"] / total if total else 0.0,
        cpu_cores=row["task_clock_total"] / NS_PER_S / seconds,
        error_rate=sums.error_rate,
        errors=sums.errors,
        killed=sums.killed,
        wall_ms_mean=sums.mean_ms("wall_total"),
        latency_ms_p50=sums.latency_ms(0.50),
        latency_ms_p95=sums.latency_ms(0.95),
        latency_ms_p99=sums.latency_ms(0.99),
        db_ms=sums.mean_ms("db_total"),
        cache_ms=sums.mean_ms("cache_total"),
        rpc_ms=sums.mean_ms("rpc_total"),
        releases=tuple(row["releases"]),
    )
