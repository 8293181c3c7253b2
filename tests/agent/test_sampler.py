import os
import random
import time
from pathlib import Path
from threading import Thread

import pytest

from agent.sampler import PySpy, Target, py_spy_binary
from agent.stacks import Modules, mend, resolve
from tests.agent.processes import ROOT, target, until

PROC = Path("/proc")


def script(folder, text):
    path = folder / "py-spy"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_shares_of_two_functions_and_their_endpoint():
    with target("two_functions") as process:
        (window,) = PySpy(py_spy_binary()).sample([Target(process.pid)], 4, 100)
        process.stdin.write("\n")
        process.stdin.flush()
        dear_ns, cheap_ns = map(int, process.stdout.readline().split())
    assert window.failure == ""
    assert 0 < window.ticks <= 400 and window.ticks + window.errors == 400
    modules = Modules(str(ROOT))
    found = {"dear": 0, "cheap": 0, "all": 0, "inside": 0, "inside, named": 0}
    for raw in mend(window.stacks)[0]:
        stack = resolve(raw.frames, modules)
        assert {raw.thread_id} == {process.pid}
        found["all"] += raw.samples
        if "tests.agent.targets.two_functions:view" in stack.frames:
            found["inside"] += raw.samples
            found["inside, named"] += raw.samples * (stack.endpoint == "GET /feed; v=<1> (x)")
        for name in ("dear", "cheap"):
            place = f"tests.agent.targets.two_functions:{name}"
            found[name] += raw.samples * (place in stack.frames)
    assert found["all"] > 100
    assert found["all"] < window.ticks  # it sleeps a third of the time
    share = found["dear"] / (found["dear"] + found["cheap"])
    # Late ticks fall upon what comes after: on a machine with a load of 18 it was 0.10 off.
    assert share == pytest.approx(dear_ns / (dear_ns + cheap_ns), abs=0.17)
    assert found["inside, named"] == found["inside"] > 0.8 * found["all"]


def test_a_missing_binary_is_a_failure_with_its_reason():
    (window,) = PySpy("/nonexistent/py-spy").sample([Target(os.getpid())], 1, 5)
    assert "does not start (/nonexistent/py-spy)" in window.failure


def test_a_process_that_is_gone_is_a_failure_with_its_reason():
    with target("two_functions") as process:
        pid = process.pid
    (window,) = PySpy(py_spy_binary()).sample([Target(pid)], 1, 5)
    assert window.failure.startswith("py-spy ended with 1: Error: ")


def test_a_refusal_is_a_failure_with_its_reason(tmp_path):
    refusing = script(tmp_path, "echo 'Permission Denied: Try again with sudo' >&2; exit 1")
    (window,) = PySpy(refusing).sample([Target(os.getpid())], 1, 5)
    assert window.failure == "py-spy ended with 1: Permission Denied: Try again with sudo"


def test_one_that_hangs_is_ended_and_costs_the_others_nothing(tmp_path):
    hanging = script(
        tmp_path, f'case "$*" in *"--pid 1 "*) exec sleep 600;; esac; exec {py_spy_binary()} "$@"'
    )
    with target("two_functions") as process:
        hung, good = PySpy(hanging, grace_s=1.0).sample([Target(1), Target(process.pid)], 1, 20)
    assert hung.failure == "py-spy hung and was ended"
    assert good.failure == "" and good.ticks > 0


def test_a_worker_that_ends_in_the_window_gives_what_there_was():
    with target("two_functions") as process:
        windows = []
        sampler = PySpy(py_spy_binary())
        thread = Thread(
            target=lambda: windows.extend(sampler.sample([Target(process.pid)], 30, 50))
        )
        thread.start()
        until(lambda: _spied_on(process.pid))
        time.sleep(random.Random(1).uniform(1, 2))  # some ticks, not a readiness wait
        process.kill()
        thread.join(20)
    assert not thread.is_alive()
    (window,) = windows
    assert window.failure or 0 < window.ticks < 1500


def test_stop_ends_it_at_once():
    with target("two_functions") as process:
        windows = []
        sampler = PySpy(py_spy_binary())
        thread = Thread(
            target=lambda: windows.extend(sampler.sample([Target(process.pid)], 60, 20))
        )
        thread.start()
        until(lambda: _spied_on(process.pid))
        sampler.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert windows[0].ticks == 0 and windows[0].failure == ""


def _spied_on(pid):
    """Whether some py-spy has this pid on its command line."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"py-spy") and str(pid).encode() in words:
                return True
    return False
