"""The rate that a machine can take."""

import itertools
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from demo_stack.pace import FEED_WALL_S, RATE_RPS_MIN, affordable_rps, feed_wall_s, warm_up_s
from demo_stack.processes import DemoError
from demo_stack.traffic import RATE_RPS


def test_a_fast_machine_gets_the_full_rate_a_slower_one_less() -> None:
    assert affordable_rps(FEED_WALL_S / 3) == RATE_RPS
    assert affordable_rps(FEED_WALL_S * 2) == RATE_RPS / 2
    assert affordable_rps(60.0) == RATE_RPS_MIN


def test_fewer_requests_make_the_warm_up_longer_but_not_longer_than_its_end() -> None:
    assert warm_up_s(RATE_RPS) == 20
    assert warm_up_s(RATE_RPS / 2) == 40
    assert warm_up_s(1) == 120


class Feed(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/v1/feed/" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


def test_the_median_is_taken_after_the_warm_up() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Feed) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            assert feed_wall_s(url, itertools.count(step=0.5).__next__) == 0.5
            with pytest.raises(DemoError, match="the feed answers 404"):
                feed_wall_s(f"{url}/elsewhere")
        finally:
            server.shutdown()


def test_a_service_that_is_away_is_said() -> None:
    with pytest.raises(DemoError, match="the feed does not answer"):
        feed_wall_s("http://127.0.0.1:1")
