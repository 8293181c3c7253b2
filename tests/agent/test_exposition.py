import socket

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.errors import AgentError
from agent.run import Agent, Config
from tests.agent.processes import until
from tests.agent.receiver import receiver
from tests.agent.rings import make_ring, write
from tests.agent.test_command import agent_process, status_of
from tests.agent.test_uwsgi import both_serve, free_port, uwsgi


def asked(port):
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    families = text_string_to_metric_families(text)
    return {
        (sample.name.removeprefix("dynoscope_agent_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def config_of(tmp_path, port):
    return Config(
        url="http://127.0.0.1:1", ring_dir=tmp_path / "rings", spool=tmp_path / "spool",
        token_file=None, host="h", metrics_port=port,
    )  # fmt: skip


def test_what_the_agent_read_dropped_and_keeps(tmp_path):
    ring = make_ring(tmp_path / "rings", records=64)
    write(ring, 64 + 9)
    port = free_port()
    agent = Agent(config_of(tmp_path, port))
    try:
        agent._flush()
        seen = asked(port)
    finally:
        agent.exposition.close()
        agent.spool.close()
    assert seen["records_read_total",] == 64
    assert seen["records_dropped_total",] == 9
    assert seen["limits_total", "records_dropped", "agent"] == 9
    assert (seen["flushes_total",], seen["workers",], seen["spool_files",]) == (1, 1, 1)
    assert seen["spool_bytes",] > 100
    assert seen["batches_sent_total",] == seen["samples_total",] == 0
    assert 10 << 20 < seen["resident_bytes",] < 1 << 30
    assert seen["cpu_seconds_total",] > 0
    assert seen["cpu_budget_share",] == 0.01


def test_a_taken_port_is_one_clear_sentence(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(AgentError, match=f"{port} .* --metrics-port"):
            Agent(config_of(tmp_path, port))


def test_an_agent_beside_uwsgi_sends_and_shows_what_it_can_and_cannot_do(tmp_path):
    """All at once: stats socket, its own /metrics scraped, memory, cgroups, conditions."""
    port = free_port()
    folder = tmp_path / "app"
    folder.mkdir()
    with receiver() as collector, uwsgi(folder, "stats = %d%n.stats\n") as url:
        both_serve(url, folder)
        options = ("--metrics-port", str(port), "--scrape", f"http://127.0.0.1:{port}/metrics")
        with agent_process(folder / "rings", tmp_path / "spool", collector.url, *options):

            def names(source):
                rows = collector.rows("metrics")
                return {row["name"] for row in rows if row["source"] == source}

            def all_there():
                httpx.get(url)
                shown = (status_of(tmp_path / "spool") or {}).get("workers", [])
                return (
                    {"worker_state", "worker_busy_share", "worker_pss_bytes"} <= names("worker")
                    and "uwsgi_workers_busy" in names("uwsgi")
                    and [one["thread_ids"] for one in shown] == ["wrong", "wrong"]
                )

            until(all_there, 60)
            (first, _) = status_of(tmp_path / "spool")["workers"]
            until(lambda: asked(port)["batches_sent_total",] > 0)
        assert first["permission"] and first["runtime"].startswith("cpython")
        assert "app.ini lacks `py-call-osafterfork = true`" in first["reason"]
        states = [row for row in collector.rows("metrics") if row["name"] == "worker_state"]
        labels = {label.partition("=")[0] for row in states for label in row["labels"]}
    assert {"pid", "worker", "runtime", "permission", "thread_ids", "reason", "unit"} <= labels
    assert {row["service"] for row in states} == {"shop"}
    assert "dynoscope_agent_workers" in {
        row["name"] for row in collector.rows("metrics") if row["source"] == "scrape"
    }
    resident = [row for row in collector.rows("metrics") if row["name"] == "agent_rss_bytes"]
    newest = max(resident, key=lambda row: row["ts_ms"])
    assert newest["value"] < 72 << 20, "of the 80 MB that it may have with py-spy's"
