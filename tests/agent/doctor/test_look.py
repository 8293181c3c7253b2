"""The doctor's look at real things: workers under uWSGI, a collector, an agent's spool."""

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from agent.doctor.look import folder_of, look
from agent.doctor.look_outside import look_at_collector, look_at_spool
from agent.doctor.look_workers import look_at_workers, try_py_spy
from agent.sampler import Target, py_spy_binary
from collector.tokens import load_or_make_tokens
from tests.agent.processes import target, until
from tests.agent.rings import make_ring
from tests.agent.test_command import agent_process, status_of
from tests.agent.uwsgi_server import uwsgi
from tests.collector.test_exactly_once import collector

PROC = Path("/proc")


@pytest.mark.parametrize("after_fork", [True, False])
def test_a_uwsgi_worker_and_the_line_that_its_ini_lacks(tmp_path, after_fork):
    ini = tmp_path / "shop.ini"
    ini.write_text("[uwsgi]\n" + "py-call-osafterfork = true\n" * after_fork)
    with uwsgi(tmp_path, "--ini", str(ini)):
        (ring,), refused, (master,) = look_at_workers(tmp_path, PROC)
        tried = try_py_spy(py_spy_binary(), [Target(ring.pid)])
    assert (master.sure, master.after_fork, master.stats) == (True, after_fork, False)
    assert master.ini == str(ini)
    assert refused == ()
    assert (ring.no_trace, ring.unreachable, ring.bad_settings) == ("", "", 0)
    assert ring.bytes > 1 << 19
    assert tried.version.startswith("py-spy ") and tried.reading_failure == ""


def test_counts_of_the_probe_and_names_that_nobody_chose(tmp_path):
    ring = make_ring(tmp_path, service=Path.cwd().name, release="")
    ring.count("bad_settings", 2)
    (tmp_path / "1-00000000000000aa.ring").write_bytes(b"junk")
    (seen,), (refused,), masters = look_at_workers(tmp_path, PROC)
    assert (seen.bad_settings, seen.unit_reason, seen.pid) == (2, "ENOENT", os.getpid())
    assert seen.defaulted == ("release", "service")
    assert "too short" in refused
    assert masters == ()


def test_rings_of_the_dead_are_no_workers(tmp_path):
    with target("ring_worker", str(tmp_path), "64"):
        assert len(look_at_workers(tmp_path, PROC)[0]) == 1
    assert look_at_workers(tmp_path, PROC)[0] == ()


def test_py_spy_that_is_missing_and_a_process_that_is_no_python(tmp_path):
    assert try_py_spy("/nonexistent", []).failure == "no such file or directory"
    assert try_py_spy(py_spy_binary(), []).pid == 0
    failure = try_py_spy(py_spy_binary(), [Target(1)]).reading_failure
    assert failure and "\n" not in failure


def test_a_collector_takes_the_right_token_only(tmp_path):
    tokens = load_or_make_tokens(tmp_path)
    wrong = tmp_path / "wrong"
    wrong.write_text("nonsense")
    with collector(tmp_path) as (_, url):
        taken = look_at_collector(url, tmp_path / "ingest.token", time.time)
        read = look_at_collector(url, tmp_path / "read.token", time.time)
        refused = look_at_collector(url, wrong, time.time)
        absent = look_at_collector(url, tmp_path / "absent", time.time)
        none = look_at_collector(url, None, time.time)
    assert tokens.ingest
    assert (taken.error, taken.status, taken.token_status) == ("", 200, 400)
    assert taken.ahead_s is not None and abs(taken.ahead_s) < 10
    assert [one.token_status for one in (read, refused, none)] == [403, 401, 401]
    assert (absent.token_error, absent.token_status) == ("no such file or directory", 0)


def test_a_clock_that_is_wrong_and_nothing_that_answers():
    class Late(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def do_PUT(self):
            self.do_GET()

        def date_time_string(self, timestamp=None):
            return super().date_time_string(time.time() - 100)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Late)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        seen = look_at_collector(url, None, time.time)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert seen.ahead_s is not None and 95 < seen.ahead_s < 110
    gone = look_at_collector(url, None, time.time)
    assert "refused" in gone.error and gone.ahead_s is None
    assert look_at_collector("nonsense", None, time.time).error


def test_the_spool_of_an_agent_that_runs_and_then_does_not(tmp_path):
    spool = tmp_path / "spool"
    nobody = look_at_spool(spool, folder_of(spool), PROC, time.time())
    assert (nobody.agent_pid, nobody.folder.error) == (0, "no such file or directory")
    with agent_process(tmp_path / "rings", spool, "http://127.0.0.1:1") as process:
        until(lambda: status_of(spool) and status_of(spool)["last_error"])
        (spool / "rejected" / "requests-1.arrow").write_bytes(b"")
        running = look_at_spool(spool, folder_of(spool), PROC, time.time())
        process.kill()
        process.wait()
        killed = look_at_spool(spool, folder_of(spool), PROC, time.time() + 60)
    assert (running.agent_lives, running.rejected) == (True, 1)
    assert running.waiting_files > 0 and "not reached" in running.last_error
    assert not killed.agent_lives and killed.silent_s >= 59


def test_the_kernels_settings_of_recorded_trees(tmp_path):
    proc, system = tmp_path / "proc", tmp_path / "sys"
    for name, text in (
        ("proc/sys/kernel/perf_event_paranoid", "4\n"),
        ("proc/sys/kernel/yama/ptrace_scope", "1\n"),
        ("proc/self/status", "Name:\tx\nCapEff:\t0000000000080000\n"),
        ("sys/bus/event_source/devices/armv8_pmuv3_0/type", "9"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    facts = look(
        url="http://127.0.0.1:1", ring_dir=tmp_path / "rings", spool=tmp_path / "spool",
        token_file=None, py_spy=sys.executable, shm=tmp_path, proc_root=proc, sys_root=system,
    )  # fmt: skip
    kernel = facts.kernel
    assert (kernel.perf_event_paranoid, kernel.ptrace_scope) == (4, 1)
    assert kernel.has_pmu and kernel.may_ptrace
    assert facts.shm.free_bytes > 0 and facts.ring_dir.error == "no such file or directory"
    assert facts.py_spy.version.startswith("Python 3")
