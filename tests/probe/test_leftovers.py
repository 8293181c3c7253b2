import os
import subprocess

from dynoscope_probe import identity
from dynoscope_probe.leftovers import remove_leftovers
from dynoscope_probe.ring import open_ring
from tests.probe.test_ring import FACTS

NAMESPACE = identity.pid_namespace()


def make(folder, pid, created_ns, namespace=NAMESPACE, ticks=None):
    facts = {
        **FACTS.__dict__,
        "pid": pid,
        "pid_namespace": namespace,
        "created_ns": created_ns,
        "process_start_ticks": identity.process_start_ticks(pid) if ticks is None else ticks,
    }
    ring = open_ring(str(folder), 16, type(FACTS)(**facts))
    ring.close()
    return os.path.basename(ring.path)


def test_the_newest_rings_of_the_dead_are_kept(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    names = [make(tmp_path, dead.pid, created_ns, ticks=5) for created_ns in range(10)]
    assert remove_leftovers(str(tmp_path), NAMESPACE, keep=10) == 0
    assert remove_leftovers(str(tmp_path), NAMESPACE, keep=4) == 6
    assert sorted(os.listdir(tmp_path)) == sorted(names[6:])


def test_the_living_the_foreign_and_what_is_no_ring_stay(tmp_path):
    alive = make(tmp_path, os.getpid(), 1)
    reused = make(tmp_path, os.getpid(), 2, ticks=1)  # its pid is another process's now
    foreign = make(tmp_path, 1 << 22, 3, namespace=1)
    (tmp_path / "short.ring").write_bytes(b"x")
    (tmp_path / "zeros.ring").write_bytes(bytes(4096))
    assert remove_leftovers(str(tmp_path), NAMESPACE, keep=0) == 1
    assert set(os.listdir(tmp_path)) == {alive, foreign, "short.ring", "zeros.ring"}
    assert reused not in os.listdir(tmp_path)
