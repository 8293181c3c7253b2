"""Every check in each of its states, over facts of a healthy host with one thing changed."""

from dataclasses import replace
from typing import Any

import pytest

from agent.doctor.checks import CHECKS, findings
from agent.doctor.facts import (
    Collector,
    Facts,
    Folder,
    Kernel,
    Master,
    PySpy,
    RingFacts,
    Spool,
)

GB = 1 << 30
FOLDER = Folder("/f", mode=0o700, readable=True, writable=True, total_bytes=GB, free_bytes=GB)
RING = RingFacts("shop", 7, "instructions", "", 6 << 20, 0, 0, 0)
ASLEEP = replace(RING, unit="cpu_ns", unit_reason="perf_event_open: EACCES (Permission denied)")
HEALTHY = Facts(
    kernel=Kernel(2, True, None, "dynoscope", True),
    shm=replace(FOLDER, path="/dev/shm", mode=0o1777),
    ring_dir=FOLDER,
    rings=(RING,),
    refused=(),
    masters=(Master(3, "/etc/uwsgi.ini", True, True, True),),
    py_spy=PySpy("py-spy", "py-spy 0.4.3", "", 7, ""),
    collector=Collector("http://c", "", 200, 0.4, "/t", "", 400),
    spool=Spool(FOLDER, 9, True, 2.0, 1, 10, 0.0, 0, ""),
)


def changed(**parts: dict[str, Any]) -> Facts:
    """The healthy host with fields of one of its parts changed."""
    ((name, fields),) = parts.items()
    if name == "rings":
        return replace(HEALTHY, rings=(replace(RING, **fields),))
    if name == "masters":
        return replace(HEALTHY, masters=(replace(HEALTHY.masters[0], **fields),))
    return replace(HEALTHY, **{name: replace(getattr(HEALTHY, name), **fields)})


def finding(facts: Facts, check: str):
    (found,) = (one for one in findings(facts) if one.check == check)
    return found


def test_a_healthy_host_has_nothing_to_mend():
    found = findings(HEALTHY)
    assert len(found) == len(CHECKS) == len({one.check for one in found})
    assert [one for one in found if one.state != "ok" or one.mend] == []


def test_a_host_without_workers_warns_once():
    facts = replace(HEALTHY, rings=(), masters=(), py_spy=replace(HEALTHY.py_spy, pid=0))
    assert [one.check for one in findings(facts) if one.state != "ok"] == ["rings"]


PARANOID = replace(HEALTHY, kernel=replace(HEALTHY.kernel, perf_event_paranoid=4), rings=(ASLEEP,))
NO_PMU = replace(HEALTHY, kernel=replace(HEALTHY.kernel, has_pmu=False), rings=(ASLEEP,))
UNPRIVILEGED = replace(HEALTHY.kernel, may_ptrace=False)


