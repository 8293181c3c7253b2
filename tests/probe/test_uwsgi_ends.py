"""Workers that end in every way that uWSGI knows: what they served is told, each request once."""

import os
import signal
import subprocess
import sysconfig
import time
from collections import Counter
from pathlib import Path

import pytest

import dynoscope_probe
from tests.probe.flushing import Agent
from tests.probe.serving import environment, fetching, free_port, get, server, wait_for
from tests.probe.test_losses import answers_plainly
from tests.probe.test_uwsgi import LINES, PLAIN, uwsgi

LAZY = pytest.mark.parametrize("lazy", [[], ["--lazy-apps"]], ids=["preforked", "lazy"])


def worker(port):
    """Pid of the worker that answers."""
    return int(get(port, "/")[1].split()[1])


@LAZY
def test_harakiri(ring_dir, lazy):
    """uWSGI kills a worker that takes too long: the request in flight is told as killed."""
    port = free_port()
    command = uwsgi(port, *LINES, *PLAIN, *lazy, "--harakiri", "1")
    agent = Agent(ring_dir)
    with server(command, environment(ring_dir), port):
        first = worker(port)
        with pytest.raises(OSError):
            get(port, "/busy?60")
        wait_for(lambda: answers_plainly(port), "the next worker")
        assert worker(port) != first
        rows = agent.look()
    rows += agent.look()
    assert Counter(row["outcome"] for row in rows) == {"ok": 3, "killed": 1}
    (killed,) = (row for row in rows if row["outcome"] == "killed")
    assert killed["pid"] == first


@LAZY
def test_max_requests(ring_dir, lazy):
    """Workers are replaced every few requests, with several of them and threads in each."""
    port = free_port()
    command = uwsgi(
        port, *LINES, *PLAIN, *lazy, "--max-requests", "5", "--min-worker-lifetime", "0",
        "--threads", "2", workers=2,
    )  # fmt: skip
    agent = Agent(ring_dir)
    rows = []
    with server(command, environment(ring_dir), port):
        for number in range(30):
            assert get(port, "/")[0] == 200
            if number % 7 == 0:
                rows += agent.look()
    rows += agent.look()
    assert Counter(row["outcome"] for row in rows) == {"ok": 30}
    assert len({(row["ring_id"], row["seq"]) for row in rows}) == 30
    lives = Counter(row["ring_id"] for row in rows)
    assert len(lives) >= 4
    for ring_id in lives:  # every life counts its requests from 1
        numbers = sorted(row["worker_req"] for row in rows if row["ring_id"] == ring_id)
        assert numbers == list(range(1, len(numbers) + 1))


@LAZY
def test_reload(ring_dir, tmp_path, lazy):
    """Workers are replaced on order, three times, while clients go on."""
    port = free_port()
    fifo = tmp_path / "fifo"
    agent = Agent(ring_dir)
    rows, answered, cut_off = [], 0, 0
    command = uwsgi(port, *LINES, *PLAIN, *lazy, "--master-fifo", str(fifo))
    with server(command, environment(ring_dir), port):
        for _ in range(3):
            before = seen = worker(port)
            answered += 1
            with fifo.open("w") as pipe:
                pipe.write("w")
            end = time.monotonic() + 120
            while seen == before:
                assert time.monotonic() < end
                try:
                    seen = worker(port)
                    answered += 1
                except OSError:  # uWSGI had taken the connection and then ended the worker
                    cut_off += 1
            rows += agent.look()
    rows += agent.look()
    assert {row["outcome"] for row in rows} == {"ok"}
    assert answered <= len(rows) <= answered + cut_off
    assert len({row["pid"] for row in rows}) == 4
    assert agent.losses.total() == 0


@LAZY
def test_binary_reload(ring_dir, lazy):
    """SIGHUP to the master: it ends its workers and executes uWSGI anew, under its old pid and with
    its old socket, three times, while clients go on. No request is lost, new rings are found."""
    port = free_port()
    agent = Agent(ring_dir)
    rows, answered, cut_off, before = [], 0, 0, set()
    command = uwsgi(port, *LINES, *PLAIN, *lazy, workers=2)
    # pyuwsgi executes the interpreter behind the virtual environment, which knows only these then.
    places = sysconfig.get_paths()["purelib"], str(Path(dynoscope_probe.__file__).parents[1])
    env = environment(ring_dir, PYTHONPATH=os.pathsep.join(places))
    with server(command, env, port) as running:
        for life in range(4):
            end, seen = time.monotonic() + 120, set()
            # uWSGI loses a signal that comes while a lazy worker loads: until both have answered.
            while len(seen - before) < 2:
                assert time.monotonic() < end
                try:
                    seen.add(worker(port))
                    answered += 1
                except OSError:  # uWSGI had taken the connection and then ended the worker
                    cut_off += 1
            rows += agent.look()
            assert {row["pid"] for row in rows} >= seen - before
            assert running.poll() is None
            before = workers_of(running)
            if life < 3:
                running.send_signal(signal.SIGHUP)
    rows += agent.look()
    assert {row["outcome"] for row in rows} == {"ok"}
    assert answered <= len(rows) <= answered + cut_off
    assert len({row["pid"] for row in rows}) == 8
    assert len({(row["ring_id"], row["seq"]) for row in rows}) == len(rows)
    assert agent.losses.total() == 0


def workers_of(master):
    """Pids of a uWSGI master's workers."""
    with open(f"/proc/{master.pid}/task/{master.pid}/children") as file:
        return {int(pid) for pid in file.read().split()}


def test_a_worker_that_is_ended_while_it_serves_finishes_its_request(ring_dir):
    """A graceful end (as in a deploy) is no kill."""
    port = free_port()
    agent = Agent(ring_dir)
    with server(uwsgi(port, *LINES, *PLAIN), environment(ring_dir), port):
        first = worker(port)
        client = fetching(f"http://127.0.0.1:{port}/busy?1", stdout=subprocess.PIPE)
        rows = agent.look()
        wait_for(lambda: agent.in_flight(), "the request")
        os.kill(first, signal.SIGHUP)
        assert client.communicate()[0].startswith(b"plain")
        wait_for(lambda: answers_plainly(port), "the next worker")
    rows += agent.look()
    assert {row["outcome"] for row in rows} == {"ok"}
    assert max(row["wall_ns"] for row in rows) > 1e9
