"""The compiled part: that it is used, that it is the same as pure Python, that it is safe."""

import binascii
import copy
import gc
import os
import pickle
import random
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from time import sleep, thread_time_ns

import pytest

import dynoscope_probe
from dynoscope_probe import fast, layout, middleware, request
from tests.probe.reading import read_rings, records_in
from tests.probe.test_middleware import call, respond

ROOT = Path(__file__).parents[2]
#: What is run once more the other way round: pure Python where the compiled part was built.
SUITES = ("api", "django", "flask", "middleware", "process", "ring")
compiled_only = pytest.mark.skipif(
    fast.compiled() is None, reason="the compiled part was not built, or DYNOSCOPE_FAST=0"
)


def test_it_is_there_where_it_can_be_built():
    headers = Path(sysconfig.get_paths()["include"], "Python.h").exists()
    if os.environ.get("DYNOSCOPE_FAST") == "0" or not (shutil.which("cc") and headers):
        assert request.compiled_core is None
    else:
        assert request.compiled_core is not None, "it was not built: run 'make setup'"
        assert issubclass(middleware.Middleware, fast.compiled().Caller)


def test_pure_python_does_the_same():
    suites = [f"tests/probe/test_{name}.py" for name in SUITES]
    environ = {**os.environ, "DYNOSCOPE_FAST": "0"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suites]
    found = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-3000:]


def test_it_is_switched_off():
    program = "from dynoscope_probe import request; print(request.compiled_core)"
    environ = {**os.environ, "DYNOSCOPE_FAST": "off"}
    found = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True)
    assert found.stdout == b"None\n"


@compiled_only
def test_what_does_not_fit_is_not_used(monkeypatch):
    monkeypatch.setattr(fast.compiled(), "RECORD_FORMAT", "<Q")
    assert fast.compiled() is None

    class More:
        __slots__ = ("one_more",)

    monkeypatch.undo()
    assert not fast.knows_slots(fast.compiled().Count, More)


@compiled_only
def test_checksums_are_those_of_binascii():
    numbers = random.Random(1)
    for length in [*range(300), 4096]:
        data = numbers.randbytes(length)
        assert fast.compiled().crc32(data) == binascii.crc32(data)


@compiled_only
def test_its_clock_follows_the_threads():
    """Also over waits, which cost nothing; it never goes back."""
    read = fast.compiled().ThreadClock().read
    assert fast.thread_clock().__self__.__class__ is fast.compiled().ThreadClock
    last, ahead_ns = read(), []
    for number in range(300):
        if number % 3 == 0:
            sleep(0.001)
        for work in range(300):
            sum(range(work % 40))
            now = read()
            assert now >= last
            last = now
        sum(range(30_000))  # after a gap the kernel is asked
        before, now, after = thread_time_ns(), read(), thread_time_ns()
        assert before <= now
        ahead_ns.append(now - after)
    assert sorted(ahead_ns)[150] <= 0
    assert max(ahead_ns) < 500_000


@compiled_only
def test_every_field_of_the_record_is_where_python_has_it(ring_dir):
    """Each number that the application's hooks may set, once with a value of its own."""
    names = {
        "db_ns": 11, "db_calls": 12, "cache_ns": 13, "cache_calls": 14, "rpc_ns": 15,
        "rpc_calls": 16, "gc_ns": 17, "user_hash": 1 << 63, "error_fp": (1 << 64) - 1,
        "error_id": 18, "endpoint_id": 19, "number": 20,
    }  # fmt: skip

    def application(environ, start_response):
        counted = request.current_request()
        for name, value in names.items():
            setattr(counted, name, value)
        counted.statements = {5: [2, 30], 6: [1, 40], 7: [9, 10], 8: [1, 1]}
        counted.add_flag("b", "2")
        counted.add_flag("a", "1")
        return respond(environ, start_response)

    traceparent = "00-0123456789abcdef0011223344556677-8899aabbccddeeff-01"
    call(dynoscope_probe.wsgi(application), HTTP_TRACEPARENT=traceparent)
    ((_, record),) = records_in(ring_dir)
    worker_req = names.pop("number")
    assert {name: record[name] for name in names} == names
    assert record["worker_req"] == worker_req
    assert [record[f"statement{n}_id"] for n in (1, 2, 3)] == [6, 5, 7]
    assert [record[f"statement{n}_calls"] for n in (1, 2, 3)] == [1, 2, 9]
    assert [record[f"statement{n}_ns"] for n in (1, 2, 3)] == [40, 30, 10]
    assert record["trace_id_high"] == 0x0123456789ABCDEF
    assert record["trace_id_low"] == 0x0011223344556677
    assert record["trace_sampled"] == 1 and record["span_id"] not in (0, 0x8899AABBCCDDEEFF)
    (ring,) = read_rings(ring_dir)
    assert ring.text(record["flags_id"]) == "a=1\x1fb=2"


