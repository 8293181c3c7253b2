"""What a profile tells, and what it must never do to the application."""

import io
import os
import sys
import threading
import time
import traceback
from wsgiref.validate import validator

import pytest

import dynoscope_probe
from dynoscope_probe import guard, profiled, ring
from dynoscope_probe.request import HTTP, OK, begin_request, current_request
from tests.probe.reading import read_rings


@pytest.fixture(autouse=True)
def every_request(monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_DEEP_RATE", "1")
    yield
    assert sys.getprofile() is None
    assert profiled._running == {}


@pytest.fixture
def switch_interval():
    """Sets how often threads take turns."""
    usual_s = sys.getswitchinterval()
    yield sys.setswitchinterval
    sys.setswitchinterval(usual_s)


def ask(application, start_response=lambda *_: None):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    return dynoscope_probe.wsgi(application)(environ, start_response)


def answered(application):
    response = ask(application)
    try:
        return b"".join(response)
    finally:
        if hasattr(response, "close"):
            response.close()


def calls_in(ring_dir):
    """(function, caller) -> calls, names without module and enclosing function."""
    (read,) = read_rings(ring_dir)

    def name(string_id):
        return read.text(string_id).partition(":")[2].rpartition("<locals>.")[2]

    return {
        (name(row["function_id"]), name(row["caller_id"])): row["calls"]
        for row in read.function_costs
    }


def counter(ring_dir, name):
    return read_rings(ring_dir)[0].counters[name]


def leaf():
    pass


def branch():
    for _ in range(7):
        leaf()
    return len("four")


def plain(environ, start_response):
    branch()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"plain"]


def parts(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        for _ in range(3):
            leaf()
            yield b"part"
    finally:
        branch()


def test_calls_and_callers_are_exact(ring_dir):
    assert answered(plain) == b"plain"
    calls = calls_in(ring_dir)
    assert calls["plain", ""] == 1
    assert calls["branch", "plain"] == 1
    assert calls["leaf", "branch"] == 7
    assert calls["len", "branch"] == 1
    (read,) = read_rings(ring_dir)
    assert {read.records[0]["trace_id_low"]} == {row["trace_id_low"] for row in read.function_costs}
    assert {row["unit"] for row in read.function_costs} == {1}
    assert read.records[0]["unit"] == 0
    assert read.records[0]["wall_ns"] > 0


def test_nothing_of_the_probe_is_in_it(ring_dir):
    answered(plain)
    answered(parts)
    (read,) = read_rings(ring_dir)
    names = {read.text(row["function_id"]) for row in read.function_costs}
    assert not any("profiled" in name.partition(":")[0] and "_st" in name for name in names)
    assert not any(name.startswith(("_lsprof", "sys:getprofile")) for name in names)


def test_a_response_that_is_made_in_parts_is_profiled_to_its_close(ring_dir):
    assert answered(parts) == b"part" * 3
    calls = calls_in(ring_dir)
    assert calls["leaf", "parts"] == 3
    assert calls["branch", "parts"] == 1
    assert calls["leaf", "branch"] == 7


def test_between_the_parts_the_profiler_is_off(ring_dir):
    response = ask(parts)
    assert sys.getprofile() is None
    for _ in response:
        assert sys.getprofile() is None
        branch()
    response.close()
    assert calls_in(ring_dir)["leaf", "branch"] == 7


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_an_exception_passes_as_it_is_and_the_profiler_is_off(ring_dir, error):
    def failing(environ, start_response):
        branch()
        raise error("as it is")

    with pytest.raises(error, match="as it is") as caught:
        answered(failing)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].name == "failing"
    assert not any(frame.filename in ("<endpoint>", profiled.__file__) for frame in frames)
    assert calls_in(ring_dir)["leaf", "branch"] == 7


def test_an_error_in_a_part_turns_the_profiler_off(ring_dir):
    def failing(environ, start_response):
        start_response("200 OK", [])
        yield b"part"
        raise ValueError

    with pytest.raises(ValueError):
        answered(failing)
    assert counter(ring_dir, "profiles_refused") == 0


def test_a_response_stays_valid(ring_dir):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "SCRIPT_NAME": "", "QUERY_STRING": "", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
        "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False,
        "SERVER_PROTOCOL": "HTTP/1.1",
    }  # fmt: skip
    for application in (plain, parts):
        wrapped = validator(dynoscope_probe.wsgi(validator(application)))
        response = wrapped(environ, lambda *_: lambda _: None)
        assert b"".join(response) in (b"plain", b"part" * 3)
        response.close()


def test_other_threads_are_not_profiled(ring_dir):
    started, done = threading.Event(), threading.Event()
    seen = []

    def other():
        seen.append(sys.getprofile())
        branch()
        started.set()
        done.wait(10)
        seen.append(sys.getprofile())

    def waiting(environ, start_response):
        thread = threading.Thread(target=other)
        thread.start()
        started.wait(10)
        leaf()
        done.set()
        thread.join()
        return [b""]

    answered(waiting)
    assert seen == [None, None]
    calls = calls_in(ring_dir)
    assert ("leaf", "branch") not in calls
    assert [count for (name, _), count in calls.items() if name == "leaf"] == [1]


