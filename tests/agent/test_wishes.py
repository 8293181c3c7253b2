"""Wishes: asked of a collector, written into rings, understood by the worker that reads them."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent.http import Client
from agent.limits import Limits
from agent.wishes import ASK_EVERY_S, Wish, Wishes, control_words
from agent.workers import Workers
from dynoscope_probe import layout
from dynoscope_probe.deep import checked_wish
from tests.agent.rings import make_ring, write

LATER_S = int(time.time()) + 300


def wish(number=5, service="shop", endpoint="GET /feed", requests=9, expires_s=LATER_S):
    return Wish(number, service, endpoint, requests, expires_s)


@contextmanager
def collector(answers):
    """Answers each GET with the next (status, body); gives (url, what was asked)."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            status, body = answers.pop(0)
            asked.append((self.path, self.headers.get("Authorization")))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wishes_of(url="http://127.0.0.1:9", **more):
    ticks = iter(range(0, 10_000, 60))
    return Wishes(
        url,
        lambda: {"Authorization": "Bearer t"},
        Limits(),
        monotonic_s=lambda: next(ticks),
        **more,
    )


def body(*rows):
    return json.dumps({"wishes": rows}).encode()


ROW = {"number": 5, "service": "shop", "endpoint": "GET /feed", "requests": 9, "expires_s": LATER_S}


def asked_once(answers, wishes=None):
    with collector(answers) as (url, asked), Client() as client:
        wishes = wishes or wishes_of()
        wishes.url = url
        for _ in list(answers):
            wishes.ask(client)
    return wishes, asked


def test_it_asks_with_the_agents_token_and_keeps_the_newest_of_each_service():
    rows = ROW, {**ROW, "number": 6}, {**ROW, "number": 7, "service": "zoo"}
    wishes, asked = asked_once([(200, body(*rows))])
    assert asked == [("/v1/profiles/wishes", "Bearer t")]
    assert {name: one.number for name, one in wishes.asked.items()} == {"shop": 6, "zoo": 7}


def test_it_asks_no_more_often_than_agreed():
    now = [0.0]
    wishes = wishes_of()
    wishes.monotonic_s = lambda: now[0]
    with collector([(200, body())] * 3) as (url, asked), Client() as client:
        wishes.url = url
        for now[0] in (0.0, 1.0, ASK_EVERY_S - 0.1, ASK_EVERY_S, ASK_EVERY_S + 1):
            wishes.ask(client)
    assert len(asked) == 2


@pytest.mark.parametrize(
    "row",
    [
        {**ROW, "number": 0},
        {**ROW, "number": 1 << 32},
        {**ROW, "requests": "9"},
        {**ROW, "requests": -1},
        {**ROW, "expires_s": 1 << 50},
        {**ROW, "endpoint": None},
        {**ROW, "more": 1},
        {"number": 5},
        7,
        None,
    ],
)
def test_what_is_no_wish_is_counted_and_left_out(row):
    wishes, _ = asked_once([(200, body(row, ROW))])
    assert list(wishes.asked) == ["shop"]
    assert wishes.limits.totals() == {"agent.wishes_not_understood": 1}


@pytest.mark.parametrize("answer", [b"[]", b"{}", b"no json", b'{"wishes": 5}'])
def test_an_answer_that_is_none_is_counted(answer):
    wishes, _ = asked_once([(200, answer)])
    assert wishes.asked == {}
    assert wishes.limits.totals() == {"agent.wishes_not_understood": 1}


def test_a_collector_that_fails_leaves_wishes_as_they_were():
    wishes, _ = asked_once([(200, body(ROW)), (503, b"later"), (401, b"no"), (404, b"what")])
    assert wishes.asked == {"shop": wish()}
    with Client() as client:
        wishes.url = "http://127.0.0.1:1"
        wishes.ask(client)
    assert wishes.asked == {"shop": wish()}
    wishes, _ = asked_once([(200, body())], wishes)
    assert wishes.asked == {}


def control(ring):
    raw = Path(ring.path).read_bytes()[layout.CONTROL_OFFSET :][: layout.CONTROL_BYTES]
    return checked_wish(raw)


def look(tmp_path):
    workers = Workers(tmp_path, Path("/proc"))
    workers.look(1)
    for worker in workers.known.values():
        worker.ring.read_strings(worker.ring.counters()["strings_used"])
    return workers.known.values()


def test_it_is_written_into_rings_of_the_service_that_know_the_endpoint(tmp_path):
    feed, other = make_ring(tmp_path), make_ring(tmp_path)
    zoo = make_ring(tmp_path, service="zoo")
    dead = make_ring(tmp_path, process_start_ticks=1)
    for ring in (feed, zoo, dead):
        write(ring, 1, "GET /feed")
    write(other, 1, "GET /elsewhere")
    before = Path(feed.path).read_bytes()
    wishes = wishes_of()
    wishes.asked = {"shop": wish(requests=9)}
    wishes.write(look(tmp_path))
    assert control(feed)[0::2] == (5, 5)  # 9 requests between two living workers
    assert control(feed).endpoint_id == feed.endpoint_id("GET /feed")[1]
    assert control(feed).expires_s == LATER_S
    assert [control(ring) for ring in (other, zoo, dead)] == [None] * 3
    at = layout.CONTROL_OFFSET
    after = Path(feed.path).read_bytes()
    assert before[:at] == after[:at]
    assert before[at + layout.CONTROL_BYTES :] == after[at + layout.CONTROL_BYTES :]
    write(other, 1, "GET /feed")
    wishes.write(look(tmp_path))
    assert control(other).number == 5


def test_each_wish_is_written_once_a_ring_and_an_expired_one_never(tmp_path):
    ring = make_ring(tmp_path)
    write(ring, 1, "GET /feed")
    wishes = wishes_of()
    wishes.asked = {"shop": wish(expires_s=int(time.time()) - 1)}
    wishes.write(look(tmp_path))
    assert control(ring) is None
    wishes.asked = {"shop": wish(number=6)}
    wishes.write(look(tmp_path))
    assert control(ring).number == 6
    ring._memory[layout.CONTROL_OFFSET : layout.CONTROL_OFFSET + 64] = bytes(64)
    wishes.write(look(tmp_path))
    assert control(ring) is None
    assert wishes.limits.totals() == {}


def test_a_ring_that_cannot_be_written_is_counted(tmp_path):
    ring = make_ring(tmp_path)
    write(ring, 1, "GET /feed")
    wishes = wishes_of()
    wishes.asked = {"shop": wish()}
    (worker,) = look(tmp_path)
    worker.ring.close()
    wishes.write([worker])
    assert wishes.limits.totals() == {"agent.wishes_not_written": 1}


def test_the_words_are_those_that_a_worker_understands():
    read = checked_wish(control_words(wish(number=(1 << 32) - 1), 3, 5_000))
    assert read == ((1 << 32) - 1, 3, layout.WISH_REQUESTS_MAX, LATER_S)
