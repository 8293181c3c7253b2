"""Literal records, each complete; keyword arguments replace what a test is about."""

from dataclasses import replace
from typing import Any

from collector.answers.records import (
    AlertState,
    Change,
    EndpointRow,
    HostRow,
    LimitRow,
    SeriesPoint,
    SloState,
    WorkerRow,
)
from profiler.records import (
    Comparison,
    Deploy,
    EndpointChange,
    Evidence,
    FleetChange,
    FunctionChange,
    Interval,
)

FEED = "GET /api/v1/feed/"
NOW_MS = 1_790_341_200_000
EVIL = "<script>alert(1)</script>"


def endpoint_row(**changes: Any) -> EndpointRow:
    row = EndpointRow(
        endpoint=FEED,
        kind="http",
        cost_unit="cpu_ns",
        requests=3_600,
        per_s=12.34,
        cost=6_830_000.0,
        task_clock_ns=6_830_000.0,
        cost_share=0.724,
        cpu_cores=0.0843,
        error_rate=0.0125,
        errors=45,
        killed=2,
        wall_ms_mean=10.0,
        latency_ms_p50=8.93,
        latency_ms_p95=12.9,
        latency_ms_p99=15.4,
        db_ms=2.37,
        cache_ms=0.2,
        rpc_ms=0.0,
        releases=("r1", "r2"),
    )
    return replace(row, **changes)


def point(ts_ms: int, release: str = "r1", **changes: Any) -> SeriesPoint:
    one = SeriesPoint(
        ts_ms=ts_ms,
        release=release,
        requests=600,
        per_s=10.0,
        cost=6_000_000.0,
        cost_unit="cpu_ns",
        task_clock_ns=6_000_000.0,
        error_rate=0.01,
        latency_ms_p50=8.0,
        latency_ms_p99=15.0,
        db_ms=2.0,
        cache_ms=0.2,
    )
    return replace(one, **changes)


def deploy(ts_ms: int, release: str = "r2", previous: str = "r1") -> Change:
    return Change(ts_ms, "shop", "deploy", release, previous, ("0123abc",), (), "rolling restart")


def slo(**changes: Any) -> SloState:
    state = SloState(
        slo="feed-latency",
        endpoint=FEED,
        objective=0.99,
        sli=0.9987,
        total=31_800,
        bad=41,
        budget_left=0.87,
        burn_rate=0.13,
        window_s=2_592_000.0,
        state="ok",
        good="within 500 ms",
        ts_ms=NOW_MS,
    )
    return replace(state, **changes)


def alert(**changes: Any) -> AlertState:
    state = AlertState(
        id="a1",
        rule="cost-between-releases",
        state="firing",
        severity="ticket",
        labels={"service": "shop", "endpoint": FEED, "release": "r2"},
        summary="GET /api/v1/feed/ costs 25% more CPU since r2",
        started_ms=NOW_MS - 60_000,
        ended_ms=0,
        delivered_ms=NOW_MS - 58_000,
        payload={
            "links": {"compare": "http://127.0.0.1:8600/compare?a=release%3Ar1&b=release%3Ar2"}
        },
    )
    return replace(state, **changes)


def worker(**changes: Any) -> WorkerRow:
    row = WorkerRow(
        pid=4711,
        worker=1,
        release="r2",
        runtime="cpython 3.11.7",
        cost_unit="cpu_ns",
        permission="yes",
        thread_ids="right",
        idle_s=4.0,
        profiled_ms=NOW_MS - 120_000,
        reason="",
        last_ms=NOW_MS - 5_000,
        metrics={"worker_rss_bytes": 128.0 * (1 << 20), "worker_busy_share": 0.35},
    )
    return replace(row, **changes)


def host(**changes: Any) -> HostRow:
    row = HostRow(
        service="shop",
        host="web-1",
        region="eu",
        releases=("r1", "r2"),
        workers=2,
        requests=6_687,
        samples=6_243,
        last_ms=NOW_MS - 5_000,
        cost_unit="cpu_ns",
        metrics={"agent_cpu_share": 0.004},
        limits=(LimitRow("agent", "samples late", 12),),
    )
    return replace(row, **changes)


def endpoint_change(**changes: Any) -> EndpointChange:
    change = EndpointChange(
        endpoint=FEED,
        kind="http",
        unit="cpu_ns",
        requests_a=15_964,
        requests_b=15_933,
        cost_a=6_070_000.0,
        cost_b=7_590_000.0,
        difference=Interval(1_520_000.0, 1_500_000.0, 1_550_000.0),
        relative=Interval(0.252, 0.247, 0.256),
        p_value=1e-9,
        p_corrected=2e-9,
        fleet_share=1.0,
        error_rate_a=0.0119,
        error_rate_b=0.0132,
        latency_ms_p99_a=14.3,
        latency_ms_p99_b=16.2,
        verdict="regression",
        reason="the whole interval is above the budget of 1%",
    )
    return replace(change, **changes)


def function_change(**changes: Any) -> FunctionChange:
    change = FunctionChange(
        endpoint=FEED,
        function="feed.ranking:score",
        origin=0,
        self_ns_a=2_540_000.0,
        self_ns_b=4_260_000.0,
        inclusive_ns_a=2_540_000.0,
        inclusive_ns_b=4_260_000.0,
        difference=Interval(1_720_000.0, 1_620_000.0, 1_830_000.0),
        p_value=0.0001,
        p_corrected=0.001,
        rise_share=0.96,
        samples_a=15_063,
        samples_b=20_242,
        verdict="regression",
        beneath=(("math:hypot", 400_000.0),),
    )
    return replace(change, **changes)


def comparison(**changes: Any) -> Comparison:
    guilty = function_change()
    other = function_change(
        function="feed.views:feed", verdict="no change", difference=Interval(0.0, -1e4, 1e4)
    )
    found = Comparison(
        a="release:r1",
        b="release:r2",
        service="shop",
        verdict="regression",
        headline="GET /api/v1/feed/ costs +25.2% per request since r2 was deployed",
        fleet=(
            FleetChange("cpu_ns", 75_800_000.0, 89_300_000.0, -40_000.0, 120_000.0, 13_420_000.0),
        ),
        endpoints=(endpoint_change(),),
        functions=(other, guilty),
        guilty=guilty,
        deploy=Deploy(NOW_MS - 600_000, "r2", "r1", ("0123abc",), "rolling restart"),
        evidence=Evidence(39_767, 39_731, 40_142, 39_526, 3, 366, 30.0, "host", 333, 0.0),
        notes=("333 warm-up requests of young workers set apart",),
    )
    return replace(found, **changes)
