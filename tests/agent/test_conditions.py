import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.conditions import condition, may_trace, state_series
from agent.requests import Identity
from agent.sampling import WRONG_THREAD
from agent.uwsgi_master import Master
from agent.workers import Workers
from tests.agent.processes import target
from tests.agent.rings import make_ring
from tests.privileges import needs_root

PROC = Path("/proc")
NOBODY = 65_534


@pytest.fixture
def worker(tmp_path):
    make_ring(tmp_path, created_ns=1_000_000_000)
    workers = Workers(tmp_path, PROC)
    workers.look(5_000_000_000)
    (found,) = workers.known.values()
    yield found
    found.ring.close()


def found(worker, **changes):
    known = {
        "refused": "", "sampling": "", "profiled_ms": 0, "master": None, "uwsgi": "",
        "now_ns": 9_000_000_000,
    }  # fmt: skip
    return condition(worker, **{**known, **changes})


def master(after_fork, sure=True):
    return Master(7, 1, "", after_fork, "app.ini", sure)


def test_thread_ids_are_right_once_stacks_were_believed(worker):
    assert found(worker).thread_ids == "unknown"
    assert found(worker, profiled_ms=5).thread_ids == "right"
    assert found(worker, master=master(True)).thread_ids == "unknown"
    assert found(worker, master=master(False), profiled_ms=5).thread_ids == "right"


def test_wrong_thread_ids_name_the_ini_line(worker):
    for known in ({"sampling": WRONG_THREAD}, {}):
        now = found(worker, master=master(False), **known)
        assert now.thread_ids == "wrong"
        (reason,) = now.reasons
        assert reason.startswith("app.ini lacks `py-call-osafterfork = true`")
    seen = found(worker, sampling=WRONG_THREAD, master=master(False, sure=False))
    assert (seen.thread_ids, seen.reasons) == ("wrong", (WRONG_THREAD,))
    unread = found(worker, master=master(False, sure=False))
    assert (unread.thread_ids, unread.reasons) == ("unknown", ()), "its ini could not be read"


def test_every_reason_is_told_and_idle_is_since_the_newest_record(worker):
    assert found(worker).idle_s == -1
    worker.last_record_ns = 8_500_000_000
    worker.unreachable = "far away"
    now = found(worker, refused="no permission", sampling="py-spy hung", uwsgi="no socket")
    assert now.reasons == ("far away", "no permission", "py-spy hung", "no socket")
    assert (now.permission, now.idle_s) == (False, 0.5)
    series = state_series(worker, Identity("shop", "h", ""), now, {"release": "r1"}, 9_000_000_000)
    by_name = {one.name: one for one in series}
    state = by_name["worker_state"].labels
    assert {"permission=no", "thread_ids=unknown", "release=r1", f"pid={os.getpid()}"} <= set(state)
    assert "reason=far away; no permission; py-spy hung; no socket" in state
    assert by_name["worker_age_s"].value == 8.0
    assert by_name["worker_idle_s"].value == 0.5


@needs_root
def test_a_process_of_another_user_may_be_read_by_root_only():
    with target("two_functions") as process:
        assert may_trace(process.pid, PROC) == ""
        ask = f"import os, sys; os.setgid({NOBODY}); os.setuid({NOBODY});"
        ask += "from pathlib import Path; from agent.conditions import may_trace;"
        ask += "print(may_trace(int(sys.argv[1]), Path('/proc')))"
        command = [sys.executable, "-c", ask.replace("import os, sys;", IMPORTS, 1)]
        said = subprocess.run(
            [*command, str(process.pid)], capture_output=True, text=True, check=True
        ).stdout
    assert said.startswith("no permission to read the process")
    assert "CAP_SYS_PTRACE" in said
    assert may_trace(process.pid, PROC) == "", "it is gone"
    assert may_trace(0, PROC) == ""


#: Before it gives root away: the interpreter may be out of others' reach.
IMPORTS = "import os, sys, ctypes, agent.conditions;"
