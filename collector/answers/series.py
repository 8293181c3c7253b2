"""How did cost and latency of an endpoint, or of all, move over time, by release?"""

from collector.answers.limits import limits_hit
from collector.answers.records import Answer, SeriesPoint, Window
from collector.answers.sums import Sums, sums_of
from collector.answers.windows import MINUTE_MS, covered, rolled_up
from collector.store import answer_reads
from collector.store.store import Store, truncated

__all__ = ["POINTS_MAX", "series", "step_of"]

#: Steps of time in one answer; each release has a point in each.
POINTS_MAX = 400
RAW_STEP_MS = 10_000
OLD_STEP_MS = 5 * MINUTE_MS
MINUTES_MS = tuple(
    minutes * MINUTE_MS for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)
)


def series(
    store: Store, window: Window, service: str, endpoint: str = ""
) -> Answer[tuple[SeriesPoint, ...]]:
    """Points by time, release and cost unit; an empty endpoint means all. Steps: `step_of`."""
    step_ms = step_of(window)
    raw = step_ms < MINUTE_MS
    if not raw and window.from_ms < store.hours_until_ms():
        # Minutes of those days are gone.
        step_ms = max(step_ms, OLD_STEP_MS)
    asked = None if raw else rolled_up(window)
    table = answer_reads.series_sums(
        store, asked or window, service, endpoint, step_ms=step_ms, raw=raw
    )
    all_sums = sums_of(table)
    as_of_ms = max((sums.row["last_seen_ms"] for sums in all_sums), default=0)
    whole = window if raw else covered(window, as_of_ms)
    return Answer(
        data=tuple(_point(sums, whole, step_ms) for sums in all_sums),
        unit=all_sums[0].row["cost_unit"] if all_sums else "",
        truncated=truncated(table),
        as_of_ms=as_of_ms,
        limits=limits_hit(store, window, service),
    )


def step_of(window: Window) -> int:
    """10 s (raw rows) below an hour, else the shortest step of whole minutes that gives at most
    POINTS_MAX steps."""
    length_ms = window.to_ms - window.from_ms
    if length_ms < 60 * MINUTE_MS:
        return RAW_STEP_MS
    fitting = [step for step in MINUTES_MS if length_ms <= step * POINTS_MAX]
    return fitting[0] if fitting else MINUTES_MS[-1]


def _point(sums: Sums, window: Window, step_ms: int) -> SeriesPoint:
    row = sums.row
    start_ms = row["step_start_ms"]
    covered_ms = min(start_ms + step_ms, window.to_ms) - max(start_ms, window.from_ms)
    return SeriesPoint(
        ts_ms=start_ms,
        release=row["release"],
        requests=sums.requests,
        per_s=row["requests"] / (covered_ms / 1000),
        cost=sums.mean("cost_total"),
        cost_unit=row["cost_unit"],
        task_clock_ns=sums.mean("task_clock_total"),
        error_rate=sums.error_rate,
        latency_ms_p50=sums.latency_ms(0.50),
        latency_ms_p99=sums.latency_ms(0.99),
        db_ms=sums.mean_ms("db_total"),
        cache_ms=sums.mean_ms("cache_total"),
    )
