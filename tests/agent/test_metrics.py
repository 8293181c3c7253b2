import os
import socket

from agent.metrics import Metrics
from agent.requests import Identity
from agent.samples import WorkerView
from agent.tables import table_of_rows
from tests.agent.processes import target

HOST = Identity("", "web-1", "eu")
SHOP = Identity("shop", "web-1", "eu")


def values(rows, source):
    return {row["name"]: row["value"] for row in rows if row["source"] == source}


def test_host_worker_and_agent():
    with target("two_functions") as process:
        worker = WorkerView(1, process.pid, 3, "r1", SHOP, "")
        metrics = Metrics()
        first = metrics.rows(HOST, [worker], {SHOP: (7, 0.5)}, 1000)
        assert values(first, "worker")["worker_cpu_s"] == 0.0
        metrics.settle()
        burnt_from = os.times()
        while os.times().user - burnt_from.user < 0.2:
            sum(range(10_000))
        rows = metrics.rows(HOST, [worker], {}, 2000)
    table_of_rows("metrics", rows)
    assert values(rows, "worker")["worker_cpu_s"] > 0.05
    assert values(rows, "worker")["worker_rss_bytes"] > 1 << 20
    assert values(rows, "agent")["agent_cpu_s"] >= 0.15
    host = values(rows, "host")
    assert 0 <= host["host_cpu_percent"] <= 100
    assert 0 < host["host_memory_used_bytes"] < host["host_memory_total_bytes"]
    assert host["host_cores"] == os.cpu_count()
    (idle,) = [row for row in first if row["name"] == "idle_ticks"]
    assert (idle["value"], idle["service"], idle["source"]) == (7, "shop", "agent")
    (rss,) = [row for row in rows if row["name"] == "worker_rss_bytes"]
    assert rss["labels"] == sorted([f"pid={process.pid}", "worker=3"])


def test_an_unsettled_increase_is_told_again_and_a_dead_worker_is_left_out():
    with target("two_functions") as process:
        worker = WorkerView(1, process.pid, 3, "r1", SHOP, "")
        metrics = Metrics()
        metrics.rows(HOST, [worker], {}, 1)
        metrics.settle()
        first = values(metrics.rows(HOST, [worker], {}, 2), "worker")["worker_cpu_s"]
        assert values(metrics.rows(HOST, [worker], {}, 3), "worker")["worker_cpu_s"] >= first
    assert values(metrics.rows(HOST, [worker], {}, 4), "worker") == {}


def test_numbers_of_a_machine_that_several_hosts_share_are_marked():
    def labels(host):
        rows = Metrics().rows(Identity("", host, ""), [], {}, 1)
        return {label for row in rows if row["source"] == "host" for label in row["labels"]}

    assert labels("web-1") == {"shared_machine=1"}
    assert labels(socket.gethostname()) == set()
