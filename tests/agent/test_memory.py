import os
import subprocess
import sys
from pathlib import Path

from agent.memory import Memory, Pacing, memory_of, parse_rollup
from agent.requests import Identity
from agent.samples import WorkerView

PROC = Path("/proc")
MB = 1 << 20
SHARES = """
import os, sys, mmap
shared = mmap.mmap(-1, 32 << 20)
shared.write(b"x" * (32 << 20))
if os.fork() == 0:
    sum(shared[::4096])
    own = bytearray(b"y" * (16 << 20))
    print(os.getpid(), flush=True)
    sys.stdin.read()
    os._exit(0)
os.wait()
"""


def view(pid, ring_id=1):
    return WorkerView(ring_id, pid, 3, "r1", Identity("shop", "h", ""), "")


def test_own_and_shared_memory_of_a_forked_worker():
    command = [sys.executable, "-c", SHARES]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        pid = int(process.stdout.readline())
        found = memory_of(pid, PROC)
        process.stdin.close()
    assert found.uss > 16 * MB
    assert found.shared > 32 * MB
    assert found.uss <= found.pss <= found.rss
    assert abs(found.uss + found.shared - found.rss) < MB
    # Two processes share the 32 MB: half of it is this one's.
    assert found.pss < found.rss - 15 * MB


def test_what_everybody_may_see_where_the_rest_is_refused(tmp_path):
    (tmp_path / "5").mkdir()
    status = (
        "Name:\tx\nVmRSS:\t 9000 kB\nRssAnon:\t 5000 kB\nRssFile:\t 3000 kB\nRssShmem:\t10 kB\n"
    )
    (tmp_path / "5/status").write_text(status)
    found = memory_of(5, tmp_path)
    assert found == Memory(9000 << 10, None, None, 3010 << 10)
    names = {one.name for one in Pacing(tmp_path).read([view(5)])}
    assert names == {"worker_shared_bytes"}
    assert memory_of(6, tmp_path) is None


def test_the_real_status_of_this_process_has_the_names_that_are_used(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1/status").write_text((PROC / "self/status").read_text())
    found = memory_of(1, tmp_path)
    assert found.rss > MB and found.shared > 0
    assert parse_rollup("") is None


def test_each_worker_is_read_once_in_a_while_and_the_one_that_waits_longest_first(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("agent.memory.time.monotonic", lambda: now[0])
    pacing = Pacing(PROC)
    with subprocess.Popen(["sleep", "60"]) as other:
        workers = [view(os.getpid(), 1), view(other.pid, 2)]
        names = [one.name for one in pacing.read(workers)]
        assert names.count("worker_pss_bytes") == 2
        now[0] += 59
        assert pacing.read(workers) == []
        now[0] += 2
        assert len(pacing.read(workers)) == 6
        other.kill()


def test_a_reading_that_took_long_is_followed_by_a_long_pause(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("agent.memory.time.monotonic", lambda: now[0])

    def slow(pid, proc_root):
        now[0] += 0.1
        return Memory(1, 1, 1, 1)

    monkeypatch.setattr("agent.memory.memory_of", slow)
    pacing = Pacing(PROC)
    workers = [view(1, 1), view(1, 2)]
    assert len(pacing.read(workers)) == 3, "the first only"
    now[0] += 0.1 / 0.0005 - 1
    assert pacing.read(workers) == []
    now[0] += 1
    assert len(pacing.read(workers)) == 3, "then the second"