@compiled_only
def test_numbers_past_their_field_are_cut(ring_dir):
    def application(environ, start_response):
        counted = request.current_request()
        counted.db_calls, counted.db_ns = 1 << 40, -5
        with pytest.raises(OverflowError):
            counted.cache_ns = 1 << 70
        with pytest.raises(TypeError):
            counted.running = "yes"
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application))
    ((_, record),) = records_in(ring_dir)
    assert (record["db_calls"], record["db_ns"]) == ((1 << 32) - 1, 0)


@compiled_only
@pytest.mark.parametrize("name", ["Ledger", "Start", "Body", "SizedBody"])
def test_what_only_it_makes_cannot_be_made(name):
    with pytest.raises(TypeError, match="cannot create"):
        getattr(fast.compiled(), name)()


@compiled_only
def test_halves_do_not_crash():
    half = request.compiled_core.request_type()
    assert half.trace == (0, 0, 0, 0, 0)
    assert half.process is None and half.frame is None
    assert half.status == 0 and half.calls == []
    assert half.end(0) is None
    with pytest.raises(TypeError):
        fast.compiled().Core()
    with pytest.raises(TypeError):
        request.compiled_core.begin(0)
    with pytest.raises(TypeError):
        request.compiled_core.begin("a", print, {})
    with pytest.raises(AttributeError):
        fast.compiled().Caller()({}, print)


@compiled_only
@pytest.mark.parametrize(
    "named", [None, "a text", ("a",), (1, None), ("a", None, 3), ["a", None]], ids=repr
)
def test_a_name_of_another_make_is_swallowed(ring_dir, named):
    with pytest.raises(TypeError, match="is to give"):  # re-raised in tests
        request.begin_request(0, lambda environ: named, {})
    assert request.current_request() is None


@compiled_only
@pytest.mark.parametrize("environ", [None, 5, "text", [], {"HTTP_TRACEPARENT": 5}], ids=repr)
def test_an_environ_of_another_make_is_swallowed(ring_dir, environ):
    with pytest.raises((AttributeError, TypeError)):
        request.begin_request(0, lambda environ: ("a", None), environ)
    assert request.current_request() is None


def test_the_middleware_is_copied_and_pickled():
    wrapped = dynoscope_probe.wsgi(respond)
    for twin in (copy.copy(wrapped), pickle.loads(pickle.dumps(wrapped))):
        assert call(twin)[2] == b"answer"


def test_cycles_through_a_request_are_collected(ring_dir):
    """An application that keeps its start_response, which keeps the request."""

    class Kept:
        pass

    alive = []

    def application(environ, start_response):
        kept = Kept()
        kept.start, kept.request, kept.environ = start_response, request.current_request(), environ
        environ["kept"] = kept
        kept.request.flags = {"kept": kept}
        kept.request.flags = None
        kept.request.routing = kept
        alive.append(__import__("weakref").ref(kept))
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application))
    gc.collect()
    assert alive[0]() is None


@pytest.mark.parametrize("requests", [6_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_nothing_leaks_under_the_debug_allocator(tmp_path, requests):
    """Memory after `requests` more of every kind is what it was, and nothing is written past its
    end or freed twice: PYTHONMALLOC=debug aborts then."""
    environ = {
        **os.environ,
        "PYTHONMALLOC": "debug",
        "DYNOSCOPE_RING_DIR": str(tmp_path),
        "DYNOSCOPE_SPAN_RATE": "0.01",
    }
    command = [sys.executable, "-X", "dev", "-m", "tests.probe.apps.soak", str(requests)]
    found = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr[-3000:]
    grown_blocks, grown_kib = map(int, found.stdout.split())
    assert grown_blocks < 500
    assert grown_kib < 1024
    (ring,) = read_rings(tmp_path)
    assert ring.counters["probe_errors"] == 0
    assert ring.counters["written"] >= requests
    assert ring.header["record_count"] == 16384 and layout.RECORD_BYTES == 256
