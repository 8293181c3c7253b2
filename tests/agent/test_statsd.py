"""StatsD: every type by the `statsd` package over UDP, and lines that are none."""

import socket
import time
from threading import Event, Thread

import pytest
import statsd
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import AgentError
from agent.limits import Limits
from agent.statsd import SERIES_MAX, Series, StatsD, listen, parse_line


def taken(port_of: StatsD) -> dict[tuple[str, tuple[str, ...]], tuple[str, float]]:
    return {(one.name, one.labels): (one.kind, one.value) for one in port_of.take()}


def test_what_the_statsd_package_sends() -> None:
    received, stop = StatsD(Limits()), Event()
    sock = listen(0)
    thread = Thread(target=received.receive, args=(sock, stop))
    thread.start()
    client = statsd.StatsClient("127.0.0.1", sock.getsockname()[1], prefix="photos")
    with client.pipeline() as pipe:  # several metrics in one packet
        pipe.incr("uploads", 3)
        pipe.decr("uploads")
        pipe.gauge("queue", 7)
        pipe.gauge("queue", -2, delta=True)
        pipe.set("viewers", "ann")
        pipe.set("viewers", "bob")
        pipe.set("viewers", "ann")
        for ms in range(1, 101):
            pipe.timing("render", ms)
    client.incr("end")
    deadline = time.monotonic() + 20
    while ("photos.end", "c", ()) not in received._counters and time.monotonic() < deadline:
        time.sleep(0.01)
    found = taken(received)
    stop.set()
    thread.join()
    sock.close()
    client.close()
    assert found["photos.uploads", ()] == ("counter", 2)
    assert found["photos.queue", ()] == ("gauge", 5)
    assert found["photos.viewers", ()] == ("gauge", 2)
    assert found["photos.render", ("stat=count",)] == ("histogram", 100)
    assert found["photos.render", ("stat=mean",)] == ("histogram", 50.5)
    assert found["photos.render", ("stat=p95",)] == ("histogram", 96)
    assert found["photos.render", ("stat=max",)] == ("histogram", 100)


def test_sample_rates_and_tags() -> None:
    received = StatsD(Limits())
    received.add(
        b"hits:1|c|@0.1|#region:eu,canary\nhits:2|c|#canary,region:eu\nload:+3|g\nload:4|g"
    )
    assert taken(received) == {
        ("hits", ("canary=", "region=eu")): ("counter", 12),
        ("load", ()): ("gauge", 4),
    }
    received.add(b"load:-1|g\ntime:5|h|@0.5\nsize:7|d")
    found = taken(received)
    assert found["load", ()] == ("gauge", 3)
    assert found["time", ("stat=count",)] == ("histogram", 2)
    assert found["size", ("stat=p99",)] == ("histogram", 7)
    assert taken(received) == {}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "x:1",
        "x:|c",
        ":1|c",
        "x:1|z",
        "x:nan|c",
        "x:inf|g",
        "x:1|c|@0",
        "x:1|c|@2",
        "x:a|ms",
    ],
)
def test_lines_that_are_none(line: str) -> None:
    assert parse_line(line) is None


@given(st.binary(max_size=300))
def test_no_packet_brings_it_down(packet: bytes) -> None:
    received = StatsD(Limits())
    received.add(packet)
    assert all(isinstance(one, Series) for one in received.take())


def test_series_are_bounded_and_what_is_over_is_counted() -> None:
    limits = Limits()
    received = StatsD(limits)
    for number in range(SERIES_MAX + 10):
        received.add(f"series.{number}:1|c".encode())
    assert len(received.take()) == SERIES_MAX
    assert limits.totals() == {"agent.statsd_series_over": 10}


def test_a_taken_port_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        with pytest.raises(AgentError, match="--statsd-port"):
            listen(holder.getsockname()[1])