@pytest.mark.parametrize(
    ("facts", "check", "state", "words"),
    [
        (changed(shm={"error": "permission denied"}), "shared memory", "failed", "mount"),
        (changed(shm={"free_bytes": 1 << 20}), "shared memory", "failed", "remount"),
        (changed(shm={"free_bytes": 20 << 20}), "shared memory", "warning", "RING_RECORDS"),
        (changed(shm={"mode": 0o755}), "shared memory", "warning", "chmod 1777"),
        (changed(ring_dir={"error": "no such file"}), "ring folder", "warning", "--ring-dir"),
        (changed(ring_dir={"readable": False}), "ring folder", "failed", "2770"),
        (changed(ring_dir={"mode": 0o777}), "ring folder", "warning", "chmod o-rwx"),
        (changed(ring_dir={"writable": False}), "ring folder", "warning", "read only"),
        (replace(HEALTHY, refused=("/f/a: not a ring",)), "rings", "failed", "not a ring"),
        (changed(rings={"requests_unrecorded": 4}), "rings", "warning", "4 requests"),
        (changed(rings={"bad_settings": 2}), "probe settings", "warning", "/proc/7/environ"),
        (changed(rings={"probe_errors": 3}), "probe settings", "warning", "3 faults"),
        (changed(rings={"defaulted": ("service",)}), "names", "warning", "DYNOSCOPE_SERVICE"),
        (changed(rings={"defaulted": ("release",)}), "names", "warning", "DYNOSCOPE_RELEASE"),
        (changed(masters={"after_fork": False}), "uwsgi", "failed",
         "add the line `py-call-osafterfork = true` to /etc/uwsgi.ini"),
        (changed(masters={"sure": False}), "uwsgi", "warning", "cannot be read"),
        (changed(masters={"stats": False}), "uwsgi", "warning", "stats = "),
        (PARANOID, "counters", "warning", "sysctl kernel.perf_event_paranoid=2"),
        (PARANOID, "counters", "warning", "CAP_PERFMON"),
        (PARANOID, "counters", "warning", "EACCES"),
        (NO_PMU, "counters", "warning", "no hardware counters"),
        (replace(HEALTHY, rings=(ASLEEP,)), "counters", "warning", "seccomp"),
        (changed(rings={"unit": "cpu_ns", "unit_reason": "DYNOSCOPE_COUNTER=cpu_ns"}),
         "counters", "warning", "unset DYNOSCOPE_COUNTER"),
        (changed(rings={"no_trace": "no"}), "ptrace", "failed", "AmbientCapabilities"),
        (changed(rings={"unreachable": "elsewhere"}), "ptrace", "warning", "hostPID"),
        (changed(rings={"unreachable": "kept out", "inner_pid": 1}), "containers", "warning",
         "containers.conf"),
        (changed(rings={"unreachable": "kept out", "inner_pid": 1}), "ptrace", "ok", "has CAP"),
        (changed(rings={"inner_pid": 1}), "containers", "ok", "1 workers"),
        (changed(kernel={"ptrace_scope": 3}), "ptrace", "failed", "sysctl.d"),
        (replace(HEALTHY, kernel=replace(UNPRIVILEGED, ptrace_scope=1)), "ptrace", "failed",
         "CAP_SYS_PTRACE"),
        (replace(HEALTHY, kernel=UNPRIVILEGED), "ptrace", "ok", "its own processes only"),
        (changed(py_spy={"version": "", "failure": "absent"}), "py-spy", "failed", "pip install"),
        (changed(py_spy={"reading_failure": "no"}), "py-spy", "failed", "worker 7"),
        (changed(collector={"error": "refused"}), "collector", "failed", "dynoscope serve"),
        (changed(collector={"status": 503}), "collector", "failed", "503"),
        (changed(collector={"token_error": "no such file"}), "token", "failed", "ingest.token"),
        (changed(collector={"token_status": 0}), "token", "warning", "collector first"),
        (changed(collector={"token_status": 403}), "token", "failed", "/t"),
        (changed(collector={"token_status": 401, "token_file": ""}), "token", "failed", "no token"),
        (changed(collector={"ahead_s": None}), "clock", "warning", "not be compared"),
        (changed(collector={"ahead_s": -5.0}), "clock", "warning", "5 s behind"),
        (changed(collector={"ahead_s": 300.0}), "clock", "failed", "300 s ahead of"),
        (changed(spool={"agent_pid": 0}), "spool", "warning", "agent run"),
        (changed(spool={"agent_lives": False}), "spool", "failed", "silent"),
        (changed(spool={"rejected": 2}), "spool", "warning", "rejected"),
        (changed(spool={"oldest_s": 90.0, "last_error": "away"}), "spool", "warning", "away"),
        (changed(spool={"folder": replace(FOLDER, free_bytes=9)}), "spool", "warning", "0 MB"),
    ],
)  # fmt: skip
def test_one_thing_wrong(facts, check, state, words):
    found = finding(facts, check)
    assert found.state == state
    assert words in f"{found.says} {found.mend}"
    assert found.says.endswith(".") and (found.mend or state == "ok")
