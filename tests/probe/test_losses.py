"""Where there is no memory for a ring the application runs on, and what was lost is told; where a
worker is killed every finished request is delivered, and the one in flight is told as killed."""

import contextlib
import re
import resource
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.probe.flushing import Agent
from tests.probe.serving import environment, free_port, get, server, wait_for
from tests.probe.test_uwsgi import LINES, PLAIN, uwsgi

IMPATIENT = ["--module", "impatient_app"]


def may_mount():
    """Whether this process has CAP_SYS_ADMIN."""
    effective = re.search(r"CapEff:\t(\w+)", Path("/proc/self/status").read_text())
    return bool(effective and int(effective[1], 16) >> 21 & 1)


@contextlib.contextmanager
def full_file_system(folder):
    """A folder without room for a ring: (how to start a server, what makes room for its pids)."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], check=True)
    try:
        yield (
            [],
            lambda pids: subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True),
        )
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextlib.contextmanager
def small_files(folder):
    """The same for a user who may not mount: no file may become as large as a ring."""

    def lift(pids):
        for pid in pids:
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))

    yield ["prlimit", "--fsize=1000000:unlimited"], lift


@pytest.mark.parametrize("full", [small_files, *([full_file_system] if may_mount() else [])])
def test_without_room_records_are_lost_only_and_they_are_counted(tmp_path, full):
    folder = tmp_path / "full"
    folder.mkdir()
    port = free_port()
    env = environment(tmp_path / "log", DYNOSCOPE_RING_DIR=str(folder / "rings"))
    with full(str(folder)) as (starting, make_room):
        with server([*starting, *uwsgi(port, *LINES, *IMPATIENT)], env, port):
            pids = {int(get(port, "/")[1].split()[1]) for _ in range(20)}
            assert get(port, "/stream") == (200, b"part part part ")
            assert not list(folder.rglob("*.ring*"))
            make_room(pids)
            for _ in range(3):
                get(port, "/")
            agent = Agent(folder / "rings")
            told = agent.look()
        assert len(pids) == 1
        assert [row["outcome"] for row in told] == ["ok"] * 3
        assert agent.losses["shop", "probe", "requests_unrecorded"] == 21


@pytest.mark.parametrize("folder", ["/proc/missing/rings", "/sys/read-only", "/dev/null/rings"])
@pytest.mark.parametrize("lazy", [[], ["--lazy-apps"]], ids=["preforked", "lazy"])
def test_where_no_ring_can_ever_be_the_application_runs_on(tmp_path, folder, lazy):
    port = free_port()
    env = environment(tmp_path / "log", DYNOSCOPE_RING_DIR=folder)
    with server(uwsgi(port, *LINES, *PLAIN, *lazy, "--threads", "2"), env, port) as running:
        for _ in range(10):
            assert get(port, "/")[1].startswith(b"plain")
        assert get(port, "/stream") == (200, b"part part part ")
        assert "Traceback" not in running.log.read_text()


def test_of_a_killed_worker_every_finished_request_is_delivered_and_the_last_told_as_killed(
    ring_dir,
):
    """Three workers die by kill -9 in the middle of a request; an agent looks now and then."""
    port = free_port()
    agent = Agent(ring_dir)
    rows = []
    with server(uwsgi(port, *LINES, *PLAIN), environment(ring_dir), port):
        for life in range(3):
            for number in range(30 + life):
                assert get(port, "/")[0] == 200
                if number % 10 == 5:
                    rows += agent.look()
            with pytest.raises(OSError):
                get(port, "/kill", traceparent=f"00-{life + 1:032x}-{life + 1:016x}-01")
            wait_for(lambda: answers_plainly(port), "the next worker")
    rows += agent.look()
    assert agent.look() == []
    outcomes = Counter(row["outcome"] for row in rows)
    assert outcomes == {"ok": 30 + 31 + 32 + 3, "killed": 3}
    killed = sorted(
        (row for row in rows if row["outcome"] == "killed"), key=lambda row: row["ts_ms"]
    )
    assert [row["trace_id"] for row in killed] == [f"{life + 1:032x}" for life in range(3)]
    assert {row["endpoint"] for row in killed} == {"GET (unmatched)"}
    assert len({(row["ring_id"], row["seq"]) for row in rows}) == len(rows)
    assert not +Counter({key: n for key, n in agent.losses.items() if n})


def answers_plainly(port):
    try:
        return get(port, "/")[0] == 200
    except OSError:
        return False
