"""Release against release: what cost rules are judged from, read from the store.

`CostWatch` itself knows no store: rules that are judged from something else than the newest two
releases, such as the standing watch of a fleet, give it another pair of functions.
"""

from alerting.regression import EVERY_MS, CostWatch, LiveRelease
from collector.answers.compare import compare
from collector.answers.records import Answer
from collector.answers.sides import Side
from collector.store import reads
from collector.store.store import Store
from profiler.records import Comparison

__all__ = ["LOOK_BACK_MS", "release_watch"]

#: Raw requests are kept for so long.
LOOK_BACK_MS = 7 * 86_400_000


def release_watch(
    store: Store,
    base_url: str,
    warmup_requests: int,
    warmup_s: int,
    every_ms: int = EVERY_MS,
) -> CostWatch:
    """`warmup_*`: as in `compare`. `every_ms`: no two looks are nearer to each other."""

    def compare_releases(
        service: str, previous: str, release: str, to_ms: int, budget: float
    ) -> Answer[Comparison]:
        a, b = (_side(name, to_ms) for name in (previous, release))
        return compare(
            store,
            a,
            b,
            service=service,
            warmup_requests=warmup_requests,
            warmup_s=warmup_s,
            budget=budget,
        )

    def releases_of(service: str, to_ms: int) -> list[LiveRelease]:
        rows = reads.release_order(store, service).to_pylist()
        return [
            LiveRelease(row["release"], row["first_ms"], min(row["last_ms"], to_ms))
            for row in rows
            if row["first_ms"] < to_ms
        ]

    return CostWatch(releases_of, compare_releases, base_url, every_ms)


def _side(release: str, to_ms: int) -> Side:
    return Side(
        label=f"release:{release}",
        release=release,
        host="",
        region="",
        from_ms=max(0, to_ms - LOOK_BACK_MS),
        to_ms=to_ms,
    )
