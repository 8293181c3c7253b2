"""Sides of more hosts than groups: the same costs, all hosts counted, and said to be in groups."""

import pytest

from collector.answers.compare import compare
from collector.answers.sides import Side
from tests.collector import rows
from tests.collector.answers.oracle import alive, grouped, rows_of
from tests.collector.rows import ENDPOINTS, START_MS

SPAN_MS = 1_200_000
END_MS = START_MS + 2 * SPAN_MS
N = 8_000
#: service -> hosts of r1 and of r2
HOSTS = {
    "apart": ([f"a-{n}" for n in range(80)], [f"b-{n}" for n in range(70)]),
    "same": ([f"web-{n}" for n in range(75)],) * 2,
    "few": ([f"a-{n}" for n in range(40)], [f"b-{n}" for n in range(64)]),
}
SIDES = tuple(Side(f"release:{name}", name, "", "", START_MS, END_MS) for name in ("r1", "r2"))


@pytest.fixture(scope="module")
def sent(store):
    found = {}
    for service, hosts in HOSTS.items():
        for at, (release, factor) in enumerate((("r1", 1.0), ("r2", 1.3))):
            common = {
                "start_ms": START_MS + at * SPAN_MS,
                "span_ms": SPAN_MS,
                "release": release,
                "hosts": hosts[at],
                "service": service,
            }
            requests = rows.request_rows(N, at, feed_factor=factor, **common)
            samples = rows.sample_rows(4_000, at, **common)
            store.insert("requests", requests, f"{service}-{release}")
            store.insert("stack_samples", samples, f"{service}-{release}")
            loads = rows.metric_rows("host_cpu_percent", [30.0], source="host", service="")
            store.insert("metrics", loads, f"{service}-{release}")
            found[service, release] = (requests, samples)
    store.insert("stacks", rows.stack_rows(), "stacks")
    return found


def is_warm(row):
    return row["worker_req"] > 200 or row["worker_age_s"] > 120


@pytest.mark.parametrize("service", HOSTS)
def test_costs_are_those_of_all_requests_past_warm_up(store, sent, service):
    found = compare(store, *SIDES, service=service).data
    means = []
    for release in ("r1", "r2"):
        warm = filter(is_warm, alive(rows_of(sent[service, release][0])))
        by_endpoint = grouped(warm, lambda row: row["endpoint"])
        means.append({e: (len(g), sum(r["cost"] for r in g)) for e, g in by_endpoint.items()})
    assert [change.endpoint for change in found.endpoints] == sorted(ENDPOINTS)
    for change in found.endpoints:
        (number_a, cost_a), (number_b, cost_b) = (side[change.endpoint] for side in means)
        assert (change.requests_a, change.requests_b) == (number_a, number_b)
        if service != "same":  # there, hosts and groups are paired, and weigh otherwise
            assert change.cost_a == pytest.approx(cost_a / number_a)
            assert change.cost_b == pytest.approx(cost_b / number_b)
    (feed,) = (change for change in found.endpoints if change.endpoint == ENDPOINTS[0])
    assert feed.verdict == "regression"
    assert feed.relative.value == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("service", HOSTS)
def test_all_hosts_are_counted_and_groups_are_told(store, sent, service):
    found = compare(store, *SIDES, service=service).data
    hosts = {row["host"] for release in ("r1", "r2") for row in rows_of(sent[service, release][0])}
    assert (found.evidence.hosts, found.evidence.unit_of_error) == (len(hosts), "host")
    told = [note for note in found.notes if "groups of hosts" in note]
    assert bool(told) == (service != "few")
    assert all(note.startswith(f"{len(hosts)} hosts are compared in ") for note in told)
    (fleet,) = found.fleet
    assert fleet.per_s_a + fleet.traffic + fleet.mix + fleet.mix_within + fleet.cost == (
        pytest.approx(fleet.per_s_b)
    )
    cost = sum(row["cost"] for row in alive(rows_of(sent[service, "r1"][0])))
    assert fleet.per_s_a == pytest.approx(cost / (SPAN_MS / 1000), rel=0.03)


def test_samples_of_minutes_of_warm_up_are_left_out(store, sent):
    requests, samples = sent["apart", "r2"]
    minutes = grouped(rows_of(requests), lambda row: (row["host"], row["ts_ms"] // 60_000))
    young = {
        at
        for at, group in minutes.items()
        if 2 * sum(not is_warm(row) for row in alive(group)) >= len(alive(group))
    }
    expected = sum(
        row["samples"]
        for row in rows_of(samples)
        if (row["host"], row["ts_ms"] // 60_000) not in young
    )
    found = compare(store, *SIDES, service="apart").data
    assert found.evidence.samples_b == expected
    assert expected < sum(row["samples"] for row in rows_of(samples))
    assert {change.function for change in found.functions} >= {"feed.ranking:score"}


def test_windows_keep_the_hours_that_both_cover(store, sent):
    """Samples of groups keep their hours only where these are asked for."""
    sides = [
        Side(f"window:{at}", "", "", "", START_MS + at * SPAN_MS, START_MS + (at + 1) * SPAN_MS)
        for at in (0, 1)
    ]
    plain = compare(store, *sides, service="same").data
    windows = [Side(s.label, "", "", "", s.from_ms, s.to_ms, is_window=True) for s in sides]
    named = compare(store, *windows, service="same").data
    rises = [
        {(one.endpoint, one.function): one.difference.low for one in found.functions}
        for found in (plain, named)
    ]
    assert rises[0]
    assert rises[1] == pytest.approx(rises[0])
    assert [change.reason for change in named.endpoints] == [
        change.reason for change in plain.endpoints
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_a_side_without_requests_cannot_be_told(store, sent, turned):
    nobody = Side("release:r9", "r9", "", "", START_MS, END_MS)
    sides = (nobody, SIDES[1]) if turned else (SIDES[0], nobody)
    found = compare(store, *sides, service="apart").data
    assert found.verdict == "cannot tell"
    assert found.evidence.hosts == len(HOSTS["apart"][1 if turned else 0])
    assert "release:r9 has no requests in this time" in found.notes


@pytest.mark.parametrize("service", HOSTS)
def test_an_endpoint_alone_costs_what_it_costs_among_all(store, sent, service):
    """Its windows are read with its groups, not beside them."""
    alone = compare(store, *SIDES, service=service, endpoint=ENDPOINTS[1]).data
    among = compare(store, *SIDES, service=service).data
    (one,) = alone.endpoints
    (same,) = (change for change in among.endpoints if change.endpoint == ENDPOINTS[1])
    assert (one.requests_a, one.requests_b) == (same.requests_a, same.requests_b)
    assert (one.cost_a, one.cost_b) == pytest.approx((same.cost_a, same.cost_b))
    assert one.chance == pytest.approx(same.chance)
    assert alone.evidence.windows > 0
    assert len(alone.fleet) == 1
