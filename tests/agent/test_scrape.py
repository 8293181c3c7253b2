import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import prometheus_client as prometheus
import pytest

from agent.errors import AgentError
from agent.limits import Limits
from agent.scrape import Scraper, checked_targets, fetched, series_of
from agent.series import Increases


@contextmanager
def server(answer):
    """A real server; `answer()` -> (status, body)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answer(self.path)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            try:
                for part in [body] if isinstance(body, bytes) else body:
                    self.wfile.write(part)
            except OSError:
                pass

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/metrics"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def by_name(series):
    return {(one.name, *one.labels[:-1]): (one.kind, one.value) for one in series}


def test_an_exporter_of_prometheus_client_with_all_its_types():
    registry = prometheus.CollectorRegistry()
    hits = prometheus.Counter("hits", "x", ["code"], registry=registry)
    depth = prometheus.Gauge("queue_depth", "x", registry=registry)
    wait = prometheus.Histogram("wait_seconds", "x", buckets=(1, 2), registry=registry)
    size = prometheus.Summary("size_bytes", "x", registry=registry)
    with server(lambda _: (200, prometheus.generate_latest(registry))) as url:
        scraper = Scraper((url,), Limits())
        hits.labels("200").inc(5)
        depth.set(3)
        first = by_name(scraper.read())
        assert first == {("queue_depth",): ("gauge", 3)}, "an increase needs a reading before it"
        hits.labels("200").inc(2)
        depth.set(1)
        wait.observe(1.5)
        size.observe(100)
        second = by_name(scraper.read())
    assert second == {
        ("queue_depth",): ("gauge", 1),
        ("hits_total", "code=200"): ("counter", 2),
        ("wait_seconds_bucket", "le=1.0"): ("counter", 0),
        ("wait_seconds_bucket", "le=2.0"): ("counter", 1),
        ("wait_seconds_bucket", "le=+Inf"): ("counter", 1),
        ("wait_seconds_count",): ("counter", 1),
        ("wait_seconds_sum",): ("counter", 1.5),
        ("size_bytes_count",): ("counter", 1),
        ("size_bytes_sum",): ("counter", 100),
    }


def test_a_counter_that_starts_anew_is_told_from_nought():
    increases = Increases()
    text = "# TYPE hits_total counter\nhits_total {}\n"
    values = []
    for reading in (10, 14, 3, 3):
        series, _ = series_of(text.replace("{}", str(reading)), "t", increases)
        values += [one.value for one in series]
    assert values == [4, 3, 0]


def test_source_target_and_what_no_number_is():
    text = '# TYPE a gauge\na{b="x"} 1\n# TYPE c gauge\nc NaN\nd +Inf\ne 2\n'
    series, left_out = series_of(text, "h:1/metrics", Increases())
    assert [(one.name, one.labels, one.value) for one in series] == [
        ("a", ("b=x", "target=h:1/metrics"), 1),
        ("e", ("target=h:1/metrics",), 2),
    ]
    assert {one.source for one in series} == {"scrape"} and left_out == 0


def test_more_series_than_there_is_room_for_are_counted(monkeypatch):
    monkeypatch.setattr("agent.scrape.SERIES_MAX", 10)
    body = "# TYPE a gauge\n" + "".join(f'a{{n="{n}"}} {n}\n' for n in range(25))
    with server(lambda _: (200, body.encode())) as url:
        scraper = Scraper((url,), Limits())
        assert [one.value for one in scraper.read()] == list(range(10))
    assert scraper.limits.totals() == {"agent.scrape_series_over": 15}


def test_a_target_that_fails_is_told_and_costs_the_others_nothing(monkeypatch):
    monkeypatch.setattr("agent.scrape.ANSWER_BYTES_MAX", 100_000)
    monkeypatch.setattr("agent.scrape.TIMEOUT_S", 0.3)
    answers = {
        "/good": (200, b"a 1\n"), "/long": (200, (b"#" * 50_000 for _ in range(9))),
        "/moved": (302, b""), "/broken": (500, b""), "/html": (200, b"<html>no</html>\n"),
        "/garbage": (200, b"\xff\x00{{{ 1 1 1\n"),
    }  # fmt: skip
    with server(lambda path: answers[path]) as url:
        base = url.removesuffix("/metrics")
        targets = (*(base + path for path in answers), "http://127.0.0.1:1/metrics")
        scraper = Scraper(targets, Limits())
        series = scraper.read()
    assert [one.name for one in series] == ["a"]
    assert scraper.failures.keys() == set(targets) - {f"{base}/good"}
    assert "302" in scraper.failures[f"{base}/moved"]
    assert scraper.limits.totals() == {"agent.scrapes_failed": 6}


def test_an_exporter_that_trickles_is_cut_off(monkeypatch):
    monkeypatch.setattr("agent.scrape.ANSWER_S_MAX", 0.2)
    stop = threading.Event()

    def trickle():
        while not stop.wait(0.05):
            yield b"# x\n"

    with server(lambda _: (200, trickle())) as url, pytest.raises(ValueError, match="longer"):
        try:
            fetched(url)
        finally:
            stop.set()


@pytest.mark.parametrize("url", ["localhost:9100", "ftp://a/b", "http://", "http://a:x/", ""])
def test_an_address_that_is_none_is_refused_at_the_start(url):
    with pytest.raises(AgentError, match="such as http://127.0.0.1:9100/metrics"):
        checked_targets([url])


def test_secrets_of_an_address_are_not_told():
    with server(lambda _: (200, b"a 1\n")) as url:
        (one,) = Scraper((f"{url}?token=s3cret",), Limits()).read()
    assert one.labels == (f"target={url.removeprefix('http://')}",)
