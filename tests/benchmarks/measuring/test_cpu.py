import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.measuring.cpu import process_cpu_ns

THREADS = """
import threading, time
def burn():
    end = time.thread_time() + 0.1
    while time.thread_time() < end:
        pass
for _ in range(3):
    thread = threading.Thread(target=burn)
    thread.start()
    thread.join()
print("burnt", flush=True)
input()
"""


def test_threads_that_ended_count():
    with subprocess.Popen(
        [sys.executable, "-c", THREADS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"burnt\n"
        spent_ns = process_cpu_ns(process.pid)
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        process.communicate(b"\n")
    from_stat_s = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    assert spent_ns / 1e9 >= 0.3
    assert spent_ns / 1e9 == pytest.approx(from_stat_s, abs=0.05)


def test_this_process():
    before_ns, by_itself_ns = process_cpu_ns(os.getpid()), time.process_time_ns()
    assert 0 <= by_itself_ns - before_ns < 1e9


def test_no_such_process():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with pytest.raises(OSError):
        process_cpu_ns(process.pid)
