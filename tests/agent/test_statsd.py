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
from agent.series import Series
from agent.statsd import SERIES_MAX, StatsD, listen, parse_line, unpacked


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
    deadline = time.monotonic() + 120
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


def test_packed_values_of_one_line() -> None:
    received = StatsD(Limits())
    received.add(b"size:1:2:3|d|#region:eu\nhits:1:1|c|@0.5\nviewers:a:b|s\nbad:1:x|c")
    found = taken(received)
    assert found["size", ("region=eu", "stat=count")] == ("histogram", 3)
    assert found["size", ("region=eu", "stat=mean")] == ("histogram", 2)
    assert found["hits", ()] == ("counter", 4)
    assert found["viewers", ()] == ("gauge", 1), "a member may hold a colon"
    assert found["bad", ()] == ("counter", 1)
    assert received.limits.totals() == {"agent.statsd_lines_not_understood": 1}
    assert unpacked("a:1|g") == ["a:1|g"]


def test_old_gauges_make_room_for_new_series() -> None:
    received = StatsD(Limits())
    for number in range(SERIES_MAX):
        received.add(f"gauge.{number}:1|g".encode())
    received.add(b"new:1|c")
    assert received.limits.totals() == {"agent.statsd_series_over": 1}, "all of them are news"
    assert len(received.take()) == SERIES_MAX
    received.add(b"gauge.0:+1|g\nnew:1|c")
    assert taken(received) == {("gauge.0", ()): ("gauge", 2), ("new", ()): ("counter", 1)}
    received.add(b"gauge.1:+5|g")
    assert taken(received) == {("gauge.1", ()): ("gauge", 5)}, "it was the oldest and is forgotten"


def test_members_of_a_set_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.statsd.MEMBERS_MAX", 3)
    received = StatsD(Limits())
    for member in "abcdab":
        received.add(f"viewers:{member}|s".encode())
    assert taken(received) == {("viewers", ()): ("gauge", 3)}
    assert received.limits.totals() == {"agent.statsd_set_members_over": 1}


def test_packets_that_the_kernel_dropped_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.statsd.RECEIVE_BUFFER_BYTES", 4096)
    received, stop, sock = StatsD(Limits()), Event(), listen(0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(200):  # nobody reads yet
            sender.sendto(b"hits:1|c|#" + b"x" * 500, sock.getsockname())
    thread = Thread(target=received.receive, args=(sock, stop))
    thread.start()
    deadline = time.monotonic() + 120
    while not received.limits.totals() and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    thread.join()
    sock.close()
    (hits,) = received.take()
    assert hits.value + received.limits.totals()["agent.statsd_packets_dropped"] == 200


def test_a_taken_port_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        with pytest.raises(AgentError, match="--statsd-port"):
            listen(holder.getsockname()[1])
