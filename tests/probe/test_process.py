import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import dynoscope_probe
from dynoscope_probe import identity, process
from dynoscope_probe.process import current_process
from tests.probe.reading import read_rings
from tests.probe.test_middleware import call, respond

ROOT = Path(__file__).parents[2]


def test_the_header_says_who_this_is(ring_dir, monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_SERVICE", "shop")
    monkeypatch.setenv("DYNOSCOPE_HOST", "web-1")
    monkeypatch.setenv("DYNOSCOPE_REGION", "eu")
    monkeypatch.setenv("DYNOSCOPE_RELEASE", "r7")
    current_process()
    (ring,) = read_rings(ring_dir)
    names = ("service", "host", "region", "release", "runtime")
    assert [ring.text(ring.header[f"{name}_id"]) for name in names] == [
        "shop", "web-1", "eu", "r7", identity.runtime(),
    ]  # fmt: skip
    assert ring.header["pid"] == os.getpid()
    assert os.path.dirname(os.__file__) in ring.text(ring.header["sys_path_id"]).split("\n")
    unit, reason = ring.header["unit"], ring.text(ring.header["unit_reason_id"])
    assert (unit, reason) == (2, "") or (unit == 1 and reason.startswith("perf_event_open: E"))


def test_a_forked_child_has_its_own_ring(ring_dir):
    wrapped = dynoscope_probe.wsgi(respond)
    call(wrapped)
    child = os.fork()
    if child == 0:
        call(wrapped)
        call(wrapped)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    call(wrapped)
    mine, childs = read_rings(ring_dir)
    assert (mine.header["pid"], len(mine.records)) == (os.getpid(), 2)
    assert (childs.header["pid"], len(childs.records)) == (child, 2)
    assert mine.header["ring_id"] != childs.header["ring_id"]
    assert [record["worker_req"] for record in childs.records] == [1, 2]
    assert len(childs.in_flight) == 0


FORKED_PAST_PYTHON = """
import ctypes, os
import dynoscope_probe
from tests.probe.test_middleware import call, respond

wrapped = dynoscope_probe.wsgi(respond)
call(wrapped)
child = ctypes.PyDLL(None).fork()
if child == 0:
    call(wrapped)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(os.getpid(), child)
"""


def test_a_child_that_python_knows_nothing_of_has_its_own_ring(ring_dir):
    """As uWSGI forks: past os.fork and what is registered to run after it.

    In a process without other threads: the child would wait for ever for a lock of the
    interpreter that one of them held at the fork.
    """
    command = [sys.executable, "-c", FORKED_PAST_PYTHON]
    program = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    rings = read_rings(ring_dir)
    counts = {ring.header["pid"]: len(ring.records) for ring in rings}
    assert counts == {int(pid): 1 for pid in program.stdout.split()}
    assert len(counts) == 2


def test_a_fork_within_a_request_leaves_its_record_to_the_parent(ring_dir):
    children = []

    def application(environ, start_response):
        children.append(os.fork())
        if children == [0]:
            raise SystemExit
        return respond(environ, start_response)

    wrapped = dynoscope_probe.wsgi(application)
    try:
        call(wrapped)
    except SystemExit:  # the child, on its way out through the middleware
        os._exit(0)
    assert os.waitpid(children[0], 0)[1] == 0
    (ring,) = read_rings(ring_dir)
    assert [record["outcome"] for record in ring.records] == [0]


def test_a_lock_held_at_the_fork_does_not_stop_the_child(ring_dir, monkeypatch):
    monkeypatch.setattr(process, "OPEN_WAIT_S", 0)
    lock = process._opening.setdefault(os.getpid(), threading.Lock())
    with lock:
        assert current_process() is None
        child = os.fork()
        if child == 0:
            os._exit(0 if current_process() is not None else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert current_process() is not None


@pytest.mark.parametrize("trouble", ["missing", "file", "full", "read-only"])
def test_without_a_ring_the_application_runs_on(tmp_path, monkeypatch, trouble):
    folder = {
        "missing": "/proc/no/such/folder",
        "file": __file__,
        "full": str(tmp_path),
        "read-only": "/sys/dynoscope",
    }[trouble]
    monkeypatch.setenv("DYNOSCOPE_RING_DIR", folder)
    if trouble == "full":
        monkeypatch.setattr(process, "open_ring", _open_ring_of_a_full_device)
    wrapped = dynoscope_probe.wsgi(respond)
    for _ in range(3):
        assert call(wrapped)[2] == b"answer"
    assert current_process() is None


def _open_ring_of_a_full_device(*_):
    os.posix_fallocate(os.open("/dev/full", os.O_RDWR), 0, 1 << 20)


def test_silence_ends_when_a_ring_can_be_had_again(ring_dir, monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_RING_DIR", "/proc/no/such/folder")
    monkeypatch.setattr(process, "RETRY_NS", 0)
    wrapped = dynoscope_probe.wsgi(respond)
    for _ in range(5):
        assert call(wrapped)[2] == b"answer"
    monkeypatch.setenv("DYNOSCOPE_RING_DIR", str(ring_dir))
    call(wrapped)
    call(wrapped)
    (ring,) = read_rings(ring_dir)
    assert ring.counters["requests_unrecorded"] == 5
    assert len(ring.records) == 2


@pytest.mark.parametrize(("value", "rings"), [("0", 0), ("no", 0), ("1", 1), ("perhaps", 1)])
def test_enabled(ring_dir, monkeypatch, value, rings):
    monkeypatch.setenv("DYNOSCOPE_ENABLED", value)
    assert call(dynoscope_probe.wsgi(respond))[2] == b"answer"
    found = read_rings(ring_dir)
    assert len(found) == rings
    assert [ring.counters["bad_settings"] for ring in found] == [int(value == "perhaps")] * rings


def test_a_removed_working_folder_is_no_trouble(ring_dir, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with contextlib.suppress(FileNotFoundError):
        os.getcwd()
    assert current_process() is not None
    (ring,) = read_rings(ring_dir)
    assert ring.text(ring.header["service_id"]) == "app"


def test_endpoints_past_the_limit_share_one_frame(ring_dir, monkeypatch):
    monkeypatch.setattr("dynoscope_probe.ring.ENDPOINTS_MAX", 1)
    current = current_process()
    first, one, two = (current.endpoint(name) for name in ("GET /a", "GET /b", "GET /c"))
    assert first is not one
    assert one == two
    assert one[0].__name__ == "(other)"
