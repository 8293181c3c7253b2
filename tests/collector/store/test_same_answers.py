"""Every query file gives the same answer, with the same types, over each engine."""

import math
import re

import pytest

from collector.store import retention
from collector.store.escaping import PLACEHOLDER
from collector.store.store import open_store
from collector.store.texts import QUERIES_DIR, query_text
from profiler.vocabulary import WIRE
from tests.collector import rows
from tests.collector.engines import emptied
from tests.collector.rows import ENDPOINTS, SERVICE, START_MS

END_MS = START_MS + 1_200_000
DAY_MS = START_MS // 86_400_000 * 86_400_000
#: What an engine says of itself; and the files that are no queries.
OTHERS = {"engine_settings", "inserts_running", "has_migrations", "migrations", "table_sizes"}
NO_QUERIES = {"drop_day", "repair_endpoint_minutes", "repair_host_minutes", "repair_rows"}
NO_QUERIES |= {"repair_service_days", "repair_endpoint_steps", "repair_minutes"}
NO_QUERIES |= {"roll_up_hour", "make_database", "sum_of_shards", "keep_days", "keep_weeks"}
NO_QUERIES |= {"roll_up_functions", "roll_up_function_hour", "fold_functions"}
OTHERS |= {"cluster_nodes", "cluster_databases", "host_numbers", "moved_until"}
OTHERS |= {"function_marks", "function_version", "functions_over"}
OTHERS |= {f"replica_{what}" for what in ("delay", "lacks", "leads", "log", "shut", "state")}
QUERIES = sorted({path.stem for path in QUERIES_DIR.glob("*.sql")} - OTHERS - NO_QUERIES)

VALUES = {
    "from_ms": START_MS,
    "to_ms": END_MS,
    "until_ms": END_MS,
    "day_ms": DAY_MS,
    "hours_until_ms": 0,
    "service": SERVICE,
    "endpoint": "",
    "release": "",
    "function": "feed.ranking:score",
    "host": "",
    "region": "",
    "runtime": "",
    "flag": "",
    "by_flags": 1,
    "groups": 64,
    "by_hour": 0,
    "has_young": 1,
    "young_ms": 60_000,
    "endpoints": list(ENDPOINTS),
    "all_endpoints": 0,
    "id": "a1",
    "error_fp": 0,
    "metric": "host_cpu_percent",
    "length_ms": 600_000,
    "window_ms": 30_000,
    "step_ms": 60_000,
    "warmup_requests": 100,
    "warmup_s": 60,
    "limit": 20,
    "rows_max": 50,
    "spans_max": 3,
    "trace_id": "ab" * 16,
    "stack_ids": [1, 3, 999],
    "states": ["firing", "resolved"],
    "windows_ms": [300_000, 600_000, 1_200_000],
    "rings": [0, 1, 2],
    "starts_ms": [0, 300_000, 600_000],
    "lengths_ms": [300_000, 300_000, 600_000],
    "parts": 4,
    "good": "within",
    "threshold_ns": 100_000_000,
    "table": "requests",
    "batch_id": "b1",
    "batch_ids": ["b0", "b1", "nobody's"],
    "control": "r2",
    "hosts": 1,
    "all_hosts": 0,
    "named_hosts": ["web-1", "nobody"],
    "hours": [1],
    "steps": [2],
    "limits_ns": [20_000_000] * len(ENDPOINTS),
    "first_service": "",
    "last_service": "zzz",
}
#: Other values of a parameter, for all queries that have it.
VARIANTS = [
    {},
    {"service": "nobody"},
    {"endpoint": ENDPOINTS[0]},
    {"release": "r2"},
    {"runtime": "none"},
    {"flag": "a=1"},
    {"by_flags": 0},
    {"by_hour": 1, "has_young": 0},
    {"all_endpoints": 1, "endpoints": [""]},
    {"error_fp": 1},
    {"metric": "slo_burn"},
    {"host": "web-2"},
    {"good": "available"},
    {"good": "success"},
    {"good": "other"},
    {"from_ms": START_MS + 60_000, "to_ms": START_MS + 420_000},
    {"step_ms": 300_000, "endpoint": ENDPOINTS[0]},
    {"step_ms": 7_200_000, "from_ms": START_MS - 3_600_000 * 30, "to_ms": END_MS + 3_600_000 * 30},
    {"step_ms": 86_400_000, "from_ms": DAY_MS - 60_000, "to_ms": DAY_MS + 86_460_000},
    {"stack_ids": []},
    {"all_hosts": 1},
    {"named_hosts": []},
    {"states": []},
    {"batch_id": "b'9"},
    {"hours": [], "steps": [3]},
]
#: What is right only for a service, an endpoint or a release.
NAMED = {
    "deploy_of": {"release": "r2"},
    "line_samples": {"endpoint": ENDPOINTS[0]},
    "function_costs": {"endpoint": ENDPOINTS[0]},
    "profiled_requests": {"endpoint": ENDPOINTS[0]},
}


