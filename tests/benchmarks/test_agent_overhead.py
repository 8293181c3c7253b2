import os
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.agent_overhead import AGENT, BARE, PY_SPY, PYROSCOPE, Steady, Turns, as_json
from benchmarks.hosting.groups import Group, started
from tests.agent.processes import until

TREE = (
    "import subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', 'while 1: pass'])\n"
    "child.wait()\n"
)


def test_the_last_line_has_what_was_measured_and_pairs_by_block():
    bare = [100.0, 50.0, 80.0, 90.0, 70.0, 60.0]
    turns = {
        BARE: Turns(bare, [0.0] * 6, [6.0] * 6),
        AGENT: Turns([0.99 * one for one in bare], [0.008] * 6, [6.0] * 6),
        PY_SPY: Turns([0.97 * one for one in bare], [0.05, 0.07] * 3, [6.3] * 6),
        PYROSCOPE: Turns([0.95 * one for one in bare], [0.0] * 6, [6.6] * 6),
    }
    found = as_json(Steady(0.0093, 61_000_000, 4.2, 150.0), turns)
    assert (found["name"], found["cpu_percent_of_core"]) == ("agent_overhead", 0.93)
    assert (found["rss_mb"], found["samples_per_s"]) == (61.0, 4.2)
    assert found["cpu_percent_in_turns"] == 0.8
    assert found["throughput_ratio"] == 0.99
    assert found["throughput_ratio_interval"] == [0.99, 0.99]
    cores = os.cpu_count()
    assert found["capacity_ratio"] == pytest.approx(1 - 0.008 / cores, abs=1e-4)
    assert found["peers"][PY_SPY]["cpu_percent_of_core"] == 6.0
    assert found["peers"][PY_SPY]["throughput_ratio"] == 0.97
    assert found["peers"][PYROSCOPE]["capacity_ratio"] == pytest.approx(6 / 6.6, abs=1e-4)


def test_a_group_is_measured_stopped_and_ended_whole(tmp_path):
    with started([sys.executable, "-c", TREE], tmp_path / "log", {}) as group:
        until(lambda: group.cpu_s() > 0.3)
        (child,) = children(group)
        assert group.rss_bytes() > 2 * 4_000_000
        group.stop()
        until(lambda: state(child) == "T")
        stopped_s = group.cpu_s()
        time.sleep(0.2)
        assert group.cpu_s() == stopped_s
        group.go_on()
        until(lambda: group.cpu_s() > stopped_s)
    until(lambda: state(child) in ("", "Z"))
    assert group.process.returncode == -signal.SIGKILL


def children(group: Group) -> list[int]:
    command = ["pgrep", "-P", str(group.process.pid)]
    return [int(pid) for pid in subprocess.run(command, capture_output=True).stdout.split()]


def state(pid: int) -> str:
    """Such as R, S, T; "" where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""
