"""Which requests are profiled."""

import os
import random
import time
from binascii import crc32

import pytest

import dynoscope_probe
from dynoscope_probe import layout
from dynoscope_probe.deep import Wish, checked_wish
from dynoscope_probe.process import current_process
from tests.probe.reading import read_rings

FEED, HOME = {"PATH_INFO": "/feed"}, {"PATH_INFO": "/"}


def words(number=7, endpoint_id=1, requests=3, expires_s=None):
    expires_s = int(time.time()) + 60 if expires_s is None else expires_s
    packed = layout.CONTROL.pack(0, number, endpoint_id, requests, expires_s)
    return crc32(packed[4:]).to_bytes(4, "little") + packed[4:]


def wish(control):
    """Write control words into this process's ring, as the agent does."""
    with open(current_process().ring.path, "r+b") as file:
        file.seek(layout.CONTROL_OFFSET)
        file.write(control)


def application(environ, start_response):
    dynoscope_probe.set_user(1)
    start_response("200 OK", [])
    return [b"done"]


class Site:
    """Requests to an application whose endpoints are its paths."""

    def __init__(self):
        self.wrapped = dynoscope_probe.wsgi(application)
        self.wrapped._resolve = lambda environ: (environ["PATH_INFO"], None)

    def ask(self, path="/feed", times=1):
        for _ in range(times):
            self.wrapped({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: None)

    def profiled(self, ring_dir):
        """Numbers of the requests that were profiled: those without a cost."""
        (ring,) = read_rings(ring_dir)
        assert len({row["started_ns"] for row in ring.function_costs}) == sum(
            record["unit"] == 0 for record in ring.records
        )
        return [record["worker_req"] for record in ring.records if record["unit"] == 0]

    def endpoint_id(self, name):
        return current_process().ring.endpoint_id(name)[1]


def test_nothing_is_profiled_by_itself(ring_dir):
    site = Site()
    site.ask(times=50)
    assert site.profiled(ring_dir) == []
    assert read_rings(ring_dir)[0].function_costs == []


@pytest.mark.parametrize(("rate", "least", "most"), [("1", 200, 200), ("0.1", 5, 45), ("0", 0, 0)])
def test_a_share_of_requests_is_profiled(ring_dir, monkeypatch, rate, least, most):
    monkeypatch.setenv("DYNOSCOPE_DEEP_RATE", rate)
    site = Site()
    site.ask(times=200)
    assert least <= len(site.profiled(ring_dir)) <= most


def test_sampled_requests_come_as_if_each_was_drawn(ring_dir):
    site = Site()
    site.ask()
    deep = current_process().deep
    deep._rate, deep._random_bits = 0.2, random.Random(5).getrandbits
    gaps = [deep._gap() for _ in range(20_000)]
    assert min(gaps) == 1
    assert sum(gaps) / len(gaps) == pytest.approx(5, rel=0.05)
    assert sum(gap == 1 for gap in gaps) / len(gaps) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("rate", ["-1", "2", "often", "nan"])
def test_a_bad_rate_is_none(ring_dir, monkeypatch, rate):
    monkeypatch.setenv("DYNOSCOPE_DEEP_RATE", rate)
    site = Site()
    site.ask(times=3)
    assert site.profiled(ring_dir) == []
    assert read_rings(ring_dir)[0].counters["bad_settings"] == 1


def test_a_wish_is_for_so_many_requests_of_its_endpoint(ring_dir):
    site = Site()
    site.ask("/feed")
    site.ask("/home")
    wish(words(endpoint_id=site.endpoint_id("GET /feed"), requests=2))
    for _ in range(4):
        site.ask("/home")
        site.ask("/feed")
    assert site.profiled(ring_dir) == [4, 6]
    (ring,) = read_rings(ring_dir)
    assert {ring.text(row["endpoint_id"]) for row in ring.function_costs} == {"GET /feed"}
    assert ring.counters["wishes_refused"] == 0


def test_each_new_wish_counts_anew_and_the_same_one_does_not(ring_dir):
    site = Site()
    site.ask()
    feed = site.endpoint_id("GET /feed")
    once = words(number=1, endpoint_id=feed, requests=1)
    wish(once)
    site.ask(times=3)
    wish(once)
    site.ask(times=3)
    wish(words(number=2, endpoint_id=feed, requests=1))
    site.ask(times=3)
    wish(bytes(layout.CONTROL_BYTES))
    site.ask(times=3)
    assert site.profiled(ring_dir) == [2, 8]
    assert read_rings(ring_dir)[0].counters["wishes_refused"] == 0


def test_an_expired_wish_is_none(ring_dir):
    site = Site()
    site.ask()
    wish(words(endpoint_id=site.endpoint_id("GET /feed"), expires_s=int(time.time()) - 1))
    site.ask(times=5)
    assert site.profiled(ring_dir) == []
    assert current_process().deep.due > 1 << 60


def bad_words():
    good = words()
    yield from (good[:n] + bytes([good[n] ^ 1]) + good[n + 1 :] for n in range(24))
    yield words(requests=0)
    yield words(requests=layout.WISH_REQUESTS_MAX + 1)
    yield words(endpoint_id=0)
    yield b"\xff" * 64
    yield from (random.Random(seed).randbytes(64) for seed in range(20))


def test_what_is_no_wish_is_refused_counted_once_and_costs_no_request(ring_dir):
    site = Site()
    site.ask()
    count, head = 0, b""
    for bad in bad_words():
        wish(bad)
        count += bad[:8] != head  # one that is known is not looked at again
        head = bad[:8]
        site.ask(times=2)
    assert site.profiled(ring_dir) == []
    assert read_rings(ring_dir)[0].counters["wishes_refused"] == count


def test_words_are_checked():
    assert checked_wish(words(1, 2, 3, 4)) == Wish(1, 2, 3, 4)
    assert [checked_wish(bad) for bad in bad_words()] == [None] * len(list(bad_words()))


def test_a_name_that_comes_later_is_profiled_from_its_frame_on(ring_dir):
    """A second frame is what a framework's own routing enters, where it finds another route."""

    def inner():
        return os.getpid()

    def routing(environ, start_response):
        request = dynoscope_probe.request.current_request()
        request.name("GET /second")
        request.frame(inner)
        start_response("200 OK", [])
        return [b""]

    site = Site()
    site.wrapped._application = routing
    site.ask("/first")
    wish(words(endpoint_id=site.endpoint_id("GET /second"), requests=1))
    site.ask("/first", times=2)
    (ring,) = read_rings(ring_dir)
    assert site.profiled(ring_dir) == [2]
    names = {ring.text(row["function_id"]) for row in ring.function_costs}
    assert {name.rpartition(".")[2] for name in names} == {"inner", "posix:getpid"}
