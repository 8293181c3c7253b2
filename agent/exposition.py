"""The agent's own /metrics, on loopback, in Prometheus' text format."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterable
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector, CollectorRegistry

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.run import Agent

__all__ = ["Exposition"]

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Who asked is of no interest."""


class Exposition(Collector):
    """Serves the numbers of one agent; raises AgentError where the port is taken."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        registry = CollectorRegistry()
        registry.register(self)
        port = agent.config.metrics_port
        try:
            self._server = make_server(
                "127.0.0.1", port, make_wsgi_app(registry), ThreadingWSGIServer, _Quiet
            )
        except OSError as error:
            raise AgentError(
                f"the port {port} for /metrics cannot be had ({error.strerror}): "
                "name another with --metrics-port, or 0 for none"
            ) from error
        self._closing = Event()
        self._thread = Thread(target=self._serve, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give the port free."""
        self._closing.set()
        with suppress(OSError):  # one more, so that it looks
            socket.create_connection(("127.0.0.1", self._server.server_port), 1.0).close()
        self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        """Sleeps until somebody asks; `serve_forever` would wake twice a second."""
        while not self._closing.is_set():
            self._server.handle_request()

    def describe(self) -> Iterable[Metric]:
        """Nothing: the agent's parts are not there yet when this is registered."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Asked for by the server, in a thread of its own."""
        yield from self._sent()
        yield from self._kept()
        yield from self._own()

    def _sent(self) -> Iterable[Metric]:
        agent = self._agent
        counts = agent.flush.counts
        for name, what, value in (
            ("records_read", "Records read from rings.", counts["records"]),
            ("samples", "On-CPU stack samples taken.", counts["samples"]),
            ("flushes", "Flushes that are on disk.", counts["flushes"]),
            ("batches_sent", "Batches that the collector took.", agent.shipper.sent),
        ):
            yield CounterMetricFamily(f"dynoscope_agent_{name}", what, value=value)
        totals = agent.limits.totals()
        failed = totals.get("agent.sendings_failed", 0)
        yield CounterMetricFamily(
            "dynoscope_agent_sendings_failed", "Sendings that failed.", value=failed
        )
        dropped = totals.get("agent.records_dropped", 0)
        yield CounterMetricFamily(
            "dynoscope_agent_records_dropped", "Records overwritten unread.", value=dropped
        )
        limits = CounterMetricFamily(
            "dynoscope_agent_limits",
            "Everything dropped, torn, cut or refused.",
            labels=("where", "what"),
        )
        for name, count in totals.items():
            limits.add_metric(name.split(".", 1), count)
        yield limits

    def _kept(self) -> Iterable[Metric]:
        agent = self._agent
        files, size, oldest_s = agent.spool.size()
        sampling = agent.sampling.budget
        workers = list(agent.flush.workers.known.values())
        for name, what, value in (
            ("spool_files", "Files that wait to be sent.", files),
            ("spool_bytes", "Bytes that wait to be sent.", size),
            ("spool_oldest_seconds", "Age of the oldest file.", oldest_s),
            ("workers", "Living workers.", sum(one.alive for one in workers)),
            ("rings_refused", "Rings that cannot be read.", len(agent.flush.workers.refused)),
            ("cpu_share", "CPU of agent and py-spy as a share of a core.", sampling.used_share),
            ("cpu_budget_share", "What they may use.", sampling.share),
        ):
            yield GaugeMetricFamily(f"dynoscope_agent_{name}", what, value=value)

    def _own(self) -> Iterable[Metric]:
        for name, who in (("", resource.RUSAGE_SELF), ("py_spy_", resource.RUSAGE_CHILDREN)):
            usage = resource.getrusage(who)
            yield CounterMetricFamily(
                f"dynoscope_agent_{name}cpu_seconds",
                "CPU of ended py-spy processes." if name else "CPU of the agent.",
                value=usage.ru_utime + usage.ru_stime,
            )
        with open("/proc/self/statm") as file:
            resident = int(file.read().split()[1]) * PAGE_BYTES
        yield GaugeMetricFamily(
            "dynoscope_agent_resident_bytes", "Memory of the agent.", value=resident
        )
