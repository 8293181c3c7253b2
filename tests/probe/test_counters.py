import errno
import gc
import os
import sys
import threading
import time
import types
from pathlib import Path

import pytest

import dynoscope_probe
from dynoscope_probe import counters
from dynoscope_probe.counters import PerfGroup, in_greenlet, open_group
from dynoscope_probe.process import current_process
from tests.probe import seccomp
from tests.probe.reading import read_rings, records_in
from tests.probe.test_middleware import call, respond

#: Task clock leads here, so that a group can be opened without hardware counters.
SOFTWARE = ((1, 1), (1, 1), (1, 3))


def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_a_group_counts_its_thread_in_one_read():
    group = PerfGroup(SOFTWARE)
    before = group.read()
    spin(0.05)
    unit, cost, task_clock_ns, switches = group.since(before)
    group.close()
    assert unit == counters.UNIT_INSTRUCTIONS
    assert 0.04e9 < task_clock_ns < 0.2e9
    assert abs(cost - task_clock_ns) < 0.01e9
    assert switches >= 0


def test_a_group_counts_context_switches():
    group = PerfGroup(SOFTWARE)
    before = group.read()
    for _ in range(20):
        time.sleep(0.001)
    *_, switches = group.since(before)
    group.close()
    # The first one after opening may go by unseen.
    assert switches >= 15


def test_without_leave_to_see_the_kernel_getrusage_tells_the_context_switches(monkeypatch):
    """As under perf_event_paranoid 2: the rest of the group is counted all the same."""
    really = counters._perf_event_open

    def user_space_only(kind, config, excluded, leader):
        if not excluded & counters._EXCLUDE_KERNEL:
            raise OSError(errno.EACCES, "Permission denied")
        return really(kind, config, excluded, leader)

    monkeypatch.setattr(counters, "_perf_event_open", user_space_only)
    group = PerfGroup(SOFTWARE)
    before = group.read()
    for _ in range(20):
        time.sleep(0.001)
    spin(0.02)
    unit, _, task_clock_ns, switches = group.since(before)
    assert group.timer()() > 0
    group.close()
    assert unit == counters.UNIT_INSTRUCTIONS
    assert 20 <= switches < 200
    assert task_clock_ns >= 0.02e9


def test_a_group_does_not_count_other_threads():
    group = PerfGroup(SOFTWARE)
    before = group.read()
    other = threading.Thread(target=spin, args=(0.2,))
    other.start()
    other.join()
    _, cost, *_ = group.since(before)
    group.close()
    assert cost < 0.1e9


def test_a_multiplexed_group_falls_to_cpu_time():
    group = PerfGroup(SOFTWARE)
    started = counters._READING.pack(3, 1_000, 1_000, 5, 5, 5)
    ended = counters._READING.pack(3, 9_000, 4_000, 50, 50, 50)  # it ran 3 us of 8
    group.read = lambda: ended
    assert group.since(started) == (counters.UNIT_CPU_NS, 8_000, 8_000, 0)
    group.close()


def test_a_refusal_says_why(monkeypatch):
    def refuse(event, leader):
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(counters, "_open_event", refuse)
    assert open_group("auto") == (None, "perf_event_open: EACCES (Permission denied)")
    assert open_group("cpu_ns") == (None, "DYNOSCOPE_COUNTER=cpu_ns")


def test_a_sandbox_that_refuses_is_named_in_the_header(ring_dir):
    """A real seccomp filter, as containers have one, in a process of its own."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            seccomp.refuse("perf_event_open", errno.EPERM)
            call(dynoscope_probe.wsgi(respond))
            seccomp.refuse("getrusage", errno.EPERM)
            call(dynoscope_probe.wsgi(respond))
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    (ring,) = read_rings(ring_dir)
    assert ring.text(ring.header["unit_reason_id"]) == (
        "perf_event_open: EPERM (Operation not permitted)"
    )
    assert [record["unit"] for record in ring.records] == [counters.UNIT_CPU_NS] * 2
    assert ring.records[1]["ctx_switches"] == 0
    assert ring.counters["probe_errors"] == 0


def test_a_group_that_opens_half_leaves_nothing_open():
    before = _descriptors()
    with pytest.raises(OSError):
        PerfGroup(((1, 1), (99, 99)))
    assert _descriptors() == before


def _descriptors():

    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_unknown_machine_has_no_counter(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "m68k")
    assert open_group("auto")[1].startswith("perf_event_open: ENOSYS")


def test_instructions_are_counted_through_the_middleware(ring_dir, monkeypatch):
    """The whole way, with the task clock in the place of the hardware's counter."""
    monkeypatch.setattr(PerfGroup.__init__, "__defaults__", (SOFTWARE,))

    def application(environ, start_response):
        spin(0.03)
        return respond(environ, start_response)

    wrapped = dynoscope_probe.wsgi(application)
    current_process()  # the ring's own descriptor
    gc.collect()  # what other tests left
    before = _descriptors()
    threads = [threading.Thread(target=call, args=(wrapped,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = [record for _, record in records_in(ring_dir)]
    assert {record["unit"] for record in records} == {counters.UNIT_INSTRUCTIONS}
    assert all(0.029e9 <= record["task_clock_ns"] < 0.1e9 for record in records)
    assert _descriptors() == before


def test_wanted_instructions_that_cannot_be_had_are_counted(ring_dir, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "m68k")
    monkeypatch.setenv("DYNOSCOPE_COUNTER", "instructions")
    call(dynoscope_probe.wsgi(respond))
    (ring,) = read_rings(ring_dir)
    assert ring.counters["counter_failed"] == 1
    assert ring.records[0]["unit"] == counters.UNIT_CPU_NS


def test_a_request_in_a_greenlet_has_no_cost(ring_dir):
    import greenlet

    wrapped = dynoscope_probe.wsgi(respond)
    greenlet.greenlet(lambda: call(wrapped)).switch()
    call(wrapped)
    units = [record["unit"] for _, record in records_in(ring_dir)]
    assert units[0] == counters.UNIT_NONE
    assert units[1] != counters.UNIT_NONE


def test_a_process_patched_by_gevent_is_known(monkeypatch):
    monkeypatch.setitem(
        sys.modules, "gevent.monkey", types.SimpleNamespace(is_module_patched=lambda name: True)
    )
    import greenlet

    assert greenlet.getcurrent().parent is None
    assert in_greenlet()
    monkeypatch.delitem(sys.modules, "greenlet")
    assert not in_greenlet()
