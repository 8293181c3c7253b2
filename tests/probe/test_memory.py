"""Resident memory does not grow with the number of requests."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dynoscope_probe
from dynoscope_probe.calls import timed_cache_call
from dynoscope_probe.profiled import Profile
from dynoscope_probe.request import Request, current_request
from dynoscope_probe.spans import DB, Nested, enter_call

#: Endpoints, flags, statements and errors come round again; users, traces and values do not.
PROGRAM = """
import json, os, sys
import dynoscope_probe
from dynoscope_probe.calls import statement_id, timed_cache_call
from dynoscope_probe.process import current_process
from dynoscope_probe.request import current_request

def application(environ, start_response):
    number = environ["number"]
    dynoscope_probe.set_endpoint("GET /media/%d/" % (number % 97))
    dynoscope_probe.set_user(number)
    with dynoscope_probe.flag("ranking", number % 3):
        sql = "SELECT * FROM media WHERE id = %d AND owner = 'u%d'" % (number, number)
        request = current_request()
        request.add_db_call(statement_id(request.process, sql), 0, 1000, 0)
        cached(number)
        if number % 50 == 0:
            raise LookupError("no medium %d" % number)
        start_response("200 OK", [])
    return iter([b"a", b"b"]) if number % 2 else [b"answer"]

def serve(number):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/%d" % number, "number": number}
    if number % 3 == 0:
        environ["HTTP_TRACEPARENT"] = "00-%032x-%016x-01" % (number + 1, number + 1)
    try:
        response = wrapped(environ, lambda *_: None)
        for part in response:
            pass
        getattr(response, "close", bool)()
    except LookupError:
        pass

def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

cached = timed_cache_call(timed_cache_call(lambda number: number, "cache get"), "cache get_or_set")
wrapped = dynoscope_probe.wsgi(application)
marks = json.loads(sys.argv[1])
told, served = [], 0
for mark in marks:
    for number in range(served, mark):
        serve(number)
    served = mark
    told.append(resident_bytes())
counts = current_process().ring._counts
print(json.dumps({"resident_bytes": told, "probe_errors": counts["probe_errors"]}))
"""
GROWTH_BYTES = 1 << 20


@pytest.mark.parametrize("deep_rate", ["0", "1"])
def test_a_request_leaves_nothing_to_the_garbage_collector(ring_dir, monkeypatch, deep_rate):
    """Applications that turn it off must not grow: no request, call or profile is in a cycle."""
    monkeypatch.setenv("DYNOSCOPE_DEEP_RATE", deep_rate)

    def inner():
        now = current_request()
        nested = enter_call(now, DB)
        nested.leave()
        now.add_db_call(0, 0, 1, 0, nested)
        return b"answer"

    cached = timed_cache_call(inner, "cache get")

    def application(environ, start_response):
        start_response("200 OK", [])
        return iter([cached()])

    wrapped = dynoscope_probe.wsgi(application)
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            response = wrapped({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
            assert list(response) == [b"answer"]
            response.close()
        del response
        # Not isinstance(): it would wake the lazy objects of other tests.
        kept = [one for one in gc.get_objects() if type(one) in (Request, Nested, Profile)]
    finally:
        gc.enable()
    assert kept == []


@pytest.mark.parametrize(
    "marks",
    [
        pytest.param((30_000, 60_000, 90_000, 120_000), id="short"),
        pytest.param((100_000, 1_000_000), id="million", marks=pytest.mark.long),
    ],
)
def test_memory_is_the_same_after_ten_times_the_requests(tmp_path, marks):
    (tmp_path / "key").write_text("secret")
    package = Path(dynoscope_probe.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(marks)],
        env={
            **os.environ,
            "PYTHONPATH": str(package),
            "DYNOSCOPE_RING_DIR": str(tmp_path / "rings"),
            "DYNOSCOPE_USER_HASH_KEY_FILE": str(tmp_path / "key"),
        },
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["probe_errors"] == 0
    first, *later = told["resident_bytes"]
    assert max(later) - first < GROWTH_BYTES, told