@pytest.mark.parametrize("switch_s", [0.005, 1e-5], ids=["as usual", "in any order"])
def test_thirty_two_threads_each_have_their_own(ring_dir, switch_interval, switch_s):
    switch_interval(switch_s)
    wrapped = dynoscope_probe.wsgi(plain)
    answers = []

    def run():
        for _ in range(3):
            answers.append(wrapped({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None))

    threads = [threading.Thread(target=run) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [[b"plain"]] * 96
    (read,) = read_rings(ring_dir)
    assert (len(read.records), read.counters["requests_unrecorded"]) == (96, 0)
    assert read.counters["strings_full"] == read.counters["profiles_refused"] == 0
    leaves = [
        row["calls"]
        for row in read.function_costs
        if read.text(row["function_id"]).endswith(":leaf")
    ]
    assert leaves == [7] * 96


def test_a_forked_child_is_not_profiled_and_writes_nothing(ring_dir):
    def forking(environ, start_response):
        pid = os.fork()
        if pid == 0:
            branch()
            os._exit(0 if sys.getprofile() is None else 1)
        assert os.waitpid(pid, 0)[1] == 0
        leaf()
        return [b""]

    answered(forking)
    (read,) = read_rings(ring_dir)
    assert calls_in(ring_dir)["leaf", "forking"] == 1
    assert len(read.records) == 1


def test_a_child_that_goes_on_to_the_end_of_the_request_writes_nothing(ring_dir):
    def forking(environ, start_response):
        pid = os.fork()
        if pid:
            assert os.waitpid(pid, 0)[1] == 0
        return [b"parent" if pid else b"child"]

    if answered(forking) == b"child":
        os._exit(0 if sys.getprofile() is None else 1)
    (read,) = read_rings(ring_dir)
    assert len(read.records) == 1
    assert len({row["started_ns"] for row in read.function_costs}) == 1


def test_a_second_frame_within_the_request_changes_nothing(ring_dir):
    def twice(environ, start_response):
        current_request().frame(branch)
        assert sys.getprofile() is not None
        leaf()
        return [b""]

    answered(twice)
    calls = calls_in(ring_dir)
    assert calls["leaf", "branch"] == 7
    assert calls["leaf", "twice"] == 1


def test_past_the_limit_pairs_are_added_up_and_counted(ring_dir):
    scope = {}
    exec("".join(f"def f{n}():\n  pass\n" for n in range(600)), scope)
    functions = [scope[f"f{n}"] for n in range(600)]

    def many(environ, start_response):
        for function in functions:
            function()
        return [b""]

    answered(many)
    (read,) = read_rings(ring_dir)
    assert len(read.function_costs) == profiled.ROWS_MAX
    calls = calls_in(ring_dir)
    assert sum(count for (name, _), count in calls.items() if name != "many") >= 600
    assert read.counters["profile_pairs_over"] >= 600 - profiled.ROWS_MAX
    other = [row for row in read.function_costs if read.text(row["function_id"]) == "(other)"]
    assert len(other) == 1


def test_functions_without_room_for_their_names_are_added_up(ring_dir, monkeypatch):
    monkeypatch.setattr(ring, "BULKY_BYTES", 0)
    answered(plain)
    (read,) = read_rings(ring_dir)
    (row,) = read.function_costs
    assert read.text(row["function_id"]) == "(other)"
    assert row["calls"] >= 10
    assert read.counters["strings_full"] > 0


def test_a_part_made_by_another_thread_is_not_profiled(ring_dir):
    response = iter(ask(parts))
    got = []
    thread = threading.Thread(target=lambda: got.append(next(response)))
    thread.start()
    thread.join()
    assert got == [b"part"]
    assert next(response) == b"part"
    response.close()
    assert calls_in(ring_dir)["leaf", "parts"] == 1


def test_a_fault_of_the_profiler_is_swallowed(ring_dir, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    guard.reraise_with(None)
    monkeypatch.setattr(profiled, "function_costs", broken)
    assert answered(plain) == b"plain"
    monkeypatch.setattr(profiled.Profile, "_prepare", broken)
    assert answered(plain) == b"plain"
    (read,) = read_rings(ring_dir)
    assert read.counters["probe_errors"] == 2
    assert len(read.records) == 2


def test_the_overhead_is_measured_anew_only_after_a_while(ring_dir, monkeypatch):
    answered(plain)
    deep = dynoscope_probe.process.current_process().deep
    ((measured_at, overhead),) = deep.overheads.values()
    answered(plain)
    assert deep.overheads == {1: (measured_at, overhead)}
    monkeypatch.setattr(profiled, "OVERHEAD_NS", 0)
    answered(plain)
    assert deep.overheads[1][0] > measured_at


def test_a_request_whose_cost_cannot_be_counted_is_not_profiled(ring_dir):
    request = begin_request(HTTP, lambda _: ("GET /", None), {})
    request.countable = False
    request.frame(branch)
    request.end(OK)
    (read,) = read_rings(ring_dir)
    assert read.function_costs == []
    assert read.counters["profiles_refused"] == 1


def test_costs_are_those_of_the_work(ring_dir):
    def burn(seconds):
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    def small():
        burn(0.004)

    def large():
        burn(0.012)

    def working(environ, start_response):
        small()
        large()
        return [b""]

    for _ in range(3):
        answered(working)
    (read,) = read_rings(ring_dir)
    costs = {}
    for row in read.function_costs:
        name = read.text(row["function_id"]).rpartition(".")[2]
        costs[name] = costs.get(name, 0) + row["cost_inclusive"]
    assert costs["large"] / (costs["large"] + costs["small"]) == pytest.approx(0.75, abs=0.1)