def fill(store):
    killed = rows.request_rows(1_200, 1, killed_share=0.03)
    for at, batch in enumerate(
        (
            killed,
            rows.request_rows(900, 2, release="r2", start_ms=START_MS + 600_000),
            rows.request_rows(50, 3, service="zoo", hosts=["z"], cost_unit="instructions"),
        )
    ):
        store.insert("requests", batch, f"b{at}")
    store.insert("stack_samples", rows.sample_rows(100, 1), "s1")
    store.insert("stack_samples", rows.sample_rows(100, 2, contended=1), "s2")
    store.insert("stacks", rows.stack_rows(), "b1")
    store.insert("line_samples", rows.line_rows(), "b1")
    store.insert("statements", rows.statement_rows(), "b1")
    store.insert("errors", rows.error_rows(3), "b1")
    store.insert("spans", rows.span_rows("ab" * 16, 6), "b1")
    store.insert("function_costs", rows.function_cost_rows(), "b1")
    store.insert("changes", rows.deploy_rows("r2", "r1"), "b1")
    store.insert("limits", rows.limit_rows("dropped", 3), "b1")
    for state, ts_ms in (
        ("firing", START_MS),
        ("resolved", START_MS + 9),
        ("firing", START_MS + 99),
    ):
        store.insert(
            "alert_events",
            rows.alert_rows("a1", state, ts_ms=ts_ms, json=state),
            state + str(ts_ms),
        )
    silence = rows.alert_rows("a1", "silenced")
    store.insert("silence_events", silence, "b1")
    store.insert("evaluator_events", silence, "b1")
    for at, table in enumerate(("function_steps", "function_hours")):
        store._engine.insert(table, rows.function_rows([1 + at, 2 + at]), f"f{at}")
    metrics = (
        ("host_cpu_percent", [10.0, 20.0], [], "host"),
        ("host_memory_total_bytes", [8e9], ["kind=all"], "host"),
        ("worker_rss_bytes", [6e7, 7e7], ["pid=7", "release=r1"], "worker"),
        ("worker_state", [1.0], ["pid=7", "unit_reason=no counters"], "worker"),
        ("worker_uss_bytes", [1e6, 3e6], ["pid=7"], "worker"),
        ("slo_burn", [0.5, 0.25], ["slo=feed", "window=1h"], "slo"),
    )
    for name, values, labels, source in metrics:
        table = rows.metric_rows(name, values, labels=labels, source=source)
        store.insert("metrics", table, name)


@pytest.fixture(scope="module")
def stores(tmp_path_factory, clickhouse, cluster):
    """Embedded, a server, a cluster: the same rows in each."""
    embedded = open_store(tmp_path_factory.mktemp("store"))
    opened = (embedded, open_store(clickhouse.url("same_answers")), emptied(cluster))
    for store in opened:
        fill(store)
    yield opened
    for store in opened:
        store.close()


def types(table):
    """Names and types of the columns; chDB says of each that it has no nulls."""
    return [(field.name, str(field.type).replace(" not null", "")) for field in table.schema]


def near(one, other):
    """Equal; sums of fractions to the last digits, which depend on the order of adding."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(near(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(near, one, other))
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=1e-12) or (math.isnan(one) and math.isnan(other))
    return one == other


def in_order(name, table):
    """The rows of a query; those of one without an order by what is no sum of fractions."""
    found = table.to_pylist()
    if "ORDER BY" not in query_text(name):
        found.sort(key=lambda row: [str(v) for v in row.values() if not isinstance(v, float)])
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_answers_are_the_same(stores, name):
    asked = {match[1] for match in PLACEHOLDER.finditer(query_text(name))}
    filled = []
    for variant in VARIANTS:
        values = VALUES | NAMED.get(name, {}) | variant
        values["until_ms"] = values["to_ms"]
        if variant.keys() <= asked:
            one, *others = (store.query(name, **{k: values[k] for k in asked}) for store in stores)
            for other in others:
                assert types(one) == types(other), variant
                assert near(in_order(name, one), in_order(name, other)), variant
            filled.append(one.num_rows)
    assert max(filled) > 0, "the rows of this test do not show what the query does"


def test_sizes_are_told_of_every_table(stores):
    """Roll-ups and what every server of a cluster has whole take the room that they take."""
    sizes = [store.query("table_sizes").to_pylist() for store in stores]
    counted = [
        [(r["name"], r["rows"]) for r in rows if r["name"] in WIRE or r["name"] == "endpoint_hours"]
        for rows in sizes
    ]
    assert counted[0] == counted[1] == counted[2]
    assert len({tuple(row["name"] for row in rows) for rows in sizes}) == 1
    assert all(row["bytes"] > 0 for rows in sizes for row in rows if row["rows"])


def test_a_day_becomes_hours_in_all(stores):
    """Last: it takes the minutes away."""
    asked = {"from_ms": DAY_MS, "to_ms": DAY_MS + 86_400_000, "service": SERVICE}
    before = [store.query("endpoints_minutes", **asked).to_pylist() for store in stores]
    days = [retention.days_held(store) for store in stores]
    assert days[0] == days[1] == days[2]
    for store in stores:
        retention.roll_up_day(store, days[0]["endpoint_minutes"][0])
    after = [store.query("endpoints_minutes", **asked).to_pylist() for store in stores]
    assert near(after[0], before[0])
    for store, rows_after in zip(stores, after, strict=True):
        assert near(after[0], rows_after)
        retention.drop_day(store, "endpoint_minutes", days[0]["endpoint_minutes"][0])
        assert store.query("endpoints_minutes", **asked).to_pylist() == rows_after


def test_every_file_is_named():
    text = "".join(query_text(name) for name in QUERIES)
    assert set(re.findall(r"\{(\w+):", text)) <= set(VALUES)
