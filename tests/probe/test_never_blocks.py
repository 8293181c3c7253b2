"""What a request may wait for: nothing. What it may ask the kernel for: counters and clocks."""

import importlib.metadata
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import dynoscope_probe
from dynoscope_probe import process
from dynoscope_probe.counters import PerfGroup
from dynoscope_probe.process import current_process
from tests.probe import seccomp
from tests.probe.reading import read_rings
from tests.probe.test_counters import SOFTWARE
from tests.probe.test_middleware import call, respond

#: To count, to read clocks, to compare pids; to get memory, which Python does anyhow; to end.
ALLOWED = (
    "read", "clock_gettime", "getrusage", "getpid", "mmap", "munmap", "mremap", "brk", "madvise",
    "exit_group", "rt_sigreturn",
)  # fmt: skip


def application(environ, start_response):
    dynoscope_probe.set_endpoint("GET " + environ["PATH_INFO"])
    if environ["PATH_INFO"] == "/fails":
        raise LookupError("no 'such' thing")
    with dynoscope_probe.flag("ranking", environ["PATH_INFO"]):
        start_response("200 OK", [])
    return iter([b"a", b"b"]) if environ["PATH_INFO"] == "/streams" else [b"answer"]


def sealed_child(paths):
    """Wait status of a forked child that serves the paths, at the end with no other system calls
    than those allowed."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    status = 1
    try:
        wrapped = dynoscope_probe.wsgi(application)
        environs = [{"REQUEST_METHOD": "GET", "PATH_INFO": path} for path in paths]
        for environ in environs:
            serve(wrapped, environ)
        seccomp.allow_only(*ALLOWED)
        for _ in range(300):
            for environ in environs:
                serve(wrapped, environ)
        status = 0
    finally:
        os._exit(status)


def serve(wrapped, environ):
    try:
        response = wrapped(environ, lambda *_: None)
    except LookupError:
        return
    for _ in response:
        pass
    getattr(response, "close", bool)()


@pytest.mark.parametrize("counter", ["cpu_ns", "auto"])
def test_a_request_asks_the_kernel_for_counters_and_clocks_only(ring_dir, monkeypatch, counter):
    monkeypatch.setenv("DYNOSCOPE_COUNTER", counter)
    monkeypatch.setattr(PerfGroup.__init__, "__defaults__", (SOFTWARE,))
    paths = ("/", "/fails", "/streams", "/other")
    assert sealed_child(paths) == 0
    (ring,) = read_rings(ring_dir)
    assert ring.counters["written"] == 301 * len(paths)
    assert ring.counters["probe_errors"] == 0
    assert {record["unit"] for record in ring.records} == {1 if counter == "cpu_ns" else 2}


def test_the_seal_holds(ring_dir):
    """An application that asks for more is ended: so would the probe have been."""
    child = os.fork()
    if child == 0:
        seccomp.allow_only(*ALLOWED)
        os.stat("/")
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGSYS


ALONE = """
import os, sys
import dynoscope_probe
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"answer"]
wrapped = dynoscope_probe.wsgi(application)
for _ in range(100):
    wrapped({"REQUEST_METHOD": "GET"}, lambda *_: None)
kinds = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if int(fd) > 2
    and os.path.exists(f"/proc/self/fd/{fd}")]
print(len(os.listdir("/proc/self/task")), "threading" in sys.modules, kinds)
foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(sorted(foreign - {"__main__", "dynoscope_probe"}))
"""


def test_there_is_no_thread_no_socket_and_no_dependency(ring_dir):
    """In an interpreter that has nothing but the probe and the standard library."""
    package = dynoscope_probe.__file__.rpartition("/dynoscope_probe/")[0]
    told = subprocess.run(
        [sys.executable, "-S", "-c", ALONE],
        env={"PYTHONPATH": package, "DYNOSCOPE_RING_DIR": str(ring_dir)},
        check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    assert told[0].startswith("1 ")
    assert "socket" not in told[0] and "pipe" not in told[0]
    assert told[1] == "[]"
    (ring,) = read_rings(ring_dir)
    assert len(ring.records) == 100
    assert not importlib.metadata.requires("dynoscope-probe")


def test_a_request_does_not_wait_for_a_string_that_another_thread_adds(ring_dir):
    wrapped = dynoscope_probe.wsgi(application)
    call(wrapped)
    ring = current_process().ring
    with ring._string_lock:  # held for as long as the requests take, however long that is
        answers = []
        thread = threading.Thread(
            target=lambda: answers.extend(call(wrapped, path=f"/{n}")[2] for n in range(5))
        )
        thread.start()
        thread.join()
    assert answers == [b"answer"] * 5
    assert read_rings(ring_dir)[0].counters["strings_full"] >= 5


def test_requests_do_not_wait_for_a_ring_that_is_long_in_making(ring_dir, monkeypatch):
    """Each first request of a thread waits a moment; then it is served, and counted as lost."""
    monkeypatch.setattr(process, "OPEN_WAIT_S", 0.01)
    really = process.open_ring
    served = threading.Event()

    def slow(*arguments):
        assert served.wait(30)
        return really(*arguments)

    monkeypatch.setattr(process, "open_ring", slow)
    wrapped = dynoscope_probe.wsgi(respond)
    first = threading.Thread(target=call, args=(wrapped,))
    first.start()
    while not process._opening[os.getpid()].locked():
        time.sleep(0.001)
    assert [call(wrapped)[2] for _ in range(4)] == [b"answer"] * 4
    served.set()
    first.join()
    (ring,) = read_rings(ring_dir)
    assert len(ring.records) == 1
    assert ring.counters["requests_unrecorded"] == 4


def test_who_gave_up_waiting_finds_the_ring_that_was_made_meanwhile(ring_dir, monkeypatch):
    monkeypatch.setattr(process, "OPEN_WAIT_S", 0.01)
    call(dynoscope_probe.wsgi(respond))
    with process._opening[os.getpid()]:  # hooks are being installed
        assert process._open_once(os.getpid()) is current_process()
    process.count_unrecorded()  # its way out crossed the making of the ring
    (ring,) = read_rings(ring_dir)
    assert ring.counters["requests_unrecorded"] == 1
